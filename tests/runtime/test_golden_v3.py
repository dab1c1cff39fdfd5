"""The bundle of schema version 3 that is kept: an encoder that goes on from what it remembers; read and written the same."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from step_graphs import mean_state

from edge_rec_runtime import Bundle, BundleContents, Catalogue, Int8Table, Precision, Recommender, write_bundle
from edge_rec_runtime.bundle import Steps

GOLDEN = Path(__file__).parent / "golden"
ROWS, DIMS = 24, 16


def golden_contents(graph: bytes, step: bytes) -> BundleContents:
    """Return what the kept bundle holds: vectors of small whole numbers, so that no machine rounds them differently."""
    row, column = np.mgrid[:ROWS, :DIMS]
    vectors = ((row * 37 + column * 101 + row * column * 13) % 127 - 63).astype(np.float32) / 64
    return BundleContents(
        name="golden",
        precision=Precision.parse("items=int8"),
        encoders={"onnx": graph},
        steps=Steps(state=mean_state(DIMS), graphs={"onnx": step}),
        tables={"items": Int8Table.encode(vectors)},
        catalogue=Catalogue(tuple(f"id {number}" for number in range(ROWS))),
        max_length=6,
    )


def test_it_answers_as_it_did_event_by_event() -> None:
    """The recommendations that were written down with it are still the ones it gives, from the window's start beyond its end."""
    expected = json.loads((GOLDEN / "v3.json").read_text())
    with Recommender.open(GOLDEN / "v3.edgerec", verify="full") as recommender:
        session = recommender.session()
        for item, wanted in zip(expected["history"], expected["answers"], strict=True):
            session.add(item)
            for answer in (session.recommend(5), recommender.recommend(expected["history"][: len(session)], k=5)):
                assert answer.ids == tuple(wanted["ids"])
                np.testing.assert_allclose([one.score for one in answer], wanted["scores"], rtol=1e-5)


def test_it_is_written_the_same(tmp_path: Path) -> None:
    """A change of the writer that changes bytes is a change of the format, and needs a new version of it."""
    if zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):
        pytest.skip("this Python deflates with zlib-ng, whose bytes differ")
    with Bundle.open(GOLDEN / "v3.edgerec") as bundle:
        write_bundle(tmp_path / "again.edgerec", golden_contents(bundle.read("encoder.onnx"), bundle.read("step.onnx")))
    assert (tmp_path / "again.edgerec").read_bytes() == (GOLDEN / "v3.edgerec").read_bytes()
