"""How much the loss grows when a layer is thinned out alone, which also says how much of each layer may go.

Each layer is scanned over some shares. The lower convex hull of its curve gives every weight, by its rank of magnitude within
the layer, the loss that pruning costs at that place, per weight. Taking the lowest of these over all layers is what a Lagrange
multiplier would give: every layer is pruned up to the same cost.
"""

from __future__ import annotations

__all__ = ["Sensitivity", "marginal_costs"]

import hashlib
import json
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec.compress.prune.criteria.criterion import Subject, of_units
from edge_rec.compress.prune.selection import lowest
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.groups import Group

_SHARES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


class Sensitivity:
    """The loss of a scan, weights within a layer being ranked by magnitude.

    Scanned once, however often it is asked: while weights are pruned gradually, only their ranks change.
    """

    needs_data: ClassVar[bool] = True

    def __init__(self) -> None:
        self._curves: dict[str, list[float]] | None = None

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return the loss that each weight's going would cost."""

        def thinned(name: str, share: float) -> dict[str, NDArray[np.float32]]:
            values = subject.values[name]
            return {name: values * ~lowest(np.abs(values), round(share * values.size))}

        return self._costs(subject, {name: np.abs(values) for name, values in subject.values.items()}, thinned)

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return the loss that each unit's going would cost."""
        by_name, ranked = {group.name: group for group in groups}, of_units(subject.values, groups)
        weights = subject.model.weights()

        def thinned(name: str, share: float) -> dict[str, NDArray[np.float32]]:
            gone, changed = lowest(ranked[name], round(share * ranked[name].size)), {}
            places = by_name[name].places if by_name[name].kind == "dims" else (by_name[name].silent,)
            for place in places:
                values = weights[place.parameter]
                changed[place.parameter] = values * ~place.spread(gone, values.shape)
            return changed

        return self._costs(subject, ranked, thinned)

    def _costs(
        self,
        subject: Subject,
        ranked: Mapping[str, NDArray[np.float32]],
        thinned: Callable[[str, float], dict[str, NDArray[np.float32]]],
    ) -> dict[str, NDArray[np.float32]]:
        """Return what each entry costs; the curves are those of the model that was seen first."""
        if self._curves is None:
            self._curves = _scan(subject, list(ranked), thinned)
        return {name: marginal_costs(values, (0.0, *_SHARES), (0.0, *self._curves[name])) for name, values in ranked.items()}


def marginal_costs(ranked: NDArray[np.float32], shares: Sequence[float], losses: Sequence[float]) -> NDArray[np.float32]:
    """Return what each entry's going costs when all lower ones have gone before.

    Args:
        ranked: The order in which entries go, lowest first.
        shares: Ascending shares of the entries that were pruned, from 0 on.
        losses: What each share cost; 0 at share 0.
    """
    x, y = np.append(shares, 1.0), np.append(losses, 0.0)
    y[-1] = y[-2] + (y[-2] - y[-3]) / (x[-2] - x[-3]) * (x[-1] - x[-2]) if len(y) > 2 else y[-2]
    y = np.maximum.accumulate(np.maximum(y, 0))
    hull = [0]
    for point in range(1, len(x)):
        while len(hull) > 1 and _slope(x, y, hull[-2], hull[-1]) >= _slope(x, y, hull[-1], point):
            hull.pop()
        hull.append(point)
    slopes = np.array([_slope(x, y, first, second) for first, second in pairwise(hull)])
    middles = [0.0, *((x[first] + x[second]) / 2 for first, second in pairwise(hull))]
    place = np.empty(ranked.size)
    place[np.argsort(ranked.ravel(), kind="stable")] = (np.arange(ranked.size) + 0.5) / ranked.size
    rising = np.interp(place, middles, [0.0, *slopes]) + 1e-9 * place  # so that no two entries of a layer cost the same
    costs: NDArray[np.float32] = (rising / ranked.size).astype(np.float32).reshape(ranked.shape)
    return costs


def _slope(x: NDArray[np.float64], y: NDArray[np.float64], first: int, second: int) -> float:
    return float((y[second] - y[first]) / (x[second] - x[first]))


def _scan(
    subject: Subject, names: list[str], thinned: Callable[[str, float], dict[str, NDArray[np.float32]]]
) -> dict[str, list[float]]:
    """Return for each layer what each of the shares adds to the loss; kept in the folder, and taken from there."""
    model, evidence = subject.seen("sensitivity")
    weights = model.weights()
    digest = hashlib.sha256(json.dumps([names, _SHARES, evidence.users, evidence.seed]).encode())
    for values in (*weights.values(), evidence.split.train.items):
        digest.update(np.ascontiguousarray(values).data)
    path = None if evidence.folder is None else evidence.folder / "sensitivity.json"
    if path is not None and path.exists():
        stored = json.loads(path.read_bytes())
        if stored.get("of") == digest.hexdigest():
            return dict(stored["losses"])
    whole, curves = evidence.loss(model), {}
    for number, name in enumerate(names):
        evidence.progress(number, len(names), f"scan of {name}")
        curves[name] = [evidence.loss(model.with_weights(weights | thinned(name, share))) - whole for share in _SHARES]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"of": digest.hexdigest(), "shares": _SHARES, "loss": whole, "losses": curves})
        replace_file(path, lambda stream: stream.writelines([text.encode()]))
    return curves
