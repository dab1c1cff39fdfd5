"""Arguments that the device's commands share."""

from __future__ import annotations

__all__ = ["backend_option", "bundle_argument", "column_options"]

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edge_rec_runtime.backends import BACKENDS

_F = TypeVar("_F", bound=Callable[..., Any])


def bundle_argument(function: _F) -> _F:
    """Add the argument ``bundle``; that the file is a bundle is for the runtime to say."""
    return click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))(function)


def column_options(function: _F) -> _F:
    """Add the options that name a log's columns, as `edge_rec.data.load` takes them."""
    for what, words in (("timestamp", "times"), ("item", "item ids"), ("user", "user ids")):
        function = click.option(f"--{what}-column", help=f"Column of {words}, where its name does not tell.")(function)
    return function


def backend_option(function: _F) -> _F:
    """Add ``--backend``."""
    return click.option(
        "--backend",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", *BACKENDS]),
        help="The engine that runs the encoder.",
    )(function)
