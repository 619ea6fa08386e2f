for name in POSTGRES_PASSWORD SERVER_PASSWORD ADAPTER_PASSWORD REDIS_PASSWORD S3_SECRET; do
  echo "$name=$(openssl rand -hex 24)"
done >deploy/secrets.env
docker compose -f deploy/compose.yaml --env-file deploy/secrets.env up --build --detach
docker compose -f deploy/compose.yaml --env-file deploy/secrets.env run --rm operator keys add shop
