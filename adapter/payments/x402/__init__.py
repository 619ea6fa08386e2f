"""Payments over x402, versions 1 and 2: a signed USDC transfer (EIP-3009) that is verified first and settled last."""
