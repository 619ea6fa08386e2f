"""The models of the repository: where they come from, how they enter the contract, whether they are what they claim."""
