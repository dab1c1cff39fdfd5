"""What can be asked of a pruning step, and what is refused before any work."""

from __future__ import annotations

__all__ = ["SCHEDULES", "UNITS", "PruneOptions", "Until"]

import re
from dataclasses import dataclass, fields

from edge_rec.compress.options import check_dropout, check_number, check_whole, nearest, require_one
from edge_rec.compress.prune.criteria import CRITERIA
from edge_rec.compress.prune.groups import STRUCTURAL
from edge_rec.compress.prune.selection import SCOPES
from edge_rec_runtime.errors import CompressionError

UNITS = ("weights", "2:4", "rows", "neighbours", "factors", *STRUCTURAL)
SCHEDULES = ("one-shot", "iterative")
_UNTIL = re.compile(r"(ndcg_loss|bytes)\s*=\s*([0-9.]+)")
_CLOSED_FORM = ("neighbours", "factors")  # of models without steps of training


@dataclass(frozen=True)
class Until:
    """A condition: ``ndcg_loss`` is a share of NDCG@10 on validation, ``bytes`` those of all weights in float32."""

    name: str
    limit: float

    @classmethod
    def parse(cls, text: object) -> Until:
        """Read ``ndcg_loss=0.02`` or ``bytes=600000``.

        Raises:
            CompressionError: It is neither.
        """
        found = _UNTIL.fullmatch(text.strip()) if isinstance(text, str) else None
        try:
            limit = float(found[2]) if found else -1.0
        except ValueError:
            limit = -1.0
        if not found or limit < 0 or (found[1] == "ndcg_loss" and limit >= 1):
            raise CompressionError(f"prune: until={text!r} is no condition; write ndcg_loss=0.02 (a share) or bytes=600000")
        return cls(found[1], limit)


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """The options of `Prune`; exactly one of ``sparsity``, ``threshold`` and ``until`` says how much goes.

    Attributes:
        criterion: One of `CRITERIA`: what says which weights matter.
        unit: What goes: single ``weights``, two of every four (``2:4``), ``rows`` of the item table, ``neurons``, ``heads`` and
            ``dims`` (several joined by +), ``neighbours`` of EASE and item-item, ``factors`` of MF.
        sparsity: Share of the weights, or of the units, that goes. With ``until=ndcg_loss`` the share that is headed for.
        threshold: What scores less goes, whatever share that is.
        until: Pruning goes on until a condition fails (``ndcg_loss=0.02``; the last model that met it is returned) or holds
            (``bytes=600000``).
        schedule: ``one-shot``: prune, then fine-tune. ``iterative``: prune a little every few steps of the fine-tuning; what
            matters again comes back.
        scope: For single weights and units: ``global`` compares all layers, ``layer`` takes the same share of each, ``lamp``
            compares weights by their share of their layer.
        parameters: Patterns of the names of matrices, separated by spaces.
        direction: Of ``criterion=weight-change``: whether the ``most`` or the ``least`` changed weights stay.
        initial_seed: Of ``criterion=weight-change``: the seed that the model was trained with; the recipe's unless given.
        penalty: Of ``criterion=l0``: what it would cost if all gates were open, in units of the loss; None for 30 with single
            weights, of which each matters little, and 1 with units.
        gate_epochs: Of ``criterion=l0``: how long gates are trained.
        users: Whose histories a criterion looks at.
        epochs: Of fine-tuning; None for 5 where there are data and steps of training, else 0.
        learning_rate: Of fine-tuning, at its highest.
        distil: Share of the loss of fine-tuning that asks for the outputs of the teacher, which is the starting model unless
            another is given; the rest asks for the log.
        dropout: Share of the activations that fine-tuning (not the training of gates) hides; that of the model's own training
            unless given.
    """

    criterion: str = "magnitude"
    unit: str = "weights"
    sparsity: float | None = None
    threshold: float | None = None
    until: str | None = None
    schedule: str = "one-shot"
    scope: str = "global"
    parameters: str = "*"
    direction: str = "most"
    initial_seed: int | None = None
    penalty: float | None = None
    gate_epochs: int = 4
    users: int = 256
    epochs: int | None = None
    learning_rate: float = 5e-4
    distil: float = 0.5
    dropout: float | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        self._check_words()
        self._check_numbers()
        self._check_together()
        self._check_used()

    @property
    def units(self) -> tuple[str, ...]:
        """The kinds of units that go."""
        return tuple(self.unit.split("+"))

    @property
    def patterns(self) -> str:
        """Patterns of the names of the matrices that single weights, blocks or rows go from."""
        return "table" if self.unit == "rows" else self.parameters

    @property
    def structural(self) -> bool:
        """Whether the units are taken out of the network whole."""
        return set(self.units) <= set(STRUCTURAL)

    @property
    def tuned(self) -> int:
        """Epochs of fine-tuning."""
        return (0 if self.unit in _CLOSED_FORM else 5) if self.epochs is None else self.epochs

    @property
    def condition(self) -> Until | None:
        """The condition, if there is one."""
        return None if self.until is None else Until.parse(self.until)

    def _check_words(self) -> None:
        known: dict[str, tuple[str, ...]] = {
            "criterion": tuple(CRITERIA),
            "schedule": SCHEDULES,
            "scope": SCOPES,
            "direction": ("most", "least"),
        }
        for name, words in known.items():
            if getattr(self, name) not in words:
                raise CompressionError(
                    f"prune: {name}={getattr(self, name)!r} is not known; {nearest(str(getattr(self, name)), words)}"
                )
        if not isinstance(self.unit, str) or (unknown := [one for one in self.units if one not in UNITS]):
            word = str(self.unit) if not isinstance(self.unit, str) else unknown[0]
            raise CompressionError(f"prune: unit={word!r} is not known; {nearest(word, UNITS)}")
        if len(set(self.units)) < len(self.units) or (len(self.units) > 1 and not self.structural):
            raise CompressionError(
                f"prune: unit={self.unit!r} does not go together; only {', '.join(STRUCTURAL)} are joined, each once"
            )
        if not isinstance(self.parameters, str) or not self.parameters.split():
            raise CompressionError(f"prune: parameters={self.parameters!r}; expected patterns of names, like 'table encoder.*'")

    def _check_numbers(self) -> None:
        if self.sparsity is not None:
            check_number("prune", "sparsity", self.sparsity, above=0, below=1)
        if self.threshold is not None:
            check_number("prune", "threshold", self.threshold, least=0)
        if self.initial_seed is not None:
            check_whole("prune", "initial_seed", self.initial_seed, least=0)
        if self.epochs is not None:
            check_whole("prune", "epochs", self.epochs, least=0)
        for name in ("users", "gate_epochs"):
            check_whole("prune", name, getattr(self, name))
        check_number("prune", "learning_rate", self.learning_rate, above=0)
        if self.penalty is not None:
            check_number("prune", "penalty", self.penalty, above=0)
        check_number("prune", "distil", self.distil, least=0)
        if self.distil > 1:
            raise CompressionError(f"prune: distil={self.distil!r}; expected a share of the loss from 0 to 1")
        check_dropout("prune", self.dropout)

    def _check_together(self) -> None:
        condition = self.condition
        if self.unit == "2:4":
            if self.sparsity not in {None, 0.5} or self.threshold is not None or condition is not None:
                raise CompressionError("prune: unit=2:4 takes two of every four, which is sparsity=0.5; leave the share out")
        elif condition is None or condition.name == "bytes":
            require_one("prune", sparsity=self.sparsity, threshold=self.threshold, until=self.until)
        elif self.threshold is not None:
            raise CompressionError("prune: until=ndcg_loss goes with sparsity, the share that is headed for, not with threshold")
        if condition is not None and self.unit not in {"weights", "rows"}:
            raise CompressionError(f"prune: until={self.until!r} is for unit=weights and unit=rows, not for unit={self.unit}")
        if condition is not None and condition.name == "ndcg_loss" and (self.schedule == "one-shot" or not self.tuned):
            raise CompressionError("prune: until=ndcg_loss watches a fine-tuning; give schedule=iterative and epochs")
        if self.schedule == "iterative" and (self.unit in _CLOSED_FORM or not self.tuned or self.threshold is not None):
            raise CompressionError(
                "prune: schedule=iterative prunes while a network is fine-tuned, up to a share; it needs epochs above 0, no "
                f"threshold, and units of a network, not {self.unit}"
            )
        if self.schedule == "iterative" and "dims" in self.units:
            raise CompressionError(
                "prune: unit=dims goes at once, since normalisation counts dimensions that are 0; use schedule=one-shot for it"
            )
        if self.unit in _CLOSED_FORM and (self.epochs or self.criterion not in {"magnitude", "random"}):
            raise CompressionError(
                f"prune: unit={self.unit} is of models that are computed, not trained step by step; use criterion=magnitude or "
                "random, and epochs=0"
            )

    def _check_used(self) -> None:
        """Refuse options that would do nothing, as far as they differ from what they are unless given."""
        layered = (self.unit in {"weights", "neighbours"} or self.structural) and self.scope != "lamp"
        used = {
            "direction": (self.criterion == "weight-change", "criterion=weight-change"),
            "initial_seed": (self.criterion == "weight-change", "criterion=weight-change"),
            "penalty": (self.criterion == "l0", "criterion=l0"),
            "gate_epochs": (self.criterion == "l0", "criterion=l0"),
            "parameters": (self.unit in {"weights", "2:4"}, "unit=weights and unit=2:4"),
            "scope": (self.unit == "weights" or layered, "units of several layers, and lamp of unit=weights alone"),
            "learning_rate": (self.tuned > 0, "a fine-tuning, so give epochs"),
            "distil": (self.tuned > 0, "a fine-tuning, so give epochs"),
            "dropout": (self.tuned > 0, "a fine-tuning, so give epochs"),
        }
        for option in fields(self):
            means, where = used.get(option.name, (True, ""))
            if not means and getattr(self, option.name) != option.default:
                raise CompressionError(
                    f"prune: {option.name}={getattr(self, option.name)!r} does nothing here, it is for {where}; leave it out"
                )
