"""Items as signs: any number of bits, and the directions that they stand for kept in the network."""

from __future__ import annotations

__all__ = ["BinaryItems"]

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch

from edge_rec.compress.options import check_whole, nearest
from edge_rec.compress.quantise.decoders import fit_decoder
from edge_rec.compress.quantise.finished import finish_items, require_finished
from edge_rec.compress.quantise.forms import FittedTuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.grids import Int8Items
from edge_rec.compress.quantise.rotation import in_axes, level_axes
from edge_rec.compress.quantise.signs import SignItems, SignScorer, start_of_signs
from edge_rec.compress.quantise.states import asked_of
from edge_rec.compress.step import Given
from edge_rec.compress.tuning import Tuned
from edge_rec.training import KeepLast
from edge_rec_converters.compensation import fit_int8
from edge_rec_runtime import BinaryTable
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from torch import Tensor

    from edge_rec.compress.step import Outcome
    from edge_rec.models import Network
    from edge_rec_runtime import Int8Table

_CORRECTIONS = ("none", "scale", "scale-bias")
_NAME = "quantise:to=binary-items"
_ALONE = 1  # epochs of signs that the encoder does not see yet; after a second one it is worse on validation
_DECODED = 1000  # steps of the fit of what the encoder sees of signs that stay
_WIDEST = 1 << 16  # as networks can have layers


