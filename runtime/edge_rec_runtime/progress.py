"""How long work tells its caller how far it is, without knowing who listens."""

from __future__ import annotations

__all__ = ["Progress", "silent"]

from typing import Protocol


class Progress(Protocol):
    """Called with the steps done, the steps in all, and a few words on the present one."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report ``done`` of ``total`` steps."""


def silent(done: int, total: int, note: str = "") -> None:
    """Report to nobody."""
