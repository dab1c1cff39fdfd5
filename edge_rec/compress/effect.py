"""What a step changed: weights, bytes, quality and speed of a model beside the one that the recipe started with."""

from __future__ import annotations

__all__ = ["Beside", "Effect"]

import math
import tempfile
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.compress.heldout import HeldOutEvents
from edge_rec.metrics import quality
from edge_rec.models import Network
from edge_rec_converters import prepare
from edge_rec_converters.kinds import Order
from edge_rec_converters.metrics import bootstrap_interval, ndcg_at_k, overlap_at_k, paired_ratio_interval
from edge_rec_converters.timing import latency_ratio
from edge_rec_runtime import Bundle, Precision, write_bundle

if TYPE_CHECKING:
    from edge_rec.metrics import HeldOut
    from edge_rec.models import Model
    from edge_rec_converters import Prepared

_TIMED = 64  # histories that a conversion is prepared with: it is weighed and timed here, not judged
_TARGET = "onnx"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Figures of a model, and of it beside the one that the recipe started with.

    Attributes:
        parameters: Values of all weights.
        nonzeros: Those that are not zero.
        model_bytes: Graph and tables of its bundle (ONNX; its finished item codes, all else fp32).
        bytes_ratio: ``model_bytes`` over those of the start.
        ndcg_at_10: On the validation events.
        ndcg_kept: Over that of the start; NaN, as its interval, where that is 0.
        ndcg_kept_ci: 95 % bootstrap interval over users, paired.
        overlap_at_10: Share of the start's first ten items that are kept, on the validation histories.
        overlap_at_10_ci: 95 % bootstrap interval over users.
        latency_ratio: How long a request takes here, over what it takes the start; an impression.
    """

    parameters: int
    nonzeros: int
    model_bytes: int
    bytes_ratio: float
    ndcg_at_10: float
    ndcg_kept: float
    ndcg_kept_ci: tuple[float, float]
    overlap_at_10: float
    overlap_at_10_ci: tuple[float, float]
    latency_ratio: float | None

    def record(self) -> dict[str, Any]:
        """Return the figures, fit for JSON: what is not a number there is null."""
        return {
            name: [_known(one) for one in value] if isinstance(value, tuple) else _known(value)
            for name, value in asdict(self).items()
        }

    def remarks(self) -> tuple[str, ...]:
        """Return what must be said of the figures."""
        if math.isfinite(self.ndcg_kept):
            return ()
        return (
            "the model that the recipe started with has NDCG@10 of 0 on the validation events, so that no share of it is kept",
        )


class Beside:
    """Models are held against the one that a recipe starts with, on the held-out events of its run directory."""

    def __init__(self, start: Model, folder: Path) -> None:
        """Take the start and its run directory; nothing is computed before it is asked for."""
        self._start = start
        self._folder = folder
        self._scratch = tempfile.TemporaryDirectory(prefix="edge-rec-")  # gone with this object

    def require(self) -> None:
        """Read what models will be held against.

        Raises:
            DataError: Held-out events are missing, damaged, or of other items.
        """
        for part in ("validation", "test"):
            HeldOutEvents.read(self._folder, part, self._start.catalogue)

    def effect(self, model: Model) -> Effect:
        """Measure a model of the same items.

        Raises:
            EdgeRecError: It cannot be converted, or gives scores that are not finite.
        """
        sizes = [value.size for value in model.weights().values()]
        filled = [int(np.count_nonzero(value)) for value in model.weights().values()]
        before, after = self._found, self._asked(model, "validation")
        gains = [ndcg_at_k(one.ranks) for one in (after, before)]
        kept, low, high = paired_ratio_interval(*gains)
        overlap = overlap_at_k(before.top, after.top)
        made, whole = self._whole
        part = self._bundle(model, self._prepared(model), "model.edgerec")
        part_bytes, whole_bytes = map(_model_bytes, (part, whole))
        ratio = latency_ratio(made, part, whole)
        return Effect(
            parameters=sum(sizes),
            nonzeros=sum(filled),
            model_bytes=part_bytes,
            bytes_ratio=part_bytes / whole_bytes,
            ndcg_at_10=float(gains[0].mean()),
            ndcg_kept=kept,
            ndcg_kept_ci=(low, high),
            overlap_at_10=float(overlap.mean()),
            overlap_at_10_ci=bootstrap_interval(overlap),
            latency_ratio=ratio,
        )

    def metrics(self, model: Model) -> dict[str, dict[str, object]]:
        """Return the quality on ``validation`` and ``test``, as training records it; the test is looked at only here."""
        items = len(model.catalogue)
        return {part: quality(self._asked(model, part), items=items).row() for part in ("validation", "test")}

    @cached_property
    def _found(self) -> HeldOut:
        return self._asked(self._start, "validation")

    @cached_property
    def _whole(self) -> tuple[Prepared, Path]:
        made = self._prepared(self._start)
        return made, self._bundle(self._start, made, "start.edgerec")

    def _asked(self, model: Model, part: str) -> HeldOut:
        return HeldOutEvents.read(self._folder, part, model.catalogue).ask(model)

    def _prepared(self, model: Model) -> Prepared:
        histories = HeldOutEvents.read(self._folder, "validation", model.catalogue).histories
        return prepare(model.source(), histories[:_TIMED], targets=(_TARGET,))

    def _bundle(self, model: Model, made: Prepared, name: str) -> Path:
        finished = next(iter(model.tables), "fp32") if isinstance(model, Network) else "fp32"
        path = Path(self._scratch.name) / name
        write_bundle(path, made.drafts(Order(target=_TARGET, precision=Precision(items=finished)))[0])
        return path


def _known(figure: float | None) -> float | None:
    return None if figure is None or not math.isfinite(figure) else figure


def _model_bytes(path: Path) -> int:
    with Bundle.open(path) as bundle:
        return bundle.manifest.model_bytes
