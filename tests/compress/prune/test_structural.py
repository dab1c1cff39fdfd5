"""A network without some of its units computes what the whole one computes when those units say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec.compress.prune.groups import groups_of
from edge_rec.compress.prune.structural import shrunk
from edge_rec.models import GRU4Rec, GRU4RecOptions, SASRec, SASRecOptions
from edge_rec.models.structure import Structure
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import CompressionError

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(9)))


def drawn(**shape: object) -> SASRec:
    """Return a model whose every weight is drawn, biases and normalisations too."""
    model = SASRec(SASRecOptions(max_length=6, recency=0.4, **shape), CATALOGUE)  # type: ignore[arg-type]  # as a test says
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn(value.shape, generator=generator) * 0.2)
    return model.eval()


def queries(model: SASRec) -> torch.Tensor:
    """Return the queries of two histories through what is exported."""
    table = model.item_vectors().detach()
    rows, mask = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]]), torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    with torch.inference_mode():
        found: torch.Tensor = model.encoder(table[rows], mask)
    return found


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_the_smaller_network_computes_the_same(data: st.DataObject) -> None:
    """For any heads and neurons, taking them out equals zeroing the place where they speak, and can be repeated."""
    model = drawn(dims=8, heads=4, feed_forward=6)
    for _ in range(2):
        groups = groups_of(model, ("heads", "neurons"))
        kept = {}
        for group in groups:
            stays = data.draw(st.lists(st.booleans(), min_size=group.units, max_size=group.units).filter(any), label=group.name)
            kept[group.name] = np.array(stays)
        weights = dict(model.weights())
        for group in groups:
            name = group.silent.parameter
            weights[name] = weights[name] * group.silent.spread(kept[group.name], weights[name].shape)
        silenced, smaller = model.with_weights(weights), shrunk(model, kept)
        torch.testing.assert_close(queries(smaller), queries(silenced), rtol=1e-5, atol=1e-5)
        assert sum(one.size for one in smaller.weights().values()) <= sum(one.size for one in weights.values())
        again = SASRec.restore(smaller.describe(), smaller.weights(), CATALOGUE)
        assert torch.equal(queries(again), queries(smaller))
        model = smaller


def _entering(name: str, values: np.ndarray) -> np.ndarray:
    joins = ("positions", "output.weight", "output.bias", "contract.weight", "contract.bias")
    return values * 2**0.5 if name.endswith(joins) else values


def test_dimensions_that_are_copies_can_go() -> None:
    """Where the lost dimensions are copies of what is left, normalisation sees the same mean and spread, and nothing changes."""
    small = drawn(dims=4, heads=1, head_dims=4, feed_forward=6)
    twice = {}
    for name, values in small.weights().items():
        layer = name.split(".")[-2:][0]
        if layer in {"query", "key", "value", "expand"} and values.ndim == 2:
            twice[name] = np.concatenate([values, values], axis=1) / 2
        elif layer in {"table", "encoder"}:
            twice[name] = np.concatenate([values, values], axis=1)  # the table enters times the root of the width
        elif layer in {"output", "contract"} or "norm" in layer:
            twice[name] = np.concatenate([values, values], axis=0)
        else:
            twice[name] = values
    wide = {name: _entering(name, values).astype(np.float32) for name, values in twice.items()}
    large = SASRec.restore(small.describe() | {"dims": 8, "head_dims": 4}, wide, CATALOGUE)
    narrow = shrunk(large, {"dims": np.array([True] * 4 + [False] * 4)})
    assert narrow.options.dims == 4
    for name in ("query", "key", "value", "expand"):  # half of what each of these read is gone
        for block in range(2):
            layer = getattr(narrow.encoder.blocks[block], name)
            with torch.no_grad():
                layer.weight *= 2
    torch.testing.assert_close(queries(narrow), queries(large)[:, :4], rtol=1e-3, atol=1e-3)


def test_what_cannot_be_cut_is_refused() -> None:
    """Nothing left of a group, another model, and layers that are factors already."""
    model = drawn(dims=8, heads=2, feed_forward=6)
    with pytest.raises(CompressionError, match=r"nothing would be left of blocks\.0\.heads"):
        shrunk(model, {"blocks.0.heads": np.array([False, False])})
    gru = GRU4Rec(GRU4RecOptions(dims=4, max_length=3), CATALOGUE)
    with pytest.raises(CompressionError, match="units of gru4rec cannot be taken out whole"):
        groups_of(gru, ("neurons",))
    structure = Structure(ranks={"encoder.blocks.0.query": 2})
    weights = SASRec.built(model.describe() | {"structure": structure.describe()}, CATALOGUE).weights()
    with pytest.raises(CompressionError, match="comes before factorise"):
        groups_of(model.with_structure(structure, weights), ("heads",))
