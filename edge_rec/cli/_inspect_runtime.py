"""``edge-rec inspect --runtime``: what searches and what computes on this machine."""

from __future__ import annotations

__all__ = ["show_runtime"]

import platform
from importlib import metadata

from edge_rec.cli._show import show_json, show_table
from edge_rec_runtime import kernels
from edge_rec_runtime.backends import BACKENDS, installed


def show_runtime(*, as_json: bool) -> None:
    """Print how item tables are searched here, and why so, and which engines there are.

    Raises:
        BackendError: ``EDGE_REC_KERNELS`` is none of its words.
    """
    active = kernels.active()
    module = kernels.native()
    engines = {name: metadata.version(BACKENDS[name].package.replace("_", "-")) for name in installed()}
    record = {
        "search": active.path,
        "reason": active.reason,
        "paths": ["numpy", *(module.levels() if module else ())],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "engines": engines,
    }
    if as_json:
        show_json(record)
        return
    shown = record | {
        "paths": ", ".join(record["paths"]),
        "engines": ", ".join(f"{name} {version}" for name, version in engines.items()) or "none",
    }
    show_table([{"runtime": name, "value": value} for name, value in shown.items()])
