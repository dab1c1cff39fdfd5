"""The step that prunes: what goes is chosen by a criterion, and a fine-tune heals what is left."""

from __future__ import annotations

__all__ = ["Prune"]

from dataclasses import asdict, dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edge_rec.compress.prune.budget import share_for_bytes
from edge_rec.compress.prune.choice import Choice, Chooser
from edge_rec.compress.prune.computed import fewer_factors, fewer_neighbours
from edge_rec.compress.prune.criteria import CRITERIA
from edge_rec.compress.prune.evidence import Evidence
from edge_rec.compress.prune.gradual import Gradual, Thinned
from edge_rec.compress.prune.groups import groups_of
from edge_rec.compress.prune.options import PruneOptions
from edge_rec.compress.prune.parameters import prunable, zero_share
from edge_rec.compress.prune.promise import require_pruned
from edge_rec.compress.prune.selection import unit_masks
from edge_rec.compress.prune.structural import shrunk
from edge_rec.compress.step import Outcome
from edge_rec.compress.tuning import Tuned, tuned, validation_ndcg
from edge_rec.models import EASE, ItemItem, MatrixFactorisation, SASRec
from edge_rec.models.network import Network
from edge_rec.training import baked
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import nn

    from edge_rec.compress.step import Given
    from edge_rec.models import Model
    from edge_rec.training.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Prune(PruneOptions):
    """Weights become zero, or units are taken out; see `PruneOptions` for what can be asked."""

    kind: ClassVar[str] = "prune"

    @property
    def form(self) -> str:
        """Its word in the table of what composes with what."""
        if self.structural or self.unit == "factors":
            return "prune:structured"
        return "prune:2:4" if self.unit == "2:4" else "prune:weights"

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return self.tuned > 0 or CRITERIA[self.criterion].needs_data

    def requires(self, model: Model) -> None:
        """Raise CompressionError if the model has no such units or weights, or cannot be trained on."""
        if self.unit == "neighbours":
            if not isinstance(model, EASE | ItemItem):
                raise CompressionError(
                    f"prune: unit=neighbours is for ease and item-item, and this is {model.name}; use unit=weights"
                )
        elif self.unit == "factors":
            if not isinstance(model, MatrixFactorisation):
                raise CompressionError(f"prune: unit=factors is for mf, and this is {model.name}; use unit=dims for sasrec")
        elif isinstance(model, EASE | ItemItem):
            raise CompressionError(f"prune: {model.name} is a table of neighbours; use unit=neighbours")
        elif not isinstance(model, Network) and self.needs_data:
            raise CompressionError(
                f"prune: {model.name} is not trained step by step on histories, so nothing can be judged by data or fine-tuned; "
                "use criterion=magnitude and epochs=0"
            )
        elif self.structural:
            groups_of(model, self.units)
        else:
            self._check_matrices(model)

    def outline(self, model: Model, given: Given) -> Model | None:  # noqa: ARG002 - as the protocol has it
        """Return the model with fewer units; None where it depends on the weights which layer loses how many.

        Weights that are 0 change no form, nor do fewer neighbours and factors of models that take no other step.
        """
        if not self.structural or not isinstance(model, SASRec):
            return model
        groups = groups_of(model, self.units)
        if self.sparsity is None or (self.scope != "layer" and len(groups) > len(self.units)):
            return None
        kept: dict[str, NDArray[np.bool_]] = {}
        for kind in self.units:
            alike = {group.name: np.zeros(group.units, np.float32) for group in groups if group.kind == kind}
            kept |= unit_masks(alike, sparsity=self.sparsity, scope=self.scope)
        return shrunk(model, kept)

    def run(self, model: Model, given: Given) -> Outcome:
        """Return the pruned model, fine-tuned where epochs are given, and what went where."""
        self.requires(model)
        if isinstance(model, EASE | ItemItem):
            found: Model = fewer_neighbours(model, self, seed=given.seed)
            return Outcome(model=found, record={"weights": len(model.values), "weights_left": len(found.weights()["values"])})
        if self.unit == "factors" and isinstance(model, MatrixFactorisation):
            narrow = fewer_factors(model, self, seed=given.seed)
            return Outcome(model=narrow, record={"factors": model.options.dims, "factors_left": narrow.options.dims})
        chooser = Chooser(model, self, evidence=self._evidence(given), seed=given.seed)
        share = self._share(model)
        if self.schedule == "iterative" and isinstance(model, Network):
            return self._gradually(model, chooser, given, share)
        choice = chooser.choose(model, model.weights(), sparsity=share)
        pruned = _pruned(model, choice)
        record: dict[str, Any] = {"ratios": choice.ratios()}
        if self.tuned and isinstance(pruned, Network):
            healing = self._healed(pruned, given, teacher=model)
            pruned, record = healing.model, record | dict(healing.record)
        return Outcome(model=pruned, record=record | _count(model, pruned))

    def ensures(self, before: Model, after: Model) -> None:
        """Raise CompressionError if less is gone than was asked for, other weights than that, or a budget is not kept."""
        require_pruned(self, before, after)

    def _evidence(self, given: Given) -> Evidence | None:
        if not CRITERIA[self.criterion].needs_data:
            return None
        return Evidence(
            split=given.data(f"prune: criterion={self.criterion}"),
            seed=given.seed,
            users=self.users,
            initial_seed=given.seed if self.initial_seed is None else self.initial_seed,
            dataset=given.dataset,
            folder=given.folder,
            progress=given.progress,
        )

    def _share(self, model: Model) -> float:
        condition = self.condition
        if self.unit == "2:4" or self.threshold is not None:
            return 0.5
        if condition is not None and condition.name == "bytes":
            matrices = prunable(model, self.patterns)
            loose = len(matrices) if self.scope == "layer" else 0
            if self.unit == "rows":
                loose = matrices["table"].shape[1]
            return share_for_bytes(model, tuple(matrices), int(condition.limit), loose=-(-loose // 2))
        return 0.95 if self.sparsity is None else self.sparsity

    def _gradually(self, model: Network, chooser: Chooser, given: Given, share: float) -> Outcome:
        split, condition, weights = given.data("prune: schedule=iterative"), self.condition, model.weights()
        least = None
        if condition is not None and condition.name == "ndcg_loss":
            least = (1 - condition.limit) * validation_ndcg(model, split)
        held = {name: Thinned(weights[name].shape) for name in chooser.held}

        def choose(seen: Network, free: Mapping[str, NDArray[np.float32]], level: float) -> Mapping[str, NDArray[np.bool_]]:
            return chooser.choose(seen, weights | dict(free), sparsity=level).masks

        chooser.choose(model, weights, sparsity=share)  # what is found out once is found out on the starting model
        plan = Gradual(
            chooser.held,
            choose,
            partial(baked, model),
            start=0.0 if self.structural else zero_share({name: weights[name] for name in chooser.held}),
            target=share,
            least_ndcg=least,
            options={**asdict(self), "seed": given.seed},
        )
        healing = self._healed(model, given, teacher=model, held=held, plan=plan)
        record = dict(healing.record)
        if least is not None and not record["best_epoch"]:
            record["remarks"].append(f"no epoch with pruned weights met {self.until}; the model is as it came")
        elif not record["best_epoch"]:
            raise CompressionError(
                f"prune: no epoch was trained with all of {self.unit} gone; give more epochs than {self.tuned}, or a lower "
                f"learning_rate than {self.learning_rate:g}"
            )
        after = healing.model.weights()
        masks = {name: after[name] != 0 for name in chooser.held}
        if self.structural:
            units = {
                group.name: group.silent.sums(masks[group.silent.parameter].astype(np.float32)) > 0
                for group in groups_of(model, self.units)
            }
            choice = Choice(masks=masks, units=units)
        else:
            choice = Choice(masks=masks)
        pruned = _pruned(healing.model, choice)
        return Outcome(model=pruned, record={"ratios": choice.ratios(), **record, **_count(model, pruned)})

    def _healed(
        self,
        model: Network,
        given: Given,
        *,
        teacher: Model,
        held: Mapping[str, nn.Module] = MappingProxyType({}),
        plan: Plan | None = None,
    ) -> Tuned[Network]:
        return tuned(
            model,
            given,
            step="prune",
            teacher=teacher,
            epochs=self.tuned,
            learning_rate=self.learning_rate,
            distil=self.distil,
            dropout=self.dropout,
            held=held,
            plan=plan,
        )

    def _check_matrices(self, model: Model) -> None:
        matrices = prunable(model, self.patterns)
        for name, values in matrices.items():
            if self.unit == "2:4" and values.shape[-1] % 4:
                raise CompressionError(
                    f"prune: unit=2:4 takes blocks of four, and {name} is {values.shape[-1]} wide; use unit=weights, or leave it "
                    "out with parameters="
                )
        coded = isinstance(model, Network) and model.tables
        if coded and "table" in matrices:
            raise CompressionError(
                "prune: the items have finished codes, which would no longer be theirs; use parameters=encoder.*"
            )


def _pruned(model: Model, choice: Choice) -> Model:
    if choice.units and isinstance(model, SASRec):
        return shrunk(model, choice.units)
    weights = model.weights()
    thin = weights | {name: np.where(mask, weights[name], 0).astype(np.float32) for name, mask in choice.masks.items()}
    if not isinstance(model, Network):
        return type(model).restore(model.describe(), thin, model.catalogue)
    pruned = tuple(dict.fromkeys([*model.structure.pruned, *(name for name, mask in choice.masks.items() if not mask.all())]))
    return model.with_structure(replace(model.structure, pruned=pruned), thin)


def _count(before: Model, after: Model) -> dict[str, int]:
    def counts(model: Model) -> tuple[int, int]:
        values = model.weights().values()
        return sum(one.size for one in values), sum(int(np.count_nonzero(one)) for one in values)

    (had, _), (has, nonzero) = counts(before), counts(after)
    return {"parameters_before": had, "parameters": has, "nonzero": nonzero}
