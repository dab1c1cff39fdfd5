"""Run directories come back as they were; a damaged, foreign or hostile one is one clear sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_rec.data import Sequences, Split
from edge_rec.models import (
    EASE,
    MODELS,
    NRMS,
    DeepMLP,
    DeepMLPOptions,
    EASEOptions,
    GRU4Rec,
    GRU4RecOptions,
    ItemItem,
    ItemItemOptions,
    LightGCN,
    LightGCNOptions,
    MFOptions,
    Model,
    NRMSOptions,
    Popularity,
    SASRec,
    SASRecOptions,
    TwoTower,
    TwoTowerOptions,
    bind,
    load_run,
    read_config,
    write_model,
    write_run,
)
from edge_rec.models.mf import MatrixFactorisation
from edge_rec.models.two_tower import context_features
from edge_rec.training import RANKERS
from edge_rec_runtime import Catalogue, read_histories
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = 7
CATALOGUE = Catalogue(
    tuple(f"i{row}" for row in range(ITEMS)),
    tuple(f"A façade, no. {row}" for row in range(ITEMS)),
    {"genres": tuple((("Drama",), ())[row % 2] for row in range(ITEMS))},
    np.arange(ITEMS, dtype=np.uint32),
)
ATTRIBUTES = {"gender": ("F", ""), "age": ("25", "18")}
SPLIT = Split(
    train=Sequences(items=np.array([0, 1, 2, 3], dtype=np.int32), offsets=np.array([0, 3, 4])),
    validation=np.array([3, 4], dtype=np.int32),
    test=np.array([4, 5], dtype=np.int32),
    test_histories=Sequences(items=np.array([0, 1, 2, 3, 3, 4], dtype=np.int32), offsets=np.array([0, 4, 6])),
    user_ids=("ann", "bob"),
    item_ids=CATALOGUE.ids,
    user_attributes=ATTRIBUTES,
)


def _models() -> dict[str, Model]:
    vectors = np.random.default_rng(0).normal(size=(ITEMS, 4)).astype(np.float32)
    return {
        "popularity": Popularity(CATALOGUE),
        "mf": MatrixFactorisation(MFOptions(dims=4), CATALOGUE, vectors, vectors[:2]),
        "sasrec": SASRec(SASRecOptions(dims=4, heads=2, feed_forward=8, max_length=5), CATALOGUE, seed=3),
        "gru4rec": GRU4Rec(GRU4RecOptions(dims=4, hidden=8, max_length=5), CATALOGUE, seed=3),
        "nrms": NRMS(NRMSOptions(dims=4, heads=2, max_length=5), CATALOGUE, seed=3),
        "deep-mlp": DeepMLP(DeepMLPOptions(dims=4, hidden=8), CATALOGUE, seed=3),
        "two-tower": TwoTower(TwoTowerOptions(dims=4, hidden=8), CATALOGUE, context=context_features(ATTRIBUTES), seed=3),
        "lightgcn": LightGCN(LightGCNOptions(dims=4), CATALOGUE, seed=3),
        "ease": EASE.strongest(EASEOptions(neighbours=2), CATALOGUE, vectors @ vectors.T),
        "item-item": ItemItem.strongest(ItemItemOptions(neighbours=2), CATALOGUE, vectors @ vectors.T),
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a SASRec."""
    write_run(tmp_path / "run", _models()["sasrec"], SPLIT, record={"seed": 3})
    return tmp_path / "run"


@pytest.mark.parametrize("name", [name for name in MODELS if name not in RANKERS])
def test_every_model_comes_back(tmp_path: Path, name: str) -> None:
    """Weights, options, catalogue and record are what was written; the model still goes through the door."""
    model = _models()[name]
    write_run(tmp_path, model, SPLIT, record={"seed": 3})
    again = load_run(tmp_path)
    assert type(again) is type(model)
    assert again.describe() == model.describe()
    assert all(np.array_equal(value, again.weights()[key]) for key, value in model.weights().items())
    assert (again.catalogue.ids, again.catalogue.titles) == (CATALOGUE.ids, CATALOGUE.titles)
    assert again.catalogue.attributes == CATALOGUE.attributes
    np.testing.assert_array_equal(again.catalogue.popularity, CATALOGUE.popularity)
    assert again.source().max_length == model.source().max_length
    assert read_config(tmp_path)["seed"] == 3


def test_held_out_histories_are_the_splits(run: Path) -> None:
    """The test history holds the validation event; each line knows its user and its target."""
    validation, test = (read_histories(run / "heldout" / f"{name}.jsonl") for name in ("validation", "test"))
    assert [(one.user, one.events, one.target) for one in validation] == [
        ("ann", ("i0", "i1", "i2"), "i3"),
        ("bob", ("i3",), "i4"),
    ]
    assert [(one.events, one.target) for one in test] == [(("i0", "i1", "i2", "i3"), "i4"), (("i3", "i4"), "i5")]


