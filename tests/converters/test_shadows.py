"""Shadows of item tables: asked for, left out, or made where they pay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_rec_converters import convert
from edge_rec_converters.kinds import Order
from edge_rec_converters.shadows import LEAST_ROWS, shadowed
from edge_rec_runtime import Bundle, Fp32Table, Int4Table, Int8Table, Precision, Recommender
from edge_rec_runtime.codes import LAYOUTS, Shadowed
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_bundle_gets_a_shadow_that_was_asked_for(prepared: Prepared, tmp_path: Path, precision: str) -> None:
    """It passes its gate with the same figures and answers, and is counted among the model's bytes; auto gives few rows none."""
    made = {
        choice: convert(prepared, target="onnx", precision=Precision.parse(precision), output=tmp_path / choice, shadow=choice)
        for choice in ("yes", "no", "auto")
    }
    assert (tmp_path / "auto").read_bytes() == (tmp_path / "no").read_bytes()
    assert made["yes"].metrics == made["no"].metrics
    assert made["yes"].fp32_bytes == made["no"].fp32_bytes or precision == "fp32"
    with Bundle.open(tmp_path / "yes", verify="full") as with_one, Bundle.open(tmp_path / "no") as without:
        table = with_one.table("items")
        assert isinstance(table, Shadowed)
        assert table.shadow is not None
        assert made["yes"].model_bytes - made["no"].model_bytes == table.shadow.nbytes
        assert "shadow" not in without.manifest.layouts
    with Recommender.open(tmp_path / "yes") as one, Recommender.open(tmp_path / "no") as other:
        assert one.recommend(["i1", "i2"], k=5) == other.recommend(["i1", "i2"], k=5)


def test_auto_gives_a_shadow_from_so_many_rows_on() -> None:
    """One row fewer and there is none; every layout that may have one has its number."""
    assert set(LEAST_ROWS) == {layout for layout, kind in LAYOUTS.items() if issubclass(kind, Shadowed)}
    kinds: dict[str, Any] = {"fp32": Fp32Table, "int8": Int8Table}
    for layout, kind in kinds.items():
        table = kind.encode(np.ones((LEAST_ROWS[layout], 1), np.float32))
        few = table.take(np.arange(table.rows - 1))
        many, less = shadowed({"items": table}, "auto")["items"], shadowed({"items": few}, "auto")["items"]
        assert isinstance(many, Shadowed)
        assert isinstance(less, Shadowed)
        assert many.shadow is not None
        assert less.shadow is None
        assert table.shadow is None
    plain = Int4Table.encode(np.ones((3, 2), np.float32))
    assert shadowed({"items": plain, "rescore": kinds["int8"].encode(np.ones((3, 2), np.float32))}, "auto")["items"] is plain


@pytest.mark.parametrize("items", ["int4", "binary"])
def test_items_without_shadows_are_refused_one(prepared: Prepared, items: str) -> None:
    """Before any work, with the layouts that have one; so is a word that is no choice."""
    order = Order(target="onnx", precision=Precision.parse(f"items={items}"), shadow="yes")
    with pytest.raises(ConversionError, match=f"items={items} cannot have a shadow.*fp32, fp16, int8"):
        prepared.require(order)
    prepared.require(replace(order, shadow="auto"))
    with pytest.raises(ConversionError, match="shadow is 'always'; use one of auto, yes, no"):
        prepared.require(replace(order, shadow="always"))


def test_models_without_an_item_table_are_refused_one() -> None:
    """A kind that has none says so, and takes auto and no for what they are."""
    with pytest.raises(ConversionError, match="has no item table for a shadow"):
        Order(target="onnx", precision=Precision(), shadow="yes").refuse_shadow("m", "a ranker")
    for choice in ("auto", "no"):
        Order(target="onnx", precision=Precision(), shadow=choice).refuse_shadow("m", "a ranker")
