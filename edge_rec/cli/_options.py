"""Arguments that the device's commands share."""

from __future__ import annotations

__all__ = ["backend_option", "bundle_argument"]

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge_rec_runtime.backends import BACKENDS

_F = TypeVar("_F", bound=Callable[..., Any])


def bundle_argument(function: _F) -> _F:
    """Add the argument ``bundle``; that the file is a bundle is for the runtime to say."""
    return click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))(function)


def backend_option(function: _F) -> _F:
    """Add ``--backend``."""
    return click.option(
        "--backend",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", *BACKENDS]),
        help="The engine that runs the encoder.",
    )(function)
