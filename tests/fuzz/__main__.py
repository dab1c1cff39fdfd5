"""``python tests/fuzz [SECONDS [SEED]]``: build the kernels with sanitizers, and fuzz them."""

from __future__ import annotations

__all__ = ["main"]

import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "emulation"))


def main(arguments: list[str]) -> int:
    """Return what the fuzzing process returns; where it fails, say how to repeat it."""
    from sanitised import build, surroundings  # noqa: PLC0415 - they look for their own in the folder that was just added

    folder = _HERE.parents[1] / "build" / "fuzz"
    seconds, seed = arguments[0] if arguments else "300", arguments[1] if len(arguments) > 1 else str(int(time.time()))
    command = [sys.executable, str(_HERE / "fuzz_kernels.py"), str(build(folder)), seconds, seed, str(folder / "last")]
    status = subprocess.run(command, env=surroundings(), check=False).returncode
    if status:
        number = (folder / "last").read_text().strip()
        sys.stderr.write(f"failed at use {number} of seed {seed}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
