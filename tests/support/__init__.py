"""Hand-made parts that several tests share."""
