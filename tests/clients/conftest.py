"""Devices are put together as in the room of emulation, and models made as in the room of parity."""

from __future__ import annotations

import sys
from pathlib import Path

for room in ("parity", "emulation"):
    sys.path.insert(0, str(Path(__file__).parents[1] / room))
