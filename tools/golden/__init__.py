"""Makes the golden set: pictures whose true mattes are known because the pictures are made from them."""