def test_histories_carry_the_context_that_a_model_takes(tmp_path: Path, run: Path) -> None:
    """A model with context features has each user's attributes beside the history, what is unknown as null; others nothing."""
    write_run(tmp_path / "towers", _models()["two-tower"], SPLIT, record={})
    told = [one.context for one in read_histories(tmp_path / "towers" / "heldout" / "test.jsonl")]
    assert told == [{"gender": "F", "age": "25"}, {"gender": None, "age": "18"}]
    assert [one.context for one in read_histories(run / "heldout" / "test.jsonl")] == [None, None]


def test_what_a_record_says_of_options_is_not_believed(tmp_path: Path) -> None:
    """The configuration has the model's own options, whatever was asked for."""
    write_run(tmp_path, _models()["ease"], SPLIT, record={"options": {"neighbours": 99}, "model": "sasrec"})
    assert read_config(tmp_path)["options"]["neighbours"] == 2
    assert load_run(tmp_path).name == "ease"


def test_weights_alone_hold_no_ids_and_bind_to_the_same_items(tmp_path: Path) -> None:
    """No id or title is in the folder; the catalogue in the same order is taken, in another order refused."""
    write_model(tmp_path, _models()["sasrec"], record={})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "weights.safetensors"]
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"i3" not in content
    assert "façade".encode() not in content
    assert len(bind(tmp_path, Catalogue(CATALOGUE.ids)).catalogue) == ITEMS
    with pytest.raises(ModelError, match="use the data that the model was trained on"):
        bind(tmp_path, Catalogue(tuple(reversed(CATALOGUE.ids))))


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    """float16 weights are half the bytes and come back as the nearest float32 model."""
    model = _models()["sasrec"]
    write_model(tmp_path, model, record={}, dtype=np.float16)
    again = bind(tmp_path, CATALOGUE).weights()
    assert (tmp_path / "weights.safetensors").stat().st_size < 0.75 * sum(value.nbytes for value in again.values()) + 4096
    for name, value in model.weights().items():
        np.testing.assert_array_equal(again[name], value.astype(np.float16).astype(np.float32))


def _changed(path: Path, **values: object) -> None:
    stored: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps(stored | values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schema": 2}, "schema 2 is not known"),
        ({"model": "oracle"}, "model 'oracle' is not known; expected one of popularity, mf, sasrec"),
        ({"model": ["sasrec"]}, "is not known"),
        ({"options": [1]}, "'options' in config.json is"),
        ({"options": {"dims": 8}}, "the options say"),
        ({"items_sha256": 5}, "belong to a catalogue with fingerprint 5"),
    ],
)
def test_a_changed_configuration_is_refused(run: Path, values: dict[str, object], message: str) -> None:
    """What the configuration says is checked against what is there."""
    _changed(run / "config.json", **values)
    with pytest.raises(ModelError, match=message):
        load_run(run)


@pytest.mark.parametrize(
    "values",
    [
        {"ids": ["i0", "i0"]},
        {"ids": 5},
        {"ids": [1, 2]},
        {"titles": ["one"]},
        {"attributes": [1]},
        {"attributes": {"genres": 3}},
        {"popularity": ["many"]},
        {"popularity": [-1] * ITEMS},
        {"popularity": [1 << 40] * ITEMS},
    ],
)
def test_a_changed_catalogue_is_refused(run: Path, values: dict[str, object]) -> None:
    """Ids twice, numbers for text, counts beyond uint32: none is a catalogue."""
    _changed(run / "catalogue.json", **values)
    with pytest.raises(ModelError, match="not a catalogue"):
        load_run(run)


@pytest.mark.parametrize("name", ["config.json", "catalogue.json", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": ', b"\x10\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_refused(run: Path, name: str, content: bytes) -> None:
    """Whatever stands in the place of a part, the error names the part."""
    (run / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        load_run(run)


@pytest.mark.parametrize("name", ["config.json", "catalogue.json", "weights.safetensors"])
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    """A folder without one of its parts is no run."""
    (run / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: no such file"):
        load_run(run)


def test_a_path_that_is_no_folder_is_refused(run: Path) -> None:
    """A file in the place of the folder, and a folder that is not there."""
    with pytest.raises(ModelError, match="no such file"):
        load_run(run / "config.json")
    with pytest.raises(ModelError, match="did the training finish"):
        load_run(run / "elsewhere")
