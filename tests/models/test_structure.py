"""What compression changes in a network comes back from a run directory as it was; what does not fit is one clear sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from edge_rec.data import Sequences, Split
from edge_rec.models import (
    NRMS,
    LightGCN,
    LightGCNOptions,
    LowRankLinear,
    NRMSOptions,
    SASRec,
    SASRecOptions,
    Structure,
    load_run,
    write_run,
    write_run_like,
)
from edge_rec_runtime import BinaryTable, Catalogue, Int4Table, Int8Table
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.models import Network

ITEMS, DIMS = 7, 4
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)), tuple("abcdefg"))
SPLIT = Split(
    train=Sequences(items=np.array([0, 1, 2, 3], dtype=np.int32), offsets=np.array([0, 3, 4])),
    validation=np.array([3, 4], dtype=np.int32),
    test=np.array([4, 5], dtype=np.int32),
    test_histories=Sequences(items=np.array([0, 1, 2, 3, 3, 4], dtype=np.int32), offsets=np.array([0, 4, 6])),
    user_ids=("ann", "bob"),
    item_ids=CATALOGUE.ids,
)
CHANGED = Structure(
    ranks={"encoder.blocks.0.expand": 2}, item_rank=3, item_decoder=5, pruned=("encoder.blocks.1.query.weight",), rotated=True
)


def _plain() -> SASRec:
    return SASRec(SASRecOptions(dims=DIMS, heads=2, feed_forward=8, max_length=5), CATALOGUE, seed=3)


def _changed() -> SASRec:
    described = _plain().describe() | {"structure": CHANGED.describe()}
    return SASRec.built(described, CATALOGUE, seed=4)


def _codes(model: Network) -> Int8Table:
    return Int8Table.encode(model.source().item_table)


def test_a_structure_comes_back(tmp_path: Path) -> None:
    """Shapes, weights, answers: all as they were, and the layer is two."""
    model = _changed()
    write_run(tmp_path / "run", model, SPLIT, record={})
    again = load_run(tmp_path / "run")
    assert isinstance(again, SASRec)
    assert again.structure == CHANGED
    assert isinstance(again.encoder.blocks[0].expand, LowRankLinear)
    assert again.describe() == model.describe()
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, again.weights()[name])
    assert again.source().item_table.shape == (ITEMS, 3)
    assert again.item_vectors().shape == (ITEMS, DIMS)


def test_a_model_without_changes_says_nothing_of_them() -> None:
    """Runs of before are described as before."""
    assert "structure" not in _plain().describe()
    assert not Structure()
    assert Structure.parse(CHANGED.describe()) == CHANGED


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ([], "not an object"),
        ({"rank": {}}, "not an object of ranks"),
        ({"item_rank": 3, "rotated": 1}, "rotated=1; expected true or false"),
        ({"rotated": True}, "rotated=true without an item_rank"),
        ({"item_decoder": 4}, "item_decoder without an item_rank"),
        ({"item_rank": 3, "item_decoder": 0}, "item_decoder is 0; expected a whole number"),
        ({"item_rank": 3, "item_decoder": "4"}, "item_decoder is '4'"),
        ({"ranks": {"encoder.blocks.0.expand": 0}}, "expected a whole number from 1"),
        ({"ranks": {"encoder.blocks.0.expand": True}}, "is True"),
        ({"ranks": {"encoder.blocks.0.expand": 5}}, "its rank is at most 4, not 5"),
        ({"ranks": {"encoder.blocks.9.expand": 2}}, "there is none"),
        ({"ranks": {"encoder.norm": 2}}, "LayerNorm, not a dense layer"),
        ({"ranks": {"": 2}}, "SASRec, not a dense layer"),
        ({"ranks": [1]}, "not an object of module paths"),
        ({"item_rank": 33}, "stored in at most 32 values, not 33"),
        ({"item_rank": 1 << 40}, "expected a whole number"),
        ({"item_rank": "3"}, "is '3'"),
        ({"pruned": ["nowhere"]}, "no such parameter"),
        ({"pruned": "table"}, "not a list of names"),
    ],
)
def test_a_hostile_structure_is_one_sentence(described: object, said: str) -> None:
    """Whatever stands in config.json, it is refused before anything of its size is built."""
    with pytest.raises(ModelError) as caught:
        SASRec.built(_plain().describe() | {"structure": described}, CATALOGUE)
    assert said in str(caught.value)


def test_computed_item_vectors_have_no_rank() -> None:
    """What a tower makes of titles is no table that could be narrowed."""
    with pytest.raises(ModelError, match="computed by a tower"):
        NRMS.built(
            {**NRMS(NRMSOptions(dims=4, heads=2, met_in=1), CATALOGUE).describe(), "structure": {"item_rank": 2}}, CATALOGUE
        )


def test_copies_leave_the_model_as_it_was() -> None:
    """Weights of a copy, or of the copy's copy, are their own; those not given are kept."""
    model = _changed()
    before = {name: value.copy() for name, value in model.weights().items()}
    copied = model.with_weights({"table": before["table"] + 1})
    with torch.no_grad():
        for value in copied.parameters():
            value.zero_()
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, before[name])
    assert model.with_weights({"table": before["table"] + 1}).structure == CHANGED
    with pytest.raises(ModelError, match="not expected"):
        model.with_weights({"tabel": before["table"]})


