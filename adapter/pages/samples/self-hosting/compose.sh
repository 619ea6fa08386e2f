# Secrets, once.
for name in POSTGRES SERVER ADAPTER REDIS; do
  echo "${name}_PASSWORD=$(openssl rand -hex 24)"
done >deploy/secrets.env
echo "S3_SECRET=$(openssl rand -hex 24)" >>deploy/secrets.env

compose="docker compose -f deploy/compose.yaml --env-file deploy/secrets.env"
$compose up --build --detach

# The adapter serves as soon as there is a key.
$compose run --rm operator keys add shop
