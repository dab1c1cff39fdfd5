"""Factorised models answer as the products of their factors do: in training, at the door, on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from edge_rec.compress import Given, parse_step
from edge_rec.models import GRU4Rec, GRU4RecOptions, LowRankLinear, Popularity, SASRec, TwoTower, TwoTowerOptions
from edge_rec.training import prepared
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset
    from edge_rec.models import Model, Network

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(30)))


def _given(folder: Path, model: Model, dataset: Dataset | None = None) -> Given:
    split = None if dataset is None else prepared(dataset, core=1)[0]
    return Given(split=split, dataset="walks", catalogue=model.catalogue, seed=0, folder=folder)


def _done(text: str, model: Network, folder: Path, dataset: Dataset | None = None) -> Network:
    step = parse_step(text)
    step.requires(model)
    found = step.run(model, _given(folder, model, dataset)).model
    step.ensures(model, found)
    return found  # type: ignore[return-value]  # a network stays one


@torch.inference_mode()
def _queries(model: Network, vectors: torch.Tensor) -> torch.Tensor:
    return model.eval().states(vectors)


def test_layers_at_full_rank_compute_the_same(model: SASRec, tmp_path: Path) -> None:
    """Only the rank changes answers: where the factors hold all of a layer, the states are those of before."""
    weights = model.weights()
    weights["encoder.blocks.0.expand.weight"] = np.outer(np.arange(32), np.ones(16)).astype(np.float32) / 50
    flat = model.with_weights(weights)
    found = _done("factorise:layers=encoder.blocks.0.expand,rank=1", flat, tmp_path)
    vectors = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(_queries(found, vectors), _queries(flat, vectors), rtol=1e-5, atol=1e-5)
    assert isinstance(found.get_submodule("encoder.blocks.0.expand"), LowRankLinear)


def test_layers_compute_with_their_nearest_factors(model: SASRec, tmp_path: Path) -> None:
    """The states are those of a network whose weights are the truncated SVD that numpy finds; the model given is as it was."""
    before = {name: value.copy() for name, value in model.weights().items()}
    found = _done("factorise:layers=encoder.blocks.*,rank=5", model, tmp_path)
    products = dict(before)
    for name in found.structure.ranks:
        left, values, right = np.linalg.svd(before[f"{name}.weight"], full_matrices=False)
        products[f"{name}.weight"] = ((left[:, :5] * values[:5]) @ right[:5]).astype(np.float32)
    vectors = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(_queries(found, vectors), _queries(model.with_weights(products), vectors), rtol=1e-4, atol=1e-4)
    assert len(found.structure.ranks) == 12
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("kind", ["sasrec", "gru4rec"])
def test_narrow_items_score_alike_at_the_door(kind: str, model: SASRec, tmp_path: Path) -> None:
    """What the door gives, [items, rank] vectors and a wrapped encoder, scores every item as the widened table does."""
    gru = GRU4Rec(GRU4RecOptions(dims=16, hidden=8, max_length=8), CATALOGUE, seed=1)
    found = _done("factorise:items=true,rank=4", model if kind == "sasrec" else gru, tmp_path)
    source, rows = found.source(), torch.tensor([[3, 7, 1, 0], [5, 2, 9, 4]])
    assert source.item_table.shape == (30, 4)
    table = torch.from_numpy(source.item_table)
    with torch.inference_mode():
        asked = source.encoder(table[rows], torch.ones(2, 4)) @ table.T  # type: ignore[operator]  # a module
        wide = found.item_vectors()
        wanted = found.states(wide[rows])[:, -1] @ wide.T
    torch.testing.assert_close(asked, wanted, rtol=1e-4, atol=1e-5)


def test_a_table_is_factorised_again_to_a_lower_rank(model: SASRec, tmp_path: Path) -> None:
    """It is the product that is looked at, so that going by way of 8 costs nothing where 4 follows."""
    once = _done("factorise:items=true,rank=4", model, tmp_path)
    twice = _done("factorise:items=true,rank=4", _done("factorise:items=true,rank=8", model, tmp_path), tmp_path)
    torch.testing.assert_close(twice.item_vectors(), once.item_vectors(), rtol=1e-4, atol=1e-5)


def test_a_share_is_a_rank_of_each_matrix(model: SASRec, tmp_path: Path) -> None:
    """Half of the width is what that rank gives, of whatever width a model has."""
    width = model.item_vectors().shape[1]
    halved, ranked = (_done(f"factorise:items=true,{how}", model, tmp_path) for how in ("share=0.5", f"rank={width // 2}"))
    assert torch.equal(halved.item_vectors(), ranked.item_vectors())


def test_items_that_are_met_more_count_more(model: SASRec, log: Dataset, tmp_path: Path) -> None:
    """Weighted factors are nearer to the vectors of events, plain ones to the table."""
    met = np.bincount(prepared(log, core=1)[0].train.items, minlength=30)
    errors = {}
    for word in ("false", "true"):
        found = _done(f"factorise:items=true,rank=4,weighted={word}", model, tmp_path, log)
        errors[word] = ((found.item_vectors() - model.item_vectors()) ** 2).sum(dim=1).detach().numpy()
    assert errors["true"] @ met < errors["false"] @ met
    assert errors["true"].sum() > errors["false"].sum()


def test_layers_that_would_grow_are_left_and_named(model: SASRec, tmp_path: Path) -> None:
    """At rank 10 the 16 x 16 layers would have 320 weights for 256; those of 32 x 16 have 480 for 512."""
    step = parse_step("factorise:layers=encoder.blocks.*,rank=10")
    outcome = step.run(model, _given(tmp_path, model))
    assert sorted(outcome.record["ranks"]) == [
        f"encoder.blocks.{block}.{name}" for block in (0, 1) for name in ("contract", "expand")
    ]
    assert "left whole, since factors would be larger: encoder.blocks.0.query" in outcome.record["remarks"][0]


def test_training_goes_on_and_is_taken_up_again(model: SASRec, log: Dataset, tmp_path: Path) -> None:
    """Epochs move the factors, the record has them, and the same step on the same folder gives the same weights."""
    text = "factorise:items=true,rank=4,epochs=2,learning_rate=0.01,distil=0.5"
    folders = [tmp_path / "one", tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    outcomes = [parse_step(text).run(model, _given(folder, model, log)) for folder in folders]
    assert [one["epoch"] for one in outcomes[0].record["epochs"]] == [0, 1, 2]
    for other in outcomes[1:]:
        for name, value in outcomes[0].model.weights().items():
            np.testing.assert_array_equal(value, other.model.weights()[name])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("factorise:items=true,rank=17", "rank=17 is above what the item table can have; it is 30 x 16"),
        ("factorise:layers=encoder.blocks.0.*,rank=17", "rank=17 is above what encoder.blocks.0.query can have"),
        ("factorise:items=true,rank=16", "no fewer weights than its 480"),
        ("factorise:layers=*.query,rank=8", "no layer of '*.query' has fewer weights"),
        ("factorise:items=true,rank=4,dropout=0.1", "dropout=0.1 does nothing with epochs=0"),
        ("factorise:layers=decoder.*,rank=2", "the model has encoder.blocks.0.query"),
        ("factorise:layers=encoder.*,bytes=100", "bytes=100 is less than"),
        ("factorise:items=true,bytes=100", "bytes=100 is less than the 184 that rank 1 takes"),
    ],
)
def test_what_cannot_be_done_is_refused(text: str, said: str, model: SASRec, tmp_path: Path) -> None:
    """One sentence with the shape, the rank and what to ask for."""
    with pytest.raises(CompressionError) as caught:
        _done(text, model, tmp_path)
    assert said in str(caught.value)


def test_models_without_matrices_are_refused(model: SASRec, tmp_path: Path) -> None:
    """Counts have none, and vectors that a tower computes are no table; data that are needed must be there."""
    counted = Catalogue(CATALOGUE.ids, popularity=np.ones(30, dtype=np.uint32))
    tower = TwoTower(TwoTowerOptions(dims=4, hidden=8), CATALOGUE)
    with pytest.raises(CompressionError, match="popularity is no network"):
        parse_step("factorise:items=true,rank=2").requires(Popularity(counted))
    with pytest.raises(CompressionError, match="computed by a tower"):
        parse_step("factorise:items=true,rank=2").requires(tower)
    with pytest.raises(DataError, match="--dataset"):
        parse_step("factorise:items=true,rank=2,weighted=true").run(model, _given(tmp_path, model))


def test_a_model_that_is_no_smaller_is_refused(model: SASRec) -> None:
    """The step's promise is held to."""
    with pytest.raises(CompressionError, match="must be fewer"):
        parse_step("factorise:items=true,rank=2").ensures(model, model)
