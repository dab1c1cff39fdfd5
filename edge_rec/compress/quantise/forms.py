"""What every form of quantisation can do, and what those that train have in common."""

from __future__ import annotations

__all__ = ["FittedTuning", "Form", "Tuning", "require_free_items", "require_table", "settled"]

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import torch
from torch import nn

from edge_rec.compress.options import check_dropout, check_number, check_whole
from edge_rec.compress.quantise.fitting import fit_to_queries
from edge_rec.compress.quantise.states import sampled_states
from edge_rec.compress.tuning import Tuned, tuned
from edge_rec.models import Network
from edge_rec.training import baked, holding
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec.compress.quantise.fitting import Scorer
    from edge_rec.compress.step import Given, Outcome
    from edge_rec.models import Model
    from edge_rec.training.plan import Plan

_N = TypeVar("_N", bound=Network)

_QUERIES = 250_000  # that item codes are fitted to


class Form(Protocol):
    """One way to quantise: a frozen dataclass whose fields are its options.

    Attributes:
        word: Its name in recipes.
        form: Its word in the table of what composes with what.
    """

    word: ClassVar[str]
    form: ClassVar[str]

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""

    def requires(self, model: Network) -> None:
        """Raise CompressionError if it cannot do anything with the model."""

    def run(self, model: Network, given: Given) -> Outcome:
        """Return a new model and what happened; ``model`` is left as it was."""

    def ensures(self, before: Network, after: Network) -> None:
        """Raise CompressionError if ``after`` is not on the grid that is promised."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a form trains; without epochs it rounds what is there.

    Attributes:
        epochs: Passes over the users with the rounding in place.
        learning_rate: At its highest.
        distil: Share of the loss, from 0 to 1, that asks for the outputs of the teacher; the rest asks for the log.
        dropout: Share of the activations that training hides; that of the model's own training unless given.
    """

    word: ClassVar[str]
    epochs: int = 0
    learning_rate: float = 5e-4
    distil: float = 0.5
    dropout: float | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        name = f"quantise:to={self.word}"
        check_whole(name, "epochs", self.epochs, least=0)
        check_number(name, "learning_rate", self.learning_rate, above=0)
        check_number(name, "distil", self.distil, least=0)
        if self.distil > 1:
            raise CompressionError(f"{name}: distil={self.distil!r}; expected a share from 0 to 1")
        check_dropout(name, self.dropout)

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return self.epochs > 0


@dataclass(frozen=True, kw_only=True)
class FittedTuning(Tuning):
    """Item codes that are fitted to the frozen encoder's queries before any training.

    Attributes:
        fit: Steps of the fit; without it and without epochs the log is not looked at.
        fit_rate: Its learning rate.
        fit_temperature: What the logits of table and codes are divided by; below 1 the top of the list counts for more.
    """

    fit: int = 300
    fit_rate: float = 5e-3
    fit_temperature: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        name = f"quantise:to={self.word}"
        check_whole(name, "fit", self.fit, least=0)
        check_number(name, "fit_rate", self.fit_rate, above=0)
        check_number(name, "fit_temperature", self.fit_temperature, above=0)

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return self.epochs > 0 or self.fit > 0

    def queries(self, model: Network, given: Given, *, narrow: bool) -> Tensor:
        """Return queries [n, width] float32 of the frozen encoder after events of the log.

        Args:
            model: The network.
            given: Of the step.
            narrow: Whether the device scans the factors of items, and so narrows the queries.
        """
        split = given.data(f"quantise:to={self.word} with fit above 0")
        found = sampled_states(model, split, most=_QUERIES, seed=given.seed, progress=given.progress)
        return found @ model.item_basis.detach().T if narrow else found

    def fitted(self, scorer: Scorer, queries: Tensor, table: NDArray[np.float32], given: Given) -> list[float]:
        """Fit a scorer in place, as the options say; arguments and result are those of `fit_to_queries`."""
        return fit_to_queries(
            scorer,
            queries,
            torch.from_numpy(table),
            steps=self.fit,
            learning_rate=self.fit_rate,
            temperature=self.fit_temperature,
            seed=given.seed,
            progress=given.progress,
        )


def settled(
    model: _N,
    given: Given,
    tuning: Tuning,
    held: Mapping[str, nn.Module] = MappingProxyType({}),
    *,
    teacher: Model,
    frozen: Sequence[str] = (),
    fed: Tensor | None = None,
    plan: Plan | None = None,
) -> Tuned[_N]:
    """Return the network with the values that it sees through the modules, after training where epochs are asked for.

    Args:
        model: The network.
        given: Of the step.
        tuning: How it trains.
        held: By the name of a parameter, the module that it is seen through.
        teacher: The model as the step got it.
        frozen: Patterns of parameters that do not move.
        fed: Of `finetune`.
        plan: Of `finetune`.
    """
    if not tuning.epochs:
        return Tuned(model=baked(model, holding(model, held)), record={"remarks": []})
    found = tuned(
        model,
        given,
        step=f"quantise:to={tuning.word}",
        teacher=teacher,
        epochs=tuning.epochs,
        learning_rate=tuning.learning_rate,
        distil=tuning.distil,
        dropout=tuning.dropout,
        held=held,
        frozen=frozen,
        fed=fed,
        plan=plan,
    )
    reached = {one["epoch"]: one["ndcg_at_10"] for one in found.record["epochs"] if "ndcg_at_10" in one}
    gained = {"ndcg_rounded": reached.get(0), "ndcg_trained": reached.get(found.record["best_epoch"])}
    return Tuned(model=found.model, record={**gained, **found.record})


def require_free_items(word: str, model: Network) -> None:
    """Refuse a model whose items have finished codes, or had some that it was trained to decode.

    Raises:
        CompressionError: It has some.
    """
    if model.item_decoder is not None and not model.tables:
        raise CompressionError(
            f"quantise:to={word}: {model.title} has a decoder of item codes that are gone; start from the model before it"
        )
    if model.tables:
        raise CompressionError(
            f"quantise:to={word}: the items of {model.title} have finished codes ({', '.join(model.tables)}) already; "
            "say items=false where only the network is to be rounded, or start from the model before those"
        )


def require_table(word: str, model: Network) -> None:
    """Refuse a model whose item vectors cannot be trained one by one.

    Raises:
        CompressionError: The network computes them.
    """
    table = getattr(model, "table", None)
    if not isinstance(table, nn.Parameter) or (model.structure.item_rank is None and model.item_vectors() is not table):
        raise CompressionError(
            f"quantise:to={word}: the item vectors of {model.title} are computed by the network and cannot be trained as codes; "
            "let `edge-rec convert` encode them"
        )
