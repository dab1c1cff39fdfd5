"""Models of other packages, brought to the door as their users would; each module runs in an environment with that package."""

from __future__ import annotations

__all__: list[str] = []
