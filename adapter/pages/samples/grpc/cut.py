# pip install grpcio protobuf
from pathlib import Path

import grpc
from clearcanvas.v1 import images_pb2, images_pb2_grpc

with grpc.insecure_channel("127.0.0.1:8401") as channel:
    images = images_pb2_grpc.ImageServiceStub(channel)
    request = images_pb2.EditRequest(image=Path("photo.png").read_bytes())
    parts = images.Edit(request, timeout=60)
    print(next(parts).header)
    Path("result.png").write_bytes(b"".join(part.chunk for part in parts))
