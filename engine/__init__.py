"""Runs `model_repository/` under a real Triton where no container is: install, launch, supervise."""
