"""Money: what a request costs, how it is paid, and the ledger of it. Knows no image, no gRPC and no HTTP server."""
