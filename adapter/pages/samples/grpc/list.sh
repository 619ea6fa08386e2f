# The service describes itself by reflection. For TLS: https://, without --http2-prior-knowledge.
buf curl --protocol grpc --http2-prior-knowledge http://127.0.0.1:8401 --list-methods
