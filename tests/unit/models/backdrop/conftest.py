"""The model's own package is imported as Triton does: from the folder of its version."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "model_repository" / "backdrop" / "1"))
