# The service describes itself. With TLS: https://, and no --http2-prior-knowledge.
buf curl --protocol grpc --http2-prior-knowledge --list-methods \
  http://127.0.0.1:8401
