"""Bundles fetched from a server: only what is needed where it knows ranges, and nothing that is not the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import DESCRIBE, describe
from serving import served

from edge_rec_runtime import Fp32Table
from edge_rec_runtime.bundle import RetrieverGraphs

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]

GRAPH = np.random.default_rng(0).bytes(50_000)


@pytest.fixture
def whole(make_bundle: MakeBundle) -> Path:
    """A bundle with a graph for apps, and tables larger than all that apps need."""
    return make_bundle(items=2000, dims=128, retriever=RetrieverGraphs(k=7, graphs={"onnx": GRAPH}))


def test_only_what_an_app_needs_is_fetched(run_node: RunNode, whole: Path) -> None:
    """From a server that knows ranges come the manifest, the catalogue and the graph, and no table."""
    with served(whole) as (url, sent):
        assert run_node(DESCRIBE, [{"url": url}]) == [describe(whole)]
    table = Fp32Table.encode(np.ones((2000, 128), np.float32)).nbytes
    assert table == 2000 * 128 * 4
    assert sum(sent) < whole.stat().st_size - table + 2**16 + 1024


@pytest.mark.parametrize(("ranges", "told"), [(True, True), (True, False), (False, True)])
def test_every_server_will_do(run_node: RunNode, whole: Path, *, ranges: bool, told: bool) -> None:
    """Checked in full, with ranges, from one that does not say which it sends, and from one that always sends the whole file."""
    with served(whole, ranges=ranges, told=told) as (url, sent):
        assert run_node(DESCRIBE, [{"url": url, "verify": "full"}]) == [describe(whole)]
    assert whole.stat().st_size in sent or (ranges and told)


def test_small_bundles_come_at_once(run_node: RunNode) -> None:
    """What fits into the first answer is not asked for again."""
    path = Path(__file__).parents[2] / "runtime" / "golden" / "v1.edgerec"
    with served(path) as (url, sent):
        assert run_node(DESCRIBE, [{"url": url, "verify": "full"}]) == [describe(path)]
    assert sent == [path.stat().st_size]


def test_what_is_not_the_file_is_refused(run_node: RunNode, whole: Path, tmp_path: Path) -> None:
    """Answers that are too short, a file that changes, one that is no bundle, and no server are each one sentence."""
    text = tmp_path / "text"
    text.write_text("<!doctype html>" * 10_000)
    with served(whole, short=1) as (short, _), served(whole, grows=1) as (grown, _), served(text) as (other, _):
        urls = (short, grown, other, "http://127.0.0.1:1/films.edgerec")
        answers = run_node(DESCRIBE, [{"url": url} for url in urls])
    said = ("truncated, copy the file again", "the file changed", "does not end as a bundle does", "cannot be fetched")
    for answer, sentence in zip(answers, said, strict=True):
        assert sentence in answer["refused"]
        assert answer["refused"].startswith("http://127.0.0.1")
        assert "crash" not in answer
