"""The page of operators is what the emitters' own tables say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge_rec_converters.dialect import DOMAIN
from edge_rec_converters.dialect_reference import REFERENCE
from edge_rec_converters.operators import page
from edge_rec_converters.targets import onnx, tflite

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


def test_the_page_is_what_its_command_prints() -> None:
    """docs/operators.md was written by the command that it names, from the registries as they are."""
    printed = subprocess.run(
        [sys.executable, "-m", "edge_rec_converters.operators"], check=True, capture_output=True, text=True
    ).stdout
    assert printed == page() == PAGE.read_text(encoding="utf-8")


def test_both_emitters_have_all_words_of_the_dialect() -> None:
    """A decision can be expressed in either file."""
    assert set(onnx.LOWERINGS) == set(REFERENCE)
    assert {f"{DOMAIN}::{word}" for word in REFERENCE} == {name for name in tflite.OPS if "::" in name}


def test_notes_are_on_operators_that_exist_and_advice_on_those_that_do_not() -> None:
    """Neither table outlives what it speaks of."""
    known = set(tflite.OPS) | set(tflite.FOLDED)
    assert set(tflite.NOTES) <= known
    assert not set(tflite.ADVICE) & known


def test_the_page_says_no_where_an_emitter_has_no_form() -> None:
    """NonZero has none in TFLite and one in ONNX; int4 is for tables alone; static layers are ONNX's."""
    lines = page().splitlines()
    assert "| `NonZero` | yes | - |  |" in lines
    dense = {line.split(" | ")[1]: line for line in lines if line.startswith("| MatMul")}
    assert dense["onnx"].count("| - |") == dense["tflite"].count("| - |") == 1
    assert "static" in dense["onnx"]
    assert "static" not in dense["tflite"]
