"""How good a matte is: scores against a truth, over a set of pictures."""
