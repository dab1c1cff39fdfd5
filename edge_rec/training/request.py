"""What is asked of a training, and what comes of it."""

from __future__ import annotations

__all__ = ["Fitted", "Request"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.models import Model


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to train.

    Attributes:
        model: A key of `TRAINERS` or `RANKERS`.
        seed: Of every random choice.
        core: Users and items with fewer events are left out.
        shape: Options of the network that differ from the data set's recipe.
        training: Options of the training that do.
    """

    model: str = "sasrec"
    seed: int = 0
    core: int = 5
    shape: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model and, fit for JSON, how it came to be."""

    model: Model
    record: dict[str, Any]
