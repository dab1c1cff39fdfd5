"""The kept bundles of the other kinds: this release reads them, answers as it did, and writes the same bytes."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from edge_rec_runtime import (
    Bundle,
    BundleContents,
    Catalogue,
    Feature,
    Precision,
    Ranker,
    Recommender,
    SparseInt8Table,
    SparseTable,
    write_bundle,
)

GOLDEN = Path(__file__).parent / "golden"
ROWS = 12
KINDS = ("neighbours", "ranker")


def golden_contents(kind: str, graphs: dict[str, bytes]) -> BundleContents:
    """Return what a kept bundle holds: small whole numbers, so that no machine rounds them differently."""
    catalogue = Catalogue(tuple(f"id {number}, é" for number in range(ROWS)), None, None, np.arange(ROWS, dtype=np.uint32))
    known = {"metrics": {"auc": 0.75}, "verification": {"passed": True}, "provenance": {"seed": 0}}
    if kind == "neighbours":
        row, column = np.mgrid[:ROWS, :ROWS]
        weights = np.where((row * 5 + column * 3) % 4 == 1, (row * 37 + column * 101) % 255 - 127, 0) / 64
        starts = np.concatenate([[0], np.cumsum((weights != 0).sum(axis=1))])
        table = SparseInt8Table.encode(SparseTable.encode(starts, np.nonzero(weights)[1], weights[weights != 0]))
        return BundleContents(
            name="golden", kind=kind, precision=Precision.parse("int8"), tables={"neighbours": table}, catalogue=catalogue,
            max_length=8, **known,
        )  # fmt: skip
    number = np.arange(ROWS)
    return BundleContents(
        name="golden",
        kind=kind,
        precision=Precision.parse("fp32"),
        encoders=graphs,
        catalogue=catalogue,
        features=(
            Feature("item", "category", "item", catalogue.ids),
            Feature("genres", "categories", "item", ("Drama", "War"), 2),
            Feature("year", "number", "item"),
            Feature("history", "categories", "context", catalogue.ids, 10),
            Feature("taste", "category", "context", ("Drama", "War")),
            Feature("hour", "number", "context"),
        ),
        item_values={
            "item": (number + 1).astype(np.int32),
            "genres": np.stack([number % 3, np.where(number % 3, number % 2, 0)], axis=1).astype(np.int32),
            "year": (number / 4).astype(np.float32),
        },
        **known,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_whole(kind: str) -> None:
    """Every byte is accounted for, and tables, features and figures are what they were."""
    with Bundle.open(GOLDEN / f"v1-{kind}.edgerec", verify="full") as bundle:
        contents = golden_contents(kind, {})
        assert (bundle.manifest.kind, bundle.manifest.metrics) == (kind, contents.metrics)
        assert bundle.catalogue.ids == contents.catalogue.ids
        assert bundle.features == contents.features
        assert {name: one.tolist() for name, one in bundle.item_values().items()} == {
            name: one.tolist() for name, one in contents.item_values.items()
        }
        if kind == "neighbours":
            found, expected = bundle.neighbours().parts(), contents.tables[kind].parts()
            assert {name: one.tolist() for name, one in found.items()} == {name: one.tolist() for name, one in expected.items()}


def test_the_neighbours_answer_as_they_did() -> None:
    """The recommendations that were written down with the bundle are still the ones it gives."""
    expected = json.loads((GOLDEN / "v1-kinds.json").read_text())["neighbours"]
    with Recommender.open(GOLDEN / "v1-neighbours.edgerec") as recommender:
        for one in expected:
            answer = recommender.recommend(one["history"], k=5)
            assert answer.ids == tuple(one["ids"])
            np.testing.assert_allclose([item.score for item in answer], one["scores"], rtol=1e-6)


def test_the_ranker_answers_as_it_did() -> None:
    """So are its order of candidates and their scores."""
    expected = json.loads((GOLDEN / "v1-kinds.json").read_text())["ranker"]
    with Ranker.open(GOLDEN / "v1-ranker.edgerec") as ranker:
        for one in expected:
            answer = ranker.rank(ranker.catalogue.ids, one["context"], k=5)
            assert answer.ids == tuple(one["ids"])
            np.testing.assert_allclose([item.score for item in answer], one["scores"], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_written_the_same(tmp_path: Path, kind: str) -> None:
    """A change of the writer that changes bytes is a change of the format, and needs a new version of it."""
    if zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):
        pytest.skip("this Python deflates with zlib-ng, whose bytes differ")
    golden = GOLDEN / f"v1-{kind}.edgerec"
    with Bundle.open(golden) as bundle:
        graphs = {target: bundle.read(member) for target, member in bundle.manifest.encoder_members.items()}
    write_bundle(tmp_path / "again.edgerec", golden_contents(kind, graphs))
    assert (tmp_path / "again.edgerec").read_bytes() == golden.read_bytes()
