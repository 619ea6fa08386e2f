"""The gRPC face: messages to values and back, errors to statuses, health."""
