"""One tree of errors: every message names the value, what was expected, and what to do next.

The command line maps each class to its exit code, so that scripts can tell a damaged bundle from a failed gate.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "BundleError",
    "CompressionError",
    "ConversionError",
    "DataError",
    "DependencyError",
    "EdgeRecError",
    "MeasurementError",
    "ModelError",
    "RequestError",
    "TrainingError",
    "VerificationError",
    "require",
]

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


class EdgeRecError(Exception):
    """Anything that a user can put right; the message says how."""

    exit_code = 1


class DataError(EdgeRecError):
    """An interaction log, an item file or a history file cannot be used as it is."""

    exit_code = 3


class ModelError(EdgeRecError):
    """A model at the door (run directory, factory, ONNX file) is not what the protocol asks for."""

    exit_code = 4


class TrainingError(ModelError):
    """Training cannot go on: diverged, or a checkpoint that belongs to another run."""


class CompressionError(ModelError):
    """A compression step or recipe cannot be followed: an option without meaning, steps that do not compose, another model."""


class ConversionError(EdgeRecError):
    """A graph cannot be expressed for the asked target and precision."""

    exit_code = 5


class VerificationError(EdgeRecError):
    """The converted artefact is not close enough to its source; nothing was written."""

    exit_code = 6


class BundleError(EdgeRecError):
    """A bundle is damaged, hostile, or of a version that this release cannot read."""

    exit_code = 7


class BackendError(EdgeRecError):
    """No installed inference engine can run the bundle."""

    exit_code = 8


class DependencyError(BackendError):
    """An optional package is missing; the message carries the pip command."""


class RequestError(EdgeRecError):
    """A request asks for what the bundle does not have: an unknown item, k below 1, a filter on no attribute."""

    exit_code = 9


class MeasurementError(EdgeRecError):
    """A measurement could not be taken, or a result file cannot be read."""

    exit_code = 10


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say in one sentence how to install it.

    Args:
        module: Import name, for example ``"polars"``.
        extra: The extra of ``edge-rec`` that brings it.
        purpose: What needs it, as it should read after "for": ``"reading interaction logs"``.

    Raises:
        DependencyError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{purpose} needs the package '{error.name}', which is not installed; run: pip install 'edge-rec[{extra}]'"
        ) from error
