"""The gRPC service: pixels and, later, jobs. It never hears of money and never imports the adapter."""
