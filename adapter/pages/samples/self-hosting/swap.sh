.venv/bin/clearcanvas models import net.onnx --name isnet --version 2 --size 1024 --mean 128 --std 256
.venv/bin/clearcanvas models compare isnet@1 isnet@2    # on pictures whose true mattes are known
.venv/bin/clearcanvas models promote isnet@2            # judged, then switched under traffic; or refused, with the reason
.venv/bin/clearcanvas models rollback isnet
