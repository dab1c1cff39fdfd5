"""``python tests/fuzz/native_tests.py [ARGUMENTS of pytest]``: the tests of the kernels, with sanitizers built into these."""

from __future__ import annotations

__all__ = ["main"]

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "emulation"))


def main(arguments: list[str]) -> int:
    """Return what pytest returns."""
    from sanitised import build, surroundings  # noqa: PLC0415 - it looks for its own in the folder that was just added

    root = _HERE.parents[1]
    kernels = build(root / "build" / "fuzz")
    around = surroundings() | {"EDGE_REC_KERNELS": "", "EDGE_REC_TEST_KERNELS": str(kernels)}
    command = [sys.executable, "-m", "pytest", "--capture=sys", "tests/runtime/native", *arguments]
    return subprocess.run(command, cwd=root, env=around, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
