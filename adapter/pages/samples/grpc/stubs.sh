# pip install grpcio grpcio-tools
python -m grpc_tools.protoc -I proto --python_out=. --grpc_python_out=. \
  proto/clearcanvas/v1/*.proto
