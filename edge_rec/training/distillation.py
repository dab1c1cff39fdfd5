"""What a student learns from a teacher, beside the events themselves.

Four forms, of which each step of training mixes one into the cross-entropy of the next item:

    knowledge   the teacher's probabilities as soft labels. Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural
                Network" (2015). At temperature 1 the student is to give each of the teacher's best items its probability, and
                all others together what is left; what it makes of them one by one is its own affair. At other temperatures
                the two are compared on the teacher's best items alone, and the loss is scaled by the temperature squared.
    ranking     the teacher's best items as further positives, by their place alone. Tang and Wang, "Ranking Distillation"
                (KDD 2018).
    model       regression of the teacher's scores of its best items. A constant added to all of them changes no
                recommendation, so both sides are taken without their mean.
    embedding   the cosines between item vectors: their geometry, whatever their widths.
"""

from __future__ import annotations

__all__ = ["FORMS", "Distillation", "DistilledLoss"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch.nn import functional

from edge_rec.training.guided import LogitTerm, ShareTerm, guided_cross_entropy
from edge_rec.training.losses import full_cross_entropy, logit_dtype
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Tensor

    from edge_rec.training.teachers import TeacherOutputs
    from edge_rec.training.windows import Window

Form = Literal["knowledge", "ranking", "model", "embedding"]
FORMS: tuple[Form, ...] = get_args(Form)

_FALL = 10.0  # places over which the weight of a rank falls to 1 / e
_SAMPLED = 512  # items whose cosines a step compares
_LEAST = 1e-6  # keeps 0 / 0 at 0 where the teacher's items are all at right angles


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """What the teacher says, and how much it counts.

    Attributes:
        teacher: Its outputs on the very log that the student learns from.
        weight: Share of the loss that is the teacher's, above 0 and at most 1; the events have the rest.
        temperature: What logits are divided by before they become probabilities; of ``knowledge`` alone.
        form: One of `FORMS`.
    """

    teacher: TeacherOutputs
    weight: float = 0.5
    temperature: float = 1.0
    form: Form = "knowledge"

    def __post_init__(self) -> None:
        """Refuse what nothing can be learnt from."""
        if self.form not in FORMS:
            raise TrainingError(f"distillation: form={self.form!r} is not known; use one of {', '.join(FORMS)}")
        for name, most in (("weight", 1.0), ("temperature", 100.0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value <= most:
                raise TrainingError(f"distillation: {name}={value!r} is not a number above 0 and up to {most:g}")
        if self.temperature != 1 and self.form != "knowledge":
            raise TrainingError(f"distillation: temperature={self.temperature!r} is of the form knowledge, not of {self.form}")
        if self.form == "embedding" and self.teacher.vectors is None:
            raise TrainingError("distillation: the teacher has no item vectors; use the form knowledge, ranking or model")

    def describe(self) -> dict[str, object]:
        """Return what it is, fit for JSON; the teacher by its fingerprint."""
        return {
            "teacher": self.teacher.fingerprint,
            "weight": self.weight,
            "temperature": self.temperature,
            "form": self.form,
        }


class DistilledLoss:
    """The cross-entropy of the next item, mixed with what a teacher says."""

    def __init__(self, distillation: Distillation) -> None:
        self._asked = distillation
        self._dtype = logit_dtype()
        vectors = distillation.teacher.vectors
        self._geometry = None if vectors is None else functional.normalize(torch.from_numpy(vectors), dim=1)

    def negatives(self, targets: Sequence[Tensor], rng: np.random.Generator) -> None:
        """Draw nothing: the loss sees the whole catalogue."""

    def whole_step(self, table: Tensor, rng: np.random.Generator) -> Tensor | None:
        """Return how far the cosines of some items are from the teacher's, which is 1 where all are 0."""
        if self._asked.form != "embedding" or self._geometry is None:
            return None
        rows = torch.from_numpy(rng.choice(len(table), size=min(_SAMPLED, len(table)), replace=False))
        others = 1 - torch.eye(len(rows))
        wanted = self._geometry[rows] @ self._geometry[rows].T * others
        own = functional.normalize(table[rows], dim=1)
        off = (own @ own.T) * others - wanted
        return self._asked.weight * off.square().sum() / wanted.square().sum().clamp_min(_LEAST)

    def of(self, states: Tensor, table: Tensor, part: Window, negatives: object) -> Tensor:  # noqa: ARG002 - it is the protocol's
        """Return the summed loss of the queries [events, dims] of a window."""
        if self._asked.form == "embedding":
            hard = full_cross_entropy(states, table, part.targets, dtype=self._dtype)
            return (1 - self._asked.weight) * hard
        term = self._term(part.positions)
        return guided_cross_entropy(states, table, part.targets, term, weight=self._asked.weight, dtype=self._dtype)

    def _term(self, positions: Tensor) -> ShareTerm | LogitTerm:
        asked = self._asked
        rows, logits, totals = asked.teacher.before(positions)
        if asked.form == "ranking":
            weights = torch.exp(-torch.arange(rows.shape[1]) / _FALL)
            return ShareTerm(rows=rows, wanted=(weights / weights.sum()).expand(rows.shape))
        if asked.form == "model":
            return LogitTerm(rows=rows, wanted=logits)
        if asked.temperature == 1:
            return ShareTerm(rows=rows, wanted=torch.exp(logits - totals[:, None]))
        return LogitTerm(rows=rows, wanted=logits, temperature=asked.temperature)
