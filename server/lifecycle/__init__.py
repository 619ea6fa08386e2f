"""How a version of a model takes another's place while requests go on: the steps, the gate, and work on copies."""
