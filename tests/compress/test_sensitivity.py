"""What is said of a layer is what a bundle with that layer in that precision does; who pays is who pays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch

from edge_rec.compress.changes import ALONE, ITEMS, WHOLE, Changer
from edge_rec.compress.groups import Group
from edge_rec.compress.sensitivity import Sensitivity, group_losses, sensitivity
from edge_rec.compress.sensitivity_plot import draw_sensitivity
from edge_rec.metrics import HeldOut
from edge_rec.models import Network, Popularity, load_run, read_config
from edge_rec.training import Request, train_run
from edge_rec_converters import prepare
from edge_rec_converters.kinds import Order
from edge_rec_runtime import Precision, Recommender, read_histories, write_bundle
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset
    from edge_rec_converters import Prepared
    from edge_rec_runtime import History

LAYER = "encoder.blocks.0.expand.weight"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, log: Dataset) -> Path:
    """Return the run directory of a SASRec whose dense layers are wide enough to be rounded."""
    folder = tmp_path_factory.mktemp("wide") / "run"
    shape = {"dims": 16, "heads": 2, "feed_forward": 32, "max_length": 8}
    train_run(log, folder, request=Request(shape=shape, training={"epochs": 4}))
    return folder


@pytest.fixture(scope="module")
def histories(run: Path) -> list[History]:
    """Return the validation histories."""
    return read_histories(run / "heldout" / "validation.jsonl")


@pytest.fixture(scope="module")
def trained(run: Path) -> Network:
    """Return the trained model."""
    model = load_run(run)
    assert isinstance(model, Network)
    return model


@pytest.fixture(scope="module")
def made(trained: Network, histories: list[History]) -> Prepared:
    """Return the model at the door, exported once."""
    return prepare(trained.source(), histories)


@pytest.fixture(scope="module")
def found(run: Path, trained: Network) -> Sensitivity:
    """Return what is found, users parted by an attribute."""
    return sensitivity(trained, run, attributes={"side": {f"u{user}": "lr"[user % 2] for user in range(40)}}, users=20)


@pytest.mark.parametrize("precision", ["int8-weights", "binary"])
def test_a_rounded_layer_is_that_of_a_bundle(
    precision: str, trained: Network, histories: list[History], made: Prepared, tmp_path: Path
) -> None:
    """The queries of the changed network are those of a bundle whose plan has the one layer in that precision."""
    changed = Changer(trained, histories).alone(LAYER, precision.removesuffix("-weights"))
    layers = {LAYER.removeprefix("encoder."): precision}
    order = Order(target="onnx", precision=Precision(), layers=layers)
    write_bundle(tmp_path / "one.edgerec", made.drafts(order)[0])
    with Recommender.open(tmp_path / "one.edgerec") as opened, torch.inference_mode():
        for one in histories[:6]:
            inputs = opened.gather(opened.lookup(one.events)[0])
            wanted = changed.source().encoder(*map(torch.from_numpy, map(np.array, inputs)))
            np.testing.assert_allclose(opened.encode(*inputs), wanted.numpy(), atol=2e-4)


@pytest.mark.parametrize("layout", ["int8", "int4", "binary"])
def test_rounded_items_are_those_of_a_bundle(
    layout: str, trained: Network, histories: list[History], made: Prepared, tmp_path: Path
) -> None:
    """The scores of the changed model are those of the finished bundle."""
    source = Changer(trained, histories).alone(ITEMS, layout).source()
    order = Order(target="onnx", precision=Precision(items=layout))
    write_bundle(tmp_path / "items.edgerec", made.drafts(order)[0])
    with Recommender.open(tmp_path / "items.edgerec") as opened, torch.inference_mode():
        for one in histories[:6]:
            inputs = opened.gather(opened.lookup(one.events)[0])
            query = source.encoder(*map(torch.from_numpy, map(np.array, inputs))).numpy()[0]
            bias = 0 if source.item_bias is None else source.item_bias
            wanted = source.item_table @ query + bias
            np.testing.assert_allclose(
                opened.score(one.events, opened.catalogue.ids), wanted, atol=0.02 * float(np.abs(wanted).max())
            )


def test_pruning_takes_the_smallest_of_one_layer(trained: Network, histories: list[History]) -> None:
    """As many zeros as were asked for, in that layer alone, and the model as it came stays as it was."""
    before = {name: values.copy() for name, values in trained.weights().items()}
    after = Changer(trained, histories).alone(LAYER, "prune 80 %").weights()
    gone = after[LAYER] == 0
    assert gone.sum() == round(0.8 * gone.size)
    assert np.abs(before[LAYER][gone]).max() <= np.abs(before[LAYER][~gone]).min()
    assert all(np.array_equal(after[name], before[name]) for name in before if name != LAYER)
    assert all(np.array_equal(trained.weights()[name], before[name]) for name in before)


def test_every_layer_meets_every_change(found: Sensitivity, trained: Network) -> None:
    """Items and all matrices that converters round, each under each change; the groups are parts of everybody."""
    layers = {row.layer: row.values for row in found.layers}
    assert layers[ITEMS] == trained.table.numel()
    assert layers[LAYER] == 512
    assert len(found.layers) == len(layers) * len(ALONE)
    assert found.users == 20
    for change in WHOLE:
        rows = [row for row in found.groups if row.change == change]
        everybody = next(row for row in rows if row.by == "all")
        assert not everybody.pays
        for by in ("history", "popularity", "side"):
            parts = [row for row in rows if row.by == by]
            assert sum(row.users for row in parts) == everybody.users
            mean = sum(row.ndcg_at_10 * row.users for row in parts) / everybody.users
            assert mean == pytest.approx(everybody.ndcg_at_10)


def test_who_pays_is_seen() -> None:
    """A change that takes the target from one in four of the users shows as theirs; the others do not pay."""
    sides = [Group(by="side", name=str(side), users=np.arange(400) % 4 == side) for side in range(4)]
    before = HeldOut(ranks=np.zeros(400, np.int64), top=np.tile(np.arange(10, dtype=np.int32), (400, 1)))
    gone = (np.arange(400) % 4 == 1) & (np.arange(400) % 3 > 0)
    after = HeldOut(ranks=np.where(gone, 10, 0), top=np.where(gone[:, None], before.top + 5, before.top))
    everybody, *rows = group_losses("test", sides, before=before, after=after)
    assert everybody.ndcg_kept == pytest.approx(1 - gone.mean())
    assert [row.pays for row in rows] == [False, True, False, False]
    assert rows[1].ndcg_kept == pytest.approx(1 - gone[1::4].mean())
    assert rows[1].overlap_at_10 == pytest.approx(1 - gone[1::4].mean() / 2)
    assert rows[1].ndcg_kept_ci[1] < everybody.ndcg_kept
    alike = group_losses("test", sides, before=before, after=before)
    assert not any(row.pays for row in alike)


def test_the_record_is_json_without_nan(found: Sensitivity) -> None:
    """A share of nothing is null there, since JSON has no NaN."""
    odd = replace(found, layers=(replace(found.layers[0], ndcg_kept=float("nan")),))
    assert odd.record()["layers"][0]["ndcg_kept"] is None
    assert odd.record()["groups"][0]["change"] == next(iter(WHOLE))


def test_the_drawing_is_repeatable(found: Sensitivity) -> None:
    """The same findings give the same SVG, each layer and group named in it."""
    drawn = draw_sensitivity(found)
    ET.fromstring(drawn)  # noqa: S314 - our own drawing
    assert drawn == draw_sensitivity(found)
    assert LAYER in drawn
    assert "side: l" in drawn


def test_models_without_layers_are_refused(run: Path, trained: Network) -> None:
    """One sentence, and where to look instead."""
    with pytest.raises(CompressionError, match="edge-rec convert"):
        sensitivity(Popularity(trained.catalogue), run)


def test_the_model_as_it_is_is_that_of_the_run(run: Path, trained: Network) -> None:
    """Asked for everybody, it has the NDCG@10 that training recorded."""
    found = sensitivity(trained, run, users=10**6)
    assert found.ndcg_at_10 == pytest.approx(read_config(run)["metrics"]["validation"]["ndcg_at_10"], rel=1e-6)
