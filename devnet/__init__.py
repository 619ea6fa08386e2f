"""Local Base and Tempo chains with funded payers, for development and tests. No program imports it."""
