"""The bundle of schema version 1 that is kept: this release reads it, and writes the same bytes."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from edge_rec_runtime import (
    BinaryTable,
    Bundle,
    BundleContents,
    Catalogue,
    Int8Table,
    Precision,
    Recommender,
    top_k,
    write_bundle,
)

GOLDEN = Path(__file__).parent / "golden"
ROWS, DIMS = 24, 8


def golden_contents(graph: bytes) -> BundleContents:
    """Return what the kept bundle holds: vectors of small whole numbers, so that no machine rounds them differently."""
    row, column = np.mgrid[:ROWS, :DIMS]
    values = ((row * 37 + column * 101 + row * column * 13) % 255 - 127).astype(np.float32) / 64
    genres = (("Drama",), ("Comedy", "Drama"), ())
    return BundleContents(
        name="golden",
        precision=Precision.parse("binary"),
        encoders={"onnx": graph},
        tables={
            "items": BinaryTable.pack(values > 0, np.full(ROWS, 0.5), np.arange(ROWS) / 64, np.eye(DIMS)),
            "rescore": Int8Table.encode(values),
        },
        catalogue=Catalogue(
            tuple(f"id {number}, é" for number in range(ROWS)),
            tuple(f"Title {number}" for number in range(ROWS)),
            {"genres": tuple(genres[number % 3] for number in range(ROWS))},
            np.arange(ROWS, dtype=np.uint32)[::-1].copy(),
        ),
        max_length=16,
        metrics={"ndcg_at_10": 0.125, "ndcg_at_10_ci": [0.1, 0.15]},
        verification={"passed": True},
        provenance={"seed": 0},
    )


def test_it_is_read_whole() -> None:
    """Every byte is accounted for, and tables, catalogue and figures are what they were."""
    with Bundle.open(GOLDEN / "v1.edgerec", verify="full") as bundle:
        contents = golden_contents(bundle.read("encoder.onnx"))
        assert bundle.catalogue.ids == contents.catalogue.ids
        assert bundle.catalogue.titles == contents.catalogue.titles
        assert bundle.catalogue.attributes == contents.catalogue.attributes
        assert bundle.manifest.metrics == contents.metrics
        for role, table in contents.tables.items():
            for part, array in table.parts().items():
                assert np.array_equal(bundle.table(role).parts()[part], array)


def test_it_answers_as_it_did() -> None:
    """The recommendations that were written down with it are still the ones it gives."""
    expected = json.loads((GOLDEN / "v1.json").read_text())
    with Recommender.open(GOLDEN / "v1.edgerec") as recommender:
        for one in expected["requests"]:
            answer = recommender.recommend(one["history"], k=5)
            assert answer.ids == tuple(one["ids"])
            np.testing.assert_allclose([item.score for item in answer], one["scores"], rtol=1e-5)
        rows, scores = top_k(recommender.bundle.table("items"), np.arange(DIMS, dtype=np.float32), 5)
        assert rows.tolist() == expected["scan"]["rows"]
        np.testing.assert_allclose(scores, expected["scan"]["scores"], rtol=1e-6)


def test_it_is_written_the_same(tmp_path: Path) -> None:
    """A change of the writer that changes bytes is a change of the format, and needs a new version of it."""
    if zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):
        pytest.skip("this Python deflates with zlib-ng, whose bytes differ")
    with Bundle.open(GOLDEN / "v1.edgerec") as bundle:
        write_bundle(tmp_path / "again.edgerec", golden_contents(bundle.read("encoder.onnx")))
    assert (tmp_path / "again.edgerec").read_bytes() == (GOLDEN / "v1.edgerec").read_bytes()
