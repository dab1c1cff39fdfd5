"""The bundle of schema version 2 that is kept: product codes, and a graph without its zeros; read and written the same."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from edge_rec_runtime import Bundle, BundleContents, Catalogue, Int8Table, PqTable, Precision, Recommender, top_k, write_bundle

GOLDEN = Path(__file__).parent / "golden"
ROWS, PIECES, KNOWN, WIDTH = 24, 4, 16, 16


def golden_contents(graph: bytes) -> BundleContents:
    """Return what the kept bundle holds: pieces of small whole numbers, so that no machine rounds them differently."""
    piece, known, column = np.mgrid[:PIECES, :KNOWN, :WIDTH]
    codebooks = ((piece * 61 + known * 37 + column * 101 + known * column * 13) % 127 - 63).astype(np.float32) / 32
    row, place = np.mgrid[:ROWS, :PIECES]
    items = PqTable.pack((row * 7 + place * 5 + row * place) % KNOWN, codebooks, np.arange(ROWS) / 64)
    return BundleContents(
        name="golden",
        precision=Precision.parse("items=pq,rescore=int8"),
        encoders={"onnx": graph},
        tables={"items": items, "rescore": Int8Table.encode(items.decode(np.arange(ROWS)))},
        catalogue=Catalogue(tuple(f"id {number}" for number in range(ROWS))),
        max_length=16,
    )


def test_it_is_read_whole() -> None:
    """Every byte is accounted for, the graph has its zeros again, and the tables are what they were."""
    with Bundle.open(GOLDEN / "v2.edgerec", verify="full") as bundle:
        graph = bundle.read("encoder.onnx.packed")
        assert bundle.manifest.packed == {"encoder.onnx.packed": len(graph)}
        assert len(graph) > 2 * bundle.members["encoder.onnx.packed"]
        for role, table in golden_contents(graph).tables.items():
            for part, array in table.parts().items():
                assert np.array_equal(bundle.table(role).parts()[part], array)


def test_it_answers_as_it_did() -> None:
    """The recommendations that were written down with it are still the ones it gives."""
    expected = json.loads((GOLDEN / "v2.json").read_text())
    with Recommender.open(GOLDEN / "v2.edgerec") as recommender:
        for one in expected["requests"]:
            answer = recommender.recommend(one["history"], k=5)
            assert answer.ids == tuple(one["ids"])
            np.testing.assert_allclose([item.score for item in answer], one["scores"], rtol=1e-5)
        rows, scores = top_k(recommender.bundle.table("items"), np.arange(PIECES * WIDTH, dtype=np.float32), 5)
        assert rows.tolist() == expected["scan"]["rows"]
        assert scores.tolist() == expected["scan"]["scores"]


def test_it_is_written_the_same(tmp_path: Path) -> None:
    """A change of the writer that changes bytes is a change of the format, and needs a new version of it."""
    if zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):
        pytest.skip("this Python deflates with zlib-ng, whose bytes differ")
    with Bundle.open(GOLDEN / "v2.edgerec") as bundle:
        write_bundle(tmp_path / "again.edgerec", golden_contents(bundle.read("encoder.onnx.packed")))
    assert (tmp_path / "again.edgerec").read_bytes() == (GOLDEN / "v2.edgerec").read_bytes()
