"""The gRPC face: services, errors to statuses, health."""
