"""The layout ``shadow``: what its bytes promise of every row, and how a bundle holds it."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import with_manifest

from edge_rec_runtime import (
    Bundle,
    BundleContents,
    Catalogue,
    Fp16Table,
    Fp32Table,
    Int4Table,
    Int8Table,
    Precision,
    Recommender,
    top_k,
    write_bundle,
)
from edge_rec_runtime.codes import ItemTable, Shadow, Shadowed
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MakeBundle = Callable[..., Path]
GOLDEN = Path(__file__).parent / "golden" / "v3-shadow.edgerec"
GROUP, CHUNK = 32, 8
KINDS: dict[str, Any] = {"int8": Int8Table, "fp16": Fp16Table, "fp32": Fp32Table}


def read_back(shadow: Shadow, rows: int, dims: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return steps [rows], codes [rows, dims] and residuals [rows], read byte by byte as the format's description says."""
    steps, codes, residuals = np.empty(rows), np.empty((rows, dims)), np.empty(rows)
    for row in range(rows):
        group, place = shadow.groups[row // GROUP], row % GROUP
        bits = shadow.grid[:1].view(np.uint32) + np.uint32(int(group[place]) << 20)
        steps[row], residuals[row] = bits.view(np.float32)[0], group[GROUP + place]
        for value in range(dims):
            line = 1 + 2 * (value // CHUNK) + place // 16
            byte = int(group[64 * line + 4 * (place % 16) + value % 4])
            codes[row, value] = byte >> 4 if value % CHUNK >= 4 else byte & 15
    return steps, codes, residuals


@st.composite
def tables(draw: st.DrawFn) -> ItemTable:
    """Draw small tables of the layouts that may have a shadow, of rows of all sizes and shapes."""
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, dims = draw(st.integers(1, 70)), draw(st.one_of(st.sampled_from([1, 8, 9]), st.integers(1, 40)))
    values = source.normal(size=(rows, dims)) ** draw(st.sampled_from([1, 1, 3, 9]))
    values *= 10.0 ** source.uniform(-8, 1, (rows, 1)) if draw(st.booleans()) else 1
    values[source.random(rows) < draw(st.sampled_from([0, 0.5, 1]))] = 0
    kind = draw(st.sampled_from(["fp32", "fp16", "int8"]))
    size = draw(st.sampled_from([1, 1e-38, 1e-30, 1e25])) if kind == "fp32" else 1
    encoded: ItemTable = KINDS[kind].encode(np.clip(values * size, -6e4 * size, 6e4 * size).astype(np.float32))
    return encoded


@settings(max_examples=40, deadline=None)
@given(tables())
def test_no_row_is_further_from_its_codes_than_its_byte_says(table: ItemTable) -> None:
    """|x - s (u - 7.5)| and a share of |x| for rounding stay below the residual's byte, |x| below the spread, for every row."""
    shadow = Shadow.encode(table)
    steps, codes, residuals = read_back(shadow, table.rows, table.dims)
    values = table.decode(np.arange(table.rows)).astype(np.longdouble)
    missed = np.sqrt(((values - steps[:, None] * (codes - 7.5)) ** 2).sum(axis=1))
    lengths = np.sqrt((values**2).sum(axis=1))
    assert (missed + (table.dims + 16) * 2.0**-22 * lengths <= residuals * steps * math.sqrt(table.dims) / 500).all()
    assert (lengths <= float(shadow.grid[1]) * steps).all()
    assert shadow.nbytes == -(-table.rows // GROUP) * 64 * (1 + 2 * -(-table.dims // CHUNK)) + 8


def test_codes_are_as_near_as_four_bits_get() -> None:
    """Of Gaussian rows a tenth of the length is left out, near the .107 of the best 16 equal steps, whatever a row's size."""
    source = np.random.default_rng(0)
    values = (source.normal(size=(4000, 64)) * 10.0 ** source.uniform(-3, 3, (4000, 1))).astype(np.float32)
    steps, _, residuals = read_back(Shadow.encode(Fp32Table.encode(values)), 4000, 64)
    share = residuals * steps * 8 / 500 / np.linalg.norm(values, axis=1)
    assert share.mean() < 0.12
    assert share.max() < 0.17


def with_shadow(path: Path, *, items: str = "int8") -> BundleContents:
    """Return the contents of a small bundle whose items have a shadow."""
    with Bundle.open(path) as bundle:
        values = bundle.table("items").decode(np.arange(bundle.manifest.catalogue.items))
        table = KINDS[items].encode(values)
        return BundleContents(
            name="shadowed",
            precision=Precision.parse(f"items={items}"),
            encoders={"onnx": bundle.read("encoder.onnx")},
            tables={"items": table.with_shadow(Shadow.encode(table))},
            catalogue=Catalogue(bundle.catalogue.ids),
            max_length=20,
        )


@pytest.mark.parametrize("items", ["int8", "fp16", "fp32"])
def test_a_bundle_holds_the_shadow_of_its_items(make_bundle: MakeBundle, tmp_path: Path, items: str) -> None:
    """It comes back mapped, beside the table, in a bundle of version 3 whose answers are those of the same one without."""
    contents = with_shadow(make_bundle(items=90), items=items)
    table = contents.tables["items"]
    assert isinstance(table, Shadowed)
    plain = BundleContents(**{**vars(contents), "tables": {"items": table.with_shadow(None)}})
    for name, one in (("shadowed", contents), ("plain", plain), ("again", contents)):
        write_bundle(tmp_path / name, one)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "shadowed").read_bytes()
    with Bundle.open(tmp_path / "shadowed", verify="full") as bundle, Bundle.open(tmp_path / "plain") as without:
        found = bundle.table("items")
        assert isinstance(found, Shadowed)
        assert table.shadow is not None
        assert found.shadow is not None
        for part, array in table.shadow.parts().items():
            held = found.shadow.parts()[part]
            assert np.array_equal(held, array)
            assert held.ctypes.data % 64 == 0
            assert not held.flags.writeable
        assert json.loads(bundle.read("manifest.json"))["schema_version"] == 3
        assert json.loads(without.read("manifest.json"))["schema_version"] == 1
        assert bundle.manifest.model_bytes == without.manifest.model_bytes + table.shadow.nbytes
        query = np.random.default_rng(0).normal(size=16).astype(np.float32)
        for one_answer, other in zip(top_k(found, query, 7), top_k(without.table("items"), query, 7), strict=True):
            assert np.array_equal(np.asarray(one_answer), np.asarray(other))
    with Recommender.open(tmp_path / "shadowed") as device, Recommender.open(tmp_path / "plain") as other_device:
        assert device.recommend(["i3", "i8"], k=20) == other_device.recommend(["i3", "i8"], k=20)


def test_an_older_version_has_no_shadow(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """A bundle that has one and says version 2 is damaged; a runtime that reads up to 2 refuses the true one by its number."""
    path = tmp_path / "shadowed.edgerec"
    write_bundle(path, with_shadow(make_bundle(items=40)))
    with_manifest(path, lambda manifest: manifest.update(schema_version=2))
    with pytest.raises(BundleError, match="uses what came with 3"):
        Bundle.open(path)


def test_shadows_that_do_not_fit_are_refused(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """Another number of groups, another width, parts missing or too many, and a shadow of items that have none."""
    table = Int8Table.encode(np.ones((40, 9), np.float32))
    parts = Shadow.encode(table).parts()
    groups, grid = parts["groups"], parts["grid"]
    wrong: list[dict[str, NDArray[Any]]] = [
        {"groups": groups[:1], "grid": grid},
        {"groups": groups[:, 64:], "grid": grid},
        {"groups": groups, "grid": grid[:1]},
        {"groups": groups.astype(np.int8), "grid": grid},
        {"groups": groups},
        {**parts, "bias": grid},
    ]
    for one in wrong:
        with pytest.raises(BundleError, match="shadow"):
            Shadow.from_parts(one, rows=40, dims=9)
    path = tmp_path / "shadowed.edgerec"
    write_bundle(path, with_shadow(make_bundle(items=40)))

    def of_binary(manifest: dict[str, Any]) -> None:
        for entry in manifest["tables"]:
            entry["layout"] = "binary" if entry["role"] == "items" else entry["layout"]

    with_manifest(path, of_binary)
    with pytest.raises(BundleError, match="shadow of binary items"):
        Bundle.open(path)


def golden_contents(graph: bytes) -> BundleContents:
    """Return what the kept bundle holds: vectors of small whole numbers of many sizes, a row of zeros among them."""
    row, column = np.mgrid[:40, :16]
    vectors = ((row * 37 + column * 101 + row * column * 13) % 127 - 63).astype(np.float32) / 2.0 ** (row % 7)
    vectors[11] = 0
    table = Int8Table.encode(vectors)
    return BundleContents(
        name="golden",
        precision=Precision.parse("items=int8"),
        encoders={"onnx": graph},
        tables={"items": table.with_shadow(Shadow.encode(table))},
        catalogue=Catalogue(tuple(f"id {number}" for number in range(40))),
        max_length=16,
    )


def test_the_kept_bundle_is_written_the_same(tmp_path: Path) -> None:
    """A shadow has the same bytes on every machine; a change of them is a change of the format, and needs a new version of it."""
    with Bundle.open(GOLDEN, verify="full") as bundle:
        contents = golden_contents(bundle.read("encoder.onnx"))
        found, made = bundle.table("items"), contents.tables["items"]
        assert isinstance(found, Shadowed)
        assert isinstance(made, Shadowed)
        assert found.shadow is not None
        assert made.shadow is not None
        for part, array in made.shadow.parts().items():
            assert np.array_equal(found.shadow.parts()[part], array)
    if not zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):  # whose deflated bytes differ
        write_bundle(tmp_path / "again.edgerec", contents)
        assert (tmp_path / "again.edgerec").read_bytes() == GOLDEN.read_bytes()


def test_layouts_without_a_shadow_are_written_without(make_bundle: MakeBundle) -> None:
    """Tables of other layouts have no such field."""
    assert not isinstance(Int4Table.encode(np.ones((3, 4), np.float32)), Shadowed)
    with Bundle.open(make_bundle(precision="binary")) as bundle:
        assert set(bundle.manifest.layouts) == {"items", "rescore"}
