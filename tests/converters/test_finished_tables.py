"""Item codes that a model brings finished reach the bundle as they are, and only where they are the model's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec_converters import convert, prepare
from edge_rec_converters.binary_codes import fit_binary
from edge_rec_converters.compensation import fit_int8
from edge_rec_converters.item_tables import item_tables
from edge_rec_runtime import BinaryTable, Bundle, Fp32Table, Int8Table, Precision
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared, Retriever
    from edge_rec_runtime import History, ItemTable


def decoded(table: ItemTable) -> dict[str, object]:
    """Return what a source says of its items where they are those of a table."""
    return {"item_table": table.decode(np.arange(table.rows)), "item_bias": table.parts().get("bias")}


def test_they_are_stored_as_they_are(mean_source: Retriever, held_out: list[History], prepared: Prepared, tmp_path: Path) -> None:
    """Every array of the bundle is the finished one, its encoder sees what the source's does, and the codes are in the digest."""
    table = fit_binary(prepared.fit)
    source = replace(mean_source, tables={"binary": table}, **decoded(table))  # type: ignore[arg-type]
    brought = prepare(source, held_out)
    path = tmp_path / "finished.edgerec"
    made = convert(brought, target="onnx", precision=Precision.parse("items=binary"), output=path)
    assert made.verification.overlap_at_10 > 0.9  # only the query is rounded
    with Bundle.open(path) as bundle:
        for part, array in table.parts().items():
            assert np.array_equal(bundle.table("items").parts()[part], array)
    assert brought.sha256 != prepared.sha256


def test_each_role_takes_the_finished_table_of_its_layout(prepared: Prepared) -> None:
    """Also the table that scores again; a layout that the source did not finish is encoded."""
    binary, exact = fit_binary(prepared.fit), fit_int8(prepared.fit)
    asked = Precision.parse("items=binary,rescore=int8")
    assert item_tables(asked, prepared.fit, {"int8": exact, "binary": binary}) == {"items": binary, "rescore": exact}
    found = item_tables(asked, prepared.fit, {"binary": binary})
    assert found["items"] is binary
    assert np.array_equal(found["rescore"].parts()["codes"], exact.codes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Fp32Table.encode(np.ones((3, 32))), r"'int8' is a Fp32Table; the layouts are fp32 \(Fp32Table\)"),
        (Int8Table.encode(np.ones((3, 32))), r"is \[3, 32\] and the item table \[240, 32\]"),
        (Int8Table.encode(np.ones((240, 16))), r"is \[240, 16\] and the item table \[240, 32\]"),
        (Int8Table.encode(np.ones((240, 32))), "no finished table decodes to the item table and the item bias, 'int8' differs"),
    ],
)
def test_foreign_tables_are_refused(mean_source: Retriever, held_out: list[History], table: ItemTable, message: str) -> None:
    """A table under another's layout, of other items, of another width, or of other vectors is named."""
    with pytest.raises(ModelError, match=message):
        prepare(replace(mean_source, tables={"int8": table}), held_out)


def test_a_bias_is_part_of_the_codes(mean_source: Retriever, held_out: list[History], prepared: Prepared) -> None:
    """Codes whose bias the source does not speak of would be judged by other scores than they give."""
    table = fit_binary(prepared.fit)
    assert isinstance(table, BinaryTable)
    source = replace(mean_source, tables={"binary": table}, item_table=table.decode(np.arange(table.rows)))
    with pytest.raises(ModelError, match="'binary' differs by"):
        prepare(source, held_out)
