"""What is asked of every kind of model."""

from __future__ import annotations

__all__ = ["check_features", "check_finite", "check_module", "check_name", "described", "drift"]

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime.features import Feature

_NAME = re.compile(r"\w[^/\\\x00-\x1f]{0,99}")  # bundles are named after it, so it must not lead elsewhere
_BLOCK = 65_536  # rows looked at together: a table of millions gets no second array of its size


def check_name(name: object) -> None:
    """Raise ModelError unless a bundle can be named so."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ModelError(f"a model is called {name!r}; bundles are named after it, give it a plain name like 'films'")


def check_module(name: str, what: str, module: object) -> None:
    """Raise ModelError unless a network is a module with finite weights, or a path."""
    if isinstance(module, Path):
        return
    from torch import nn  # noqa: PLC0415 - files are converted without it

    if not isinstance(module, nn.Module):
        raise ModelError(
            f"{name}: the {what} is a {type(module).__name__}; expected a torch.nn.Module or the Path of an .onnx file"
        )
    for weight, value in module.named_parameters():
        check_finite(name, f"the weight '{weight}'", value.detach().numpy())


def check_finite(name: str, what: str, values: NDArray[np.floating[Any]]) -> None:
    """Raise ModelError where an array holds NaN or infinity."""
    blocks = [values] if values.ndim == 0 else (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
    if not all(np.isfinite(block).all() for block in blocks):
        raise ModelError(f"{name}: {what} holds NaN or infinity; convert a checkpoint from before training diverged")


def check_features(name: str, features: tuple[Feature, ...]) -> None:
    """Raise ModelError where two features share a name."""
    names = [feature.name for feature in features]
    if len(set(names)) != len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise ModelError(f"{name}: two features are called {twice!r}; each is one input of the network, name them apart")


def drift(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Return the largest difference, in units of the largest wanted number."""
    return float(np.abs(found - wanted).max()) / (float(np.abs(wanted).max()) or 1.0)


def described(value: object) -> str:
    """Return what an array is, or of what type anything else."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"a {type(value).__name__}"
