#!/bin/sh
# Starts Triton with the models that are named. CLEARCANVAS_TRITON_CONFIG=gpu (or cpu) takes configs/gpu.pbtxt in the place of
# config.pbtxt where a model has one.
set -eu
loads=
for name in "$@"; do loads="$loads --load-model=$name"; done

# Nobody may map shared memory by these ports: the key that would allow it is made here and told to nobody. (Servers on other
# machines have no memory to share; loading and unloading is theirs, and the network lets nobody else in.)
nobody=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# shellcheck disable=SC2086 # One word for each model; their names hold no space.
exec tritonserver \
  --model-repository=/models \
  --model-control-mode=explicit $loads \
  --model-config-name="${CLEARCANVAS_TRITON_CONFIG:-}" \
  --exit-on-error=false \
  --strict-readiness=false \
  --disable-auto-complete-config \
  --exit-timeout-secs=10 \
  --grpc-address=0.0.0.0 \
  --grpc-port=8400 \
  --grpc-restricted-protocol="shared-memory:clearcanvas-nobody=$nobody" \
  --allow-http=false \
  --allow-metrics=true \
  --metrics-address=0.0.0.0 \
  --metrics-port=8002
