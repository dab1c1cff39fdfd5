"""The door: a Python file or an .onnx file with its items becomes a source, or a sentence says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec_converters import Prepared, RetrieverSource, convert, open_model
from edge_rec_converters.targets.onnx import emit
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import DataError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_runtime import History

_FACTORY = """
import types
from dataclasses import dataclass
import numpy as np
import torch
from edge_rec_converters import Retriever
from edge_rec_runtime import Catalogue

@dataclass
class Shape:
    dims: int = 8

def model():
    table = np.zeros((2, Shape().dims), np.float32)
    return Retriever(encoder=torch.nn.Identity(), item_table=table, catalogue=Catalogue(("a", "b")), max_length=5)

def nothing():
    return 3

def half():
    return types.SimpleNamespace(kind="neighbours")

def broken():
    return 1 / 0

def leaving():
    raise SystemExit(0)

value = 5
"""


def test_a_factory_is_called(tmp_path: Path) -> None:
    """A function of a Python file gives the source; its file may define dataclasses."""
    path = tmp_path / "mine.py"
    path.write_text(_FACTORY)
    source = open_model(f"{path}:model")
    assert isinstance(source, RetrieverSource)
    assert source.catalogue.ids == ("a", "b")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "has no callable 'absent'"),
        ("value", "has no callable 'value'"),
        ("nothing", "returned a int; return a Retriever, Neighbours or Ranker"),
        ("half", "returned a SimpleNamespace without name, starts, items, values, catalogue, max_length; a neighbours has them"),
        ("broken", "ZeroDivisionError: division by zero"),
        ("leaving", "SystemExit: 0"),
    ],
)
def test_a_factory_that_gives_no_source(tmp_path: Path, name: str, message: str) -> None:
    """What the file lacks or returned is named."""
    path = tmp_path / "mine.py"
    path.write_text(_FACTORY)
    with pytest.raises(ModelError, match=message):
        open_model(f"{path}:{name}")


def test_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    """A syntax error is a sentence, not a traceback; a file that ends the process does not end it."""
    path = tmp_path / "mine.py"
    for text, error in (("def (", "SyntaxError"), ("raise SystemExit(0)", "SystemExit")):
        path.write_text(text)
        with pytest.raises(ModelError, match=f"fails when it is run, {error}"):
            open_model(f"{path}:model")


@pytest.mark.parametrize("text", ["nowhere", "a.py", "nowhere.py:model", "nowhere.onnx", ":", "", "x.onnx:y"])
def test_what_is_no_model(text: str) -> None:
    """Whatever stands on the command line, the answer is one sentence."""
    with pytest.raises(ModelError):
        open_model(text)


def test_an_onnx_file_with_its_items(tmp_path: Path, prepared: Prepared, held_out: list[History]) -> None:
    """A graph, a table and ids give the same quality as the module they came from."""
    (tmp_path / "m.onnx").write_bytes(emit(prepared.graph))
    np.save(tmp_path / "t.npy", prepared.source.item_table)
    (tmp_path / "ids.txt").write_text("\n".join(prepared.source.catalogue.ids) + "\n")
    source = open_model(
        str(tmp_path / "m.onnx"), items=tmp_path / "t.npy", ids=tmp_path / "ids.txt", max_length=prepared.source.max_length
    )
    made = convert(source, target="onnx", precision=Precision.parse("int8"), histories=held_out, output=tmp_path / "b")
    same = convert(prepared, target="onnx", precision=made.precision, output=tmp_path / "c")
    assert source.name == "m"
    assert made.verification.ndcg_at_10 == pytest.approx(same.verification.ndcg_at_10, abs=0.02)


def test_what_an_onnx_file_needs(tmp_path: Path, prepared: Prepared) -> None:
    """Without a catalogue there is nothing to recommend; tables that are pickles or whole numbers are refused."""
    model, table, ids = tmp_path / "m.onnx", tmp_path / "t.npy", tmp_path / "ids.txt"
    model.write_bytes(emit(prepared.graph))
    ids.write_text("a\nb\n")
    with pytest.raises(ModelError, match=r"add --items table\.npy and --ids ids\.txt"):
        open_model(str(model))
    np.save(table, np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match=r"cannot be read as an \.npy array"):
        open_model(str(model), items=table, ids=ids)
    np.save(table, np.zeros((2, 3), np.int8))
    with pytest.raises(ModelError, match="holds no float array"):
        open_model(str(model), items=table, ids=ids)
    np.save(table, np.zeros((2, 3), np.float32))
    ids.write_text("a\na\n")
    with pytest.raises(DataError, match="stands twice"):
        open_model(str(model), items=table, ids=ids)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_tables_from_outside_are_hostile(tmp_path: Path, prepared: Prepared, content: bytes) -> None:
    """Any bytes in the place of the table end in one error."""
    (tmp_path / "m.onnx").write_bytes(b"")
    (tmp_path / "t.npy").write_bytes(b"\x93NUMPY\x01\x00" + content if content[:1] > b"\x80" else content)
    (tmp_path / "ids.txt").write_text("a\n")
    with pytest.raises((ModelError, DataError)):
        open_model(str(tmp_path / "m.onnx"), items=tmp_path / "t.npy", ids=tmp_path / "ids.txt")