@dataclass(frozen=True, kw_only=True)
class BinaryItems(FittedTuning):
    """Signs that are first fitted to the frozen encoder's queries, and then, with ``epochs``, trained together with it.

    Attributes:
        bits: Signs an item.
        correction: What an item has besides: ``none``, a ``scale`` (2 bytes), or ``scale-bias`` (4), which epochs do not see.
        rescore: Whether the signs only choose candidates: the encoder is fed from an int8 table, which scores them exactly
            (``items=binary,rescore=int8``), and is left as it is.
        decoder: Width of a hidden layer through which the encoder sees the signs, see `ItemDecoder`; unless given it sees them
            through the basis alone, while they move. With it they are trained first, for one epoch in which the encoder still
            sees the items as they were; then they stay, the layer is fitted to those items, and trained with the encoder for
            ``epochs`` more.
        rotate: With ``rescore``: whether items and queries are first rotated to axes along which eight bits lose least; the axes
            become part of the network, in float32.
    """

    word: ClassVar[str] = "binary-items"
    form: ClassVar[str] = "quantise:binary-items"
    distil: float = 0.2
    bits: int = 96
    correction: str = "none"
    decoder: int | None = None
    rescore: bool = False
    rotate: bool = False

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        check_whole(_NAME, "bits", self.bits)
        if self.correction not in _CORRECTIONS:
            raise CompressionError(
                f"{_NAME}: there is no correction={self.correction!r}; {nearest(str(self.correction), _CORRECTIONS)}"
            )
        if self.decoder is not None:
            check_whole(_NAME, "decoder", self.decoder)
            if self.decoder > _WIDEST:
                raise CompressionError(f"{_NAME}: decoder={self.decoder}; its hidden layer has at most {_WIDEST} values")
        for name in ("rescore", "rotate"):
            if not isinstance(getattr(self, name), bool):
                raise CompressionError(f"{_NAME}: {name}={getattr(self, name)!r}; expected true or false")
        if self.decoder is not None and (self.rescore or self.rotate):
            raise CompressionError(
                f"{_NAME}: rescore=true feeds the encoder with int8 items, not with signs; leave decoder={self.decoder} out"
            )
        if self.rotate and not (self.rescore and self.fit):
            raise CompressionError(
                f"{_NAME}: rotate=true is for items in eight bits and the queries of the fit; say rescore=true, and fit above 0"
            )
        if self.epochs and self.rescore:
            raise CompressionError(f"{_NAME}: with rescore=true the encoder sees int8 items and learns nothing; say epochs=0")
        if self.epochs and self.correction == "scale-bias":
            raise CompressionError(f"{_NAME}: epochs train without a bias; use correction=scale, or say epochs=0")

    def requires(self, model: Network) -> None:
        """Raise CompressionError if the items have codes, or cannot have any."""
        require_free_items(self.word, model)
        require_table(self.word, model)
        most = 8 * int(model.options.dims)
        if self.bits > most:
            raise CompressionError(f"{_NAME}: bits={self.bits}; {model.title} of {model.options.dims} dims takes at most {most}")

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model with signs for items."""
        return self._candidates(model, given) if self.rescore else self._trained(model, given)

    def _candidates(self, model: Network, given: Given) -> Outcome:
        """Return the model with int8 items, and signs that choose which of them are scored."""
        factors = model.structure.item_rank is not None  # the device then has the factors of items alone
        asked = self.queries(model, given, narrow=factors) if self.fit else None
        if self.rotate and asked is not None:
            axes = level_axes(model.table, asked, seed=given.seed, progress=given.progress)
            model, asked = in_axes(model, axes), asked @ torch.from_numpy(axes).T
        table = _exact_items(model, asked)
        seen = model.with_weights({"table": table.decode(np.arange(table.rows))})
        scorer, record = self._fitted(seen.table, asked, given)
        signs = BinaryTable.pack(scorer.signs(), scorer.scales(), scorer.biases(), scorer.projection())
        return finish_items(Tuned(model=seen, record=record), table, signs)

    def _trained(self, model: Network, given: Given) -> Outcome:
        """Return the model with signs in the place of its items, and directions of theirs in the network."""
        asked = self.queries(model, given, narrow=False) if self.fit else None
        scorer, record = self._fitted(model.item_vectors(), asked, given)
        structure = replace(
            model.structure,
            item_rank=self.bits,
            pruned=tuple(name for name in model.structure.pruned if name not in {"table", "item_basis"}),
        )
        # As large as the fit left them, about 1 and more: a sign changes when many steps agree, not at every other one.
        weights = {**model.weights(), "table": scorer.latents.detach().numpy(), "item_basis": scorer.projection()}
        narrow, signs = model.with_structure(structure, weights), SignItems(scorer.scales())
        if self.decoder is None:
            found = settled(narrow, given, self, {"table": signs}, teacher=model)
        else:
            found = self._apart(narrow, signs, model, given, hidden=self.decoder)
        values = found.model.weights()["table"]
        scales = None if self.correction == "none" else np.abs(values).max(axis=1)
        packed = BinaryTable.pack(values > 0, scales, scorer.biases())
        return finish_items(replace(found, record={**record, **found.record}), packed)

    def _apart(self, narrow: Network, signs: SignItems, model: Network, given: Given, *, hidden: int) -> Tuned[Network]:
        """Train the signs while the encoder sees the items as they were, then the encoder while the signs stay."""
        before = model.fed_vectors().detach()
        first, place = replace(self, epochs=_ALONE if self.epochs else 0), replace(given, folder=given.folder / "signs")
        learnt = settled(narrow, place, first, {"table": signs}, teacher=model, fed=before, plan=KeepLast())
        weights = learnt.model.weights()
        met = given.data(_NAME).train.items if self.needs_data else np.empty(0, np.int64)
        fitted, missed = fit_decoder(
            weights["table"],
            before.numpy(),
            hidden=hidden,
            counts=np.bincount(met, minlength=len(before)),
            steps=_DECODED,
            seed=given.seed,
            progress=given.progress,
        )
        structure = replace(learnt.model.structure, item_decoder=hidden)
        decoded = learnt.model.with_structure(structure, {**weights, **fitted})
        found = settled(decoded, given, self, teacher=model, frozen=("table",))
        record = {**missed, **found.record, "signs": learnt.record}
        remarks = [f"signs: {one}" for one in learnt.record["remarks"]] + found.record["remarks"]
        if self.epochs:
            record["ndcg_rounded"] = before_any = learnt.record["ndcg_rounded"]
            if record["ndcg_trained"] < before_any:
                remarks.append(
                    f"training left NDCG@10 {record['ndcg_trained']:.4f} of {before_any:.4f} on validation; give a learning_rate "
                    f"below {self.learning_rate:g}"
                )
        return replace(found, record={**record, "remarks": remarks})

    def outline(self, model: Network) -> Network:
        """Return the model in its form; which signs, axes and decoder do not matter."""
        if self.rotate:
            model = in_axes(model, np.eye(model.table.shape[1], dtype=np.float32))
        blind = replace(self, epochs=0, fit=0, rotate=False, decoder=None)
        nothing = Given(split=None, dataset="", catalogue=model.catalogue, seed=0, folder=Path())
        shaped = cast("Network", blind.run(model, nothing).model)
        if self.decoder is None:
            return shaped
        structure = replace(shaped.structure, item_decoder=self.decoder)
        drawn = type(shaped).built({**shaped.describe(), "structure": structure.describe()}, shaped.catalogue)
        return drawn.with_weights(shaped.weights()).with_tables(shaped.tables)

    def ensures(self, before: Network, after: Network) -> None:  # noqa: ARG002 - as the protocol has it
        """Raise CompressionError if the codes are not there, or are not what the encoder is fed with."""
        require_finished(after, "int8" if self.rescore else "binary")
        if self.rescore and "binary" not in after.tables:
            raise CompressionError(f"{_NAME}: the signs are missing; report this model")

    def _fitted(self, items: Tensor, asked: Tensor | None, given: Given) -> tuple[SignScorer, dict[str, Any]]:
        vectors = items.detach().numpy()
        scorer = SignScorer(
            start_of_signs(vectors, self.bits, seed=given.seed),
            scale=self.correction != "none",
            bias=self.correction == "scale-bias",
        )
        if asked is None:
            return scorer, {"fit_losses": []}
        losses = self.fitted(scorer, asked, vectors, given)
        return scorer, {"fit_losses": losses, "queries": len(asked)}


def _exact_items(model: Network, queries: Tensor | None) -> Int8Table:
    """Return the items in eight bits, what rounding does to the scores of queries [n, dims] kept small where there are some."""
    if queries is None:
        return Int8Items.table(model.table)
    return fit_int8(asked_of(model.weights()["table"], queries.numpy()))
