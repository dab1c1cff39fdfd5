"""What each layer loses when it alone is thinned out or rounded, and which users and items pay when all are.

A mean over all users hides who loses: users with short histories, and events with unpopular items, are few of those that the
mean is made of. All figures are on validation events; nothing is trained on after a change, so they say where care is due, and
not what a recipe reaches.
"""

from __future__ import annotations

__all__ = ["GroupLoss", "LayerLoss", "Sensitivity", "group_losses", "sensitivity"]

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edge_rec.compress.changes import ALONE, WHOLE, Changer
from edge_rec.compress.groups import groups
from edge_rec.compress.heldout import HeldOutEvents
from edge_rec.metrics import HeldOut
from edge_rec.models import Network
from edge_rec_converters.metrics import ndcg_at_k, overlap_at_k, paired_ratio_interval
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec.compress.groups import Group
    from edge_rec.models import Model


@dataclass(frozen=True, kw_only=True)
class LayerLoss:
    """One layer changed, all others as they were.

    Attributes:
        layer: Name of the weight, or ``items``.
        values: How many it has.
        change: What was done to it.
        ndcg_at_10: On the validation events.
        ndcg_kept: Over that of the model as it is.
        ndcg_kept_ci: 95 % bootstrap interval over users, paired.
        overlap_at_10: Share of the model's first ten items that are kept.
    """

    layer: str
    values: int
    change: str
    ndcg_at_10: float
    ndcg_kept: float
    ndcg_kept_ci: tuple[float, float]
    overlap_at_10: float


@dataclass(frozen=True, kw_only=True)
class GroupLoss:
    """All layers changed, as one group of users sees it.

    Attributes:
        change: What was done.
        by: What users are grouped by; ``all`` for everybody.
        group: Which group.
        users: How many they are.
        ndcg_before: NDCG@10 of the model as it is.
        ndcg_at_10: After the change.
        ndcg_kept: Their ratio; NaN where the first is 0.
        ndcg_kept_ci: 95 % bootstrap interval over users, paired.
        overlap_at_10: Share of the model's first ten items that are kept.
        pays: Whether the group keeps less than everybody does, and surely so: its interval ends below their ratio.
    """

    change: str
    by: str
    group: str
    users: int
    ndcg_before: float
    ndcg_at_10: float
    ndcg_kept: float
    ndcg_kept_ci: tuple[float, float]
    overlap_at_10: float
    pays: bool


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What `sensitivity` found.

    Attributes:
        model: Its name.
        users: Users that the layers were judged by; the groups are of all.
        ndcg_at_10: Of the model as it is, for these users.
        layers: A row a layer and change.
        groups: A row a change and group, ``all`` first.
    """

    model: str
    users: int
    ndcg_at_10: float
    layers: tuple[LayerLoss, ...]
    groups: tuple[GroupLoss, ...]

    def record(self) -> dict[str, Any]:
        """Return everything, fit for JSON: what is not a number there is null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def sensitivity(
    model: Model,
    folder: Path,
    *,
    attributes: Mapping[str, Mapping[str, str]] | None = None,
    users: int = 2000,
    seed: int = 0,
    progress: Progress = silent,
) -> Sensitivity:
    """Change a model's layers one by one, then all at once.

    Args:
        model: A network with an item table.
        folder: Its run directory.
        attributes: For each attribute of the users its value by user id, to group them by.
        users: The layers are judged by a sample of so many, since each takes several passes over them.
        seed: Draws the sample.
        progress: Told about each change.

    Raises:
        CompressionError: The model has no layers that could be changed.
        DataError: The run directory's histories are missing or of another model.
    """
    if not isinstance(model, Network):
        raise CompressionError(
            f"{model.name} is no network with layers over an item table, so there is nothing to change one by one; "
            "`edge-rec convert` says what each precision costs it"
        )
    everybody = HeldOutEvents.read(folder, "validation", model.catalogue)
    changer = Changer(model, everybody.histories)
    few = everybody.sample(users, model.catalogue, seed=seed)
    asked = [(layer, change) for layer in changer.layers for change in ALONE if changer.possible(layer, change)]
    total = len(asked) + len(WHOLE) + 1
    progress(0, total, "as it is")
    before, layers = few.ask(model), []
    for done, (layer, change) in enumerate(asked, 1):
        progress(done, total, f"{layer}, {change}")
        layers.append(_layer(layer, changer.layers[layer], change, before, few.ask(changer.alone(layer, change))))
    found: list[GroupLoss] = []
    whole = before if few is everybody else everybody.ask(model)
    parts = groups(everybody, model.catalogue, attributes)
    for done, change in enumerate(WHOLE, len(asked) + 1):
        progress(done, total, f"all layers, {change}")
        after = everybody.ask(changer.whole(change))
        found += group_losses(change, parts, before=whole, after=after)
    progress(total, total, "done")
    return Sensitivity(
        model=model.name,
        users=len(few.histories),
        ndcg_at_10=float(ndcg_at_k(before.ranks).mean()),
        layers=tuple(layers),
        groups=tuple(found),
    )


def group_losses(change: str, parts: Sequence[Group], *, before: HeldOut, after: HeldOut) -> list[GroupLoss]:
    """Return what everybody loses, and what each group does.

    Args:
        change: What was done between the two.
        parts: The groups.
        before: What the model as it is makes of all users.
        after: What the changed one makes of them.
    """
    everybody = _group(change, "all", "all", before, after, than=None)
    found = [everybody]
    for part in parts:
        some = (_of(one, part.users) for one in (before, after))
        found.append(_group(change, part.by, part.name, *some, than=everybody.ndcg_kept))
    return found


def _layer(layer: str, values: int, change: str, before: HeldOut, after: HeldOut) -> LayerLoss:
    gains = ndcg_at_k(after.ranks)
    kept, low, high = paired_ratio_interval(gains, ndcg_at_k(before.ranks))
    return LayerLoss(
        layer=layer,
        values=values,
        change=change,
        ndcg_at_10=float(gains.mean()),
        ndcg_kept=kept,
        ndcg_kept_ci=(low, high),
        overlap_at_10=float(overlap_at_k(before.top, after.top).mean()),
    )


def _group(change: str, by: str, name: str, before: HeldOut, after: HeldOut, *, than: float | None) -> GroupLoss:
    first, then = ndcg_at_k(before.ranks), ndcg_at_k(after.ranks)
    kept, low, high = paired_ratio_interval(then, first)
    return GroupLoss(
        change=change,
        by=by,
        group=name,
        users=len(first),
        ndcg_before=float(first.mean()),
        ndcg_at_10=float(then.mean()),
        ndcg_kept=kept,
        ndcg_kept_ci=(low, high),
        overlap_at_10=float(overlap_at_k(before.top, after.top).mean()),
        pays=than is not None and high < than,
    )


def _of(found: HeldOut, users: NDArray[np.bool_]) -> HeldOut:
    return HeldOut(ranks=found.ranks[users], top=found.top[users])


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever dataclasses hold
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
