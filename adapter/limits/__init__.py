"""How many requests a client may send: who is counted, here or over all replicas."""
