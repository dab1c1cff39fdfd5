"""The reader in JavaScript reads of every bundle what Python reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reading import DESCRIBE, describe
from rewriting import with_manifest

from edge_rec_runtime.bundle import RetrieverGraphs

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]
GOLDEN = Path(__file__).parents[2] / "runtime" / "golden"
PRECISIONS = ("fp32", "fp16", "int8", "items=int4", "binary", "binary-only", "items=binary", "items=pq")


def test_every_kept_bundle_is_read_as_python_reads_it(run_node: RunNode) -> None:
    """Goldens of every schema version, from memory and from a Blob, with every byte checked."""
    paths = sorted(GOLDEN.glob("*.edgerec"))
    requests = [{"path": str(path), "verify": "full", "blob": blob} for path in paths for blob in (False, True)]
    assert len(paths) >= 6
    assert run_node(DESCRIBE, requests) == [describe(Path(str(request["path"]))) for request in requests]


def test_every_kind_and_layout_is_read(
    run_node: RunNode, make_bundle: MakeBundle, make_ranker: MakeBundle, make_neighbours: MakeBundle
) -> None:
    """Retrievers of every layout, with and without titles, graphs inside or not, neighbours and rankers."""
    paths = [make_bundle(name=f"{place}.edgerec", precision=one, items=40) for place, one in enumerate(PRECISIONS)]
    whole = RetrieverGraphs(k=7, graphs={"onnx": b"not looked at " * 5000})
    paths += [
        make_bundle(name="plain.edgerec", plain=True),
        make_bundle(name="whole.edgerec", retriever=whole),
        make_ranker(),
        make_neighbours(name="n32.edgerec"),
        make_neighbours(name="n8.edgerec", precision="int8"),
    ]
    requests = [{"path": str(path), "verify": "full"} for path in paths]
    assert run_node(DESCRIBE, requests) == [describe(path) for path in paths]


def test_zeros_are_put_back(run_node: RunNode, make_ranker: MakeBundle) -> None:
    """A graph that was stored without its zeros comes out byte for byte, whatever the words that were left out."""
    graphs = [bytes(9000) + b"weights", _every_mode()]
    paths = [make_ranker(name=f"{place}.edgerec", encoders={"onnx": graph}) for place, graph in enumerate(graphs)]
    expected = [describe(path) for path in paths]
    assert all(".packed" in path.read_bytes().decode("latin-1") for path in paths)
    assert run_node(DESCRIBE, [{"path": str(path), "verify": "full"} for path in paths]) == expected


def _every_mode() -> bytes:
    """Return blocks for which each width of words and each byte before the first one is the smallest, and a full one."""
    blocks = [b"\1" * 1024]
    for width, before in ((1, 0), (2, 0), (2, 1), (4, 0), (4, 1), (4, 2), (4, 3)):
        words = (b"\1" * width + bytes(7 * width)) * (1024 // (8 * width))
        blocks += [words[-before:] + words[:-before] if before else words] * 3
    return b"".join(blocks) + b"the end"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schema_version": 99}, "schema version 99; this release of edgerec reads versions 1 to 4"),
        ({"kind": "oracle"}, "kind is"),
        ({"model_bytes": -1}, "model_bytes is -1"),
        ({"tables": {}}, "tables is"),
        ({"encoders": [{"target": "onnx"}]}, "member is"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    run_node: RunNode, make_bundle: MakeBundle, change: dict[str, Any], sentence: str
) -> None:
    """A manifest of another version, kind or type is named with what was expected."""
    path = with_manifest(make_bundle(), lambda manifest: manifest.update(change))
    (answer,) = run_node(DESCRIBE, [{"path": str(path)}])
    assert sentence in answer["refused"]
    assert "crash" not in answer
