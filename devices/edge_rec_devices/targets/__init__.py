"""Where bundles are measured. Each place takes the same plan and gives back the same results."""

from __future__ import annotations

__all__ = ["TARGETS", "Plan", "Target"]

from edge_rec_devices.targets.local import Local
from edge_rec_devices.targets.protocol import Plan, Target

TARGETS: dict[str, Target] = {"local": Local()}
