"""What stays of a network: the scores of a criterion, cut where the options say."""

from __future__ import annotations

__all__ = ["Choice", "Chooser"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edge_rec.compress.prune.criteria import CRITERIA, LearntGates, Subject, WeightChange
from edge_rec.compress.prune.groups import Group, groups_of
from edge_rec.compress.prune.parameters import prunable
from edge_rec.compress.prune.selection import blocks_of_four, row_masks, unit_masks, weight_masks
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.compress.prune.criteria import Criterion
    from edge_rec.compress.prune.evidence import Evidence
    from edge_rec.compress.prune.options import PruneOptions
    from edge_rec.models import Model


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What stays.

    Attributes:
        masks: By parameter, in its shape, which weights are not 0.
        units: By group, which units stay; empty where single weights go.
    """

    masks: Mapping[str, NDArray[np.bool_]]
    units: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def ratios(self) -> dict[str, float]:
        """Return the share that goes, of each group or parameter."""
        return {name: float(1 - kept.mean()) for name, kept in (self.units or self.masks).items()}


class Chooser:
    """Asks one criterion about one model, as often as it changes."""

    def __init__(self, model: Model, options: PruneOptions, *, evidence: Evidence | None, seed: int) -> None:
        """Take the model as it was given: what is 0 in it by an earlier pruning stays 0."""
        self._options = options
        self._evidence = evidence
        self._seed = seed
        self._criterion = _criterion(options)
        self._groups: list[Group] = groups_of(model, options.units) if options.structural else []
        before = model.weights()
        if self._groups:
            touched = [place.parameter for group in self._groups for place in group.places]
            self._names = tuple(name for name in dict.fromkeys(touched) if before[name].ndim >= 2)
        else:
            self._names = tuple(prunable(model, options.patterns))
        done = getattr(getattr(model, "structure", None), "pruned", ())
        self._gone = {name: before[name] == 0 for name in self._names if name in done}

    @property
    def held(self) -> tuple[str, ...]:
        """The parameters that have a mask."""
        return tuple(dict.fromkeys(group.silent.parameter for group in self._groups)) or self._names

    def choose(self, model: Model, values: Mapping[str, NDArray[np.float32]], *, sparsity: float) -> Choice:
        """Return what stays.

        Args:
            model: As it is now.
            values: Its weights, those that are pruned with the values that they would come back with.
            sparsity: Share that goes; not looked at where the options have a threshold, or two of four go.

        Raises:
            EdgeRecError: The criterion cannot judge this model, or nothing would be left of a group.
        """
        own = {name: values[name] for name in self._names}
        subject = Subject(model=model, values=own, evidence=self._evidence, seed=self._seed)
        if self._groups:
            return self._units(subject, sparsity)
        scores = {name: np.asarray(one, dtype=np.float32) for name, one in self._criterion.weights(subject).items()}
        for name, gone in self._gone.items():
            scores[name] = np.where(gone, -np.inf, scores[name]).astype(np.float32)
        return Choice(masks=self._masks(scores, sparsity))

    def _masks(self, scores: Mapping[str, NDArray[np.float32]], sparsity: float) -> dict[str, NDArray[np.bool_]]:
        if self._options.unit == "2:4":
            return blocks_of_four(scores)
        if self._options.unit == "rows":
            return row_masks(scores, sparsity=sparsity)
        if self._options.threshold is not None:
            return {name: one >= self._options.threshold for name, one in scores.items()}
        return weight_masks(scores, sparsity=sparsity, scope=self._options.scope)

    def _units(self, subject: Subject, sparsity: float) -> Choice:
        scores, limit = self._criterion.units(subject, self._groups), self._options.threshold
        kept: dict[str, NDArray[np.bool_]] = {}
        for kind in self._options.units:  # a neuron is not held against a head
            alike = {group.name: scores[group.name] for group in self._groups if group.kind == kind}
            if limit is None:
                kept |= unit_masks(alike, sparsity=sparsity, scope=self._options.scope)
            else:
                kept |= {name: one >= limit for name, one in alike.items()}
        for name, stays in kept.items():
            if not stays.any():
                raise CompressionError(
                    f"prune: threshold={limit} leaves nothing of {name}; give a lower one, at least one unit stays"
                )
        weights = subject.model.weights()
        masks = {
            group.silent.parameter: group.silent.spread(kept[group.name], weights[group.silent.parameter].shape)
            for group in self._groups
        }
        return Choice(masks=masks, units=kept)


def _criterion(options: PruneOptions) -> Criterion:
    if options.criterion == "weight-change":
        return WeightChange(least=options.direction == "least")
    if options.criterion == "l0":
        return LearntGates(penalty=options.penalty, epochs=options.gate_epochs)
    return CRITERIA[options.criterion]()
