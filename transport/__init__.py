"""How the programs reach each other over gRPC: addresses, balancing, what is tried again, certificates."""
