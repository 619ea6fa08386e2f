"""`python -m tests.support.paid_adapter STEP LEVEL`: the adapter as it is, but that it kills itself at a step.

It dies when a payment has just passed STEP (`never` is none), and its log begins at LEVEL.
"""

import logging
import os
import signal
import sys
from functools import partial

from adapter import __main__ as program


def main() -> int:
    """Run the adapter; returns its exit code."""
    step, level = sys.argv[1:]
    # The first configuration stands: the adapter's own, at INFO, then changes nothing.
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    def die(passed: str) -> None:
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    program.serve = partial(program.serve, checkpoint=die)  # type: ignore[attr-defined] # It imports it for itself.
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
