"""The worker processes that hold pixels: killable, limited, without secrets."""