def test_finished_codes_go_through_folder_and_door(tmp_path: Path) -> None:
    """The item vectors at the door are the decoded ones of the first layout; a bias is the items' bias."""
    model = _plain()
    codes, small = _codes(model), Int4Table.encode(model.source().item_table, np.arange(ITEMS) / 8)
    held = model.with_tables({"int4": small, "int8": codes})
    write_run(tmp_path / "run", held, SPLIT, record={})
    write_run_like(tmp_path / "like", load_run(tmp_path / "run"), tmp_path / "run", record={})
    again = load_run(tmp_path / "like")
    assert isinstance(again, SASRec)
    assert list(again.tables) == ["int4", "int8"]
    source = again.source()
    np.testing.assert_array_equal(source.item_table, small.decode(np.arange(ITEMS)))
    np.testing.assert_array_equal(source.item_bias, (np.arange(ITEMS) / 8).astype(np.float32))
    for layout, table in held.tables.items():
        for name, part in table.parts().items():
            np.testing.assert_array_equal(part, again.tables[layout].parts()[name])
    assert not model.tables


def test_finished_codes_hold_the_item_table() -> None:
    """The network may change behind finished codes, the item table may not; without codes it may again."""
    model = _plain()
    held = model.with_tables({"int8": _codes(model)})
    moved = {name: value + 1 for name, value in model.weights().items() if name.startswith("encoder")}
    assert held.with_weights(moved).tables == held.tables
    with pytest.raises(ModelError, match=r"int8.*are finished"):
        held.with_weights({"table": model.weights()["table"] + 1})
    held.with_tables({}).with_weights({"table": model.weights()["table"] + 1})


def test_codes_of_another_shape_are_refused() -> None:
    """Rows are items, and the width is that of what is stored, which a narrow table has less of."""
    with pytest.raises(ModelError, match="of 7 vectors of width 3; expected 7 of width 4"):
        _plain().with_tables({"int8": Int8Table.encode(np.ones((ITEMS, 3), dtype=np.float32))})
    _changed().with_tables({"int8": Int8Table.encode(np.ones((ITEMS, 3), dtype=np.float32))})
    with pytest.raises(ModelError, match="of 8 vectors"):
        _plain().with_tables({"int8": Int8Table.encode(np.ones((8, DIMS), dtype=np.float32))})


def test_a_new_run_in_a_folder_has_no_codes_of_an_old_one(tmp_path: Path) -> None:
    """What is written over a run replaces its codes too."""
    write_run(tmp_path, _plain().with_tables({"int8": _codes(_plain())}), SPLIT, record={})
    write_run(tmp_path, _plain(), SPLIT, record={})
    assert not load_run(tmp_path).tables  # type: ignore[attr-defined]  # a network


@pytest.mark.parametrize("cut", [0, 7, 40, -3])
def test_damaged_codes_are_one_sentence(cut: int, tmp_path: Path) -> None:
    """A cut file is told as such."""
    write_run(tmp_path, _plain().with_tables({"int8": _codes(_plain())}), SPLIT, record={})
    path = tmp_path / "tables.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelError, match="not the item codes of a model"):
        load_run(tmp_path)


def test_codes_of_a_layout_that_is_none_are_refused(tmp_path: Path) -> None:
    """Names in the file are looked up, never imported or made."""
    write_run(tmp_path, _plain().with_tables({"int8": _codes(_plain())}), SPLIT, record={})
    path = tmp_path / "tables.safetensors"
    path.write_bytes(path.read_bytes().replace(b"int8", b"int9"))
    with pytest.raises(ModelError, match="not the item codes of a model"):
        load_run(tmp_path)


def test_codes_that_decode_to_other_vectors_change_the_door_alone() -> None:
    """Signs are far from the vectors: the door shows what a device will feed its encoder with."""
    model = _plain()
    signs = BinaryTable.pack(model.weights()["table"] > 0, np.ones(ITEMS), None, np.eye(DIMS, dtype=np.float32))
    np.testing.assert_array_equal(np.abs(model.with_tables({"binary": signs}).source().item_table), 1)


def test_graph_models_have_no_layers_but_a_table() -> None:
    """The generic changes reach every network that has what they change."""
    model = LightGCN.built({**LightGCN(LightGCNOptions(dims=4), CATALOGUE).describe(), "structure": {"item_rank": 2}}, CATALOGUE)
    source = model.source()
    assert source.item_table.shape == (ITEMS, 2)
    vectors = torch.randn(2, 3, 2)
    with torch.inference_mode():
        query = source.encoder(vectors, torch.ones(2, 3))  # type: ignore[operator]  # a module
        wanted = model.states(vectors @ model.item_basis)[:, -1] @ model.item_basis.T
    torch.testing.assert_close(query, wanted)
