"""Which C files an architecture's kernels are made of: those that ``setup.py`` names."""

from __future__ import annotations

__all__ = ["FLAGS", "sources"]

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import setuptools
from distutils.core import run_setup
print(*run_setup("setup.py", stop_after="init").ext_modules[0].sources, sep="\\n")
"""

FLAGS = (
    *("-std=gnu99", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC", "-shared", "-pthread", "-DPy_LIMITED_API=0x030B0000"),
    f"-I{sysconfig.get_paths()['include']}",
)


def sources(platform: str | None = None) -> list[str]:
    """Return the files for this machine, or for another platform, for example ``linux-aarch64``."""
    asked = {} if platform is None else {"_PYTHON_HOST_PLATFORM": platform}
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, cwd=_ROOT, env=os.environ | asked, capture_output=True, text=True, check=True)
    return [str(_ROOT / one) for one in done.stdout.split()]
