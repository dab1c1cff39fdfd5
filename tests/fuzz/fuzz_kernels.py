"""``fuzz_kernels.py KERNELS SECONDS SEED LAST``: use the extension at random for so many seconds of processor time.

It stops at the first fault. Every use is drawn from the seed and its number alone; the number is kept in the file LAST, so that a
crash can be repeated with ``fuzz_kernels.py KERNELS 0 SEED LAST NUMBER``.
"""

from __future__ import annotations

__all__ = ["main"]

import faulthandler
import importlib.machinery
import importlib.util
import os
import sys
import time
from typing import Any

import numpy as np
from attacks import attack


def main(arguments: list[str]) -> None:
    """Attack until the time is over, and say how often."""
    kernels, seconds, seed, last, *only = arguments
    faulthandler.enable()
    native, end, number = _loaded(kernels), time.process_time() + float(seconds), int(only[0]) if only else 0
    state = os.open(last, os.O_WRONLY | os.O_CREAT, 0o644)
    while True:
        os.pwrite(state, f"{number:<20}\n".encode(), 0)
        attack(native, np.random.default_rng((int(seed), number)))
        number += 1
        if only or time.process_time() > end:
            break
    kinds = ", ".join(one for one in dir(native) if one[0].isupper())
    sys.stdout.write(f"{number} uses of {kinds} with seed {seed}: no fault\n")


def _loaded(path: str) -> Any:  # noqa: ANN401 - the extension
    loader = importlib.machinery.ExtensionFileLoader("_kernels", path)
    specification = importlib.util.spec_from_loader("_kernels", loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1:])
