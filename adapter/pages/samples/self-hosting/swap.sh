clearcanvas models import net.onnx --name isnet --version 2 --size 1024 --mean 128 --std 256
clearcanvas models compare isnet@1 isnet@2    # on pictures whose true mattes are known
clearcanvas models promote isnet@2            # judged first, then switched under traffic; or refused, with the reason
clearcanvas models rollback isnet
