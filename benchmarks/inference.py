"""Bare inference in this process, without Triton, server or pictures. Runs in Triton's environment, as a child.

    python -m benchmarks.inference MODEL CONFIG CACHE stack|onnxruntime

CONFIG is the model's Triton configuration as JSON. `stack` takes the engine's own runtime, `onnxruntime` the plain one
in fp32. Prints what runs, then answers each line of standard input, the name of an .npy file with IMAGE, with the
seconds that its inference took.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from engine.backend.plan import parse
from engine.backend.runtimes import load


def main() -> None:
    """Answer lines until there are none."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Some runtimes talk on standard output.
    model, config, cache, which = sys.argv[1:]
    words = json.loads(Path(config).read_text())
    if which == "onnxruntime":
        del words["optimization"]  # Where the configuration asks for anything else.
    runtime = load(Path(model), parse(words), Path(cache))
    print(runtime.device, file=answers, flush=True)
    for line in sys.stdin:
        image = np.load(line.rstrip("\n"))
        began = time.perf_counter()
        runtime.infer({"IMAGE": image})
        print(time.perf_counter() - began, file=answers, flush=True)


if __name__ == "__main__":
    main()
