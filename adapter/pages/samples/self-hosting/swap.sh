.venv/bin/clearcanvas models import net.onnx --name isnet --version 2 \
  --size 1024 --mean 128 --std 256

# How good each is, on pictures whose true mattes are known.
.venv/bin/clearcanvas models compare isnet@1 isnet@2

# Judged, then switched under traffic; or refused, with the reason.
.venv/bin/clearcanvas models promote isnet@2

.venv/bin/clearcanvas models rollback isnet
