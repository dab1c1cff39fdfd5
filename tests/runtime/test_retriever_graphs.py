"""A retriever as one graph, held by a bundle for apps that have no runtime of ours; to the runtime it is a member like others."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rewriting import rewrite, with_manifest

from edge_rec_runtime import Bundle, Recommender
from edge_rec_runtime.bundle import RetrieverGraphs
from edge_rec_runtime.bundle.retriever_graphs import parse_retriever
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeBundle
    from numpy.typing import NDArray

ONNX, TFLITE = b"a graph" * 99 + bytes(8192), b"another" * 40
BOTH = RetrieverGraphs(k=7, graphs={"tflite": TFLITE, "onnx": ONNX})


@pytest.fixture
def encoders(mean_graph: Callable[[NDArray[np.float32]], bytes]) -> dict[str, bytes]:
    """Encoders for both targets, of which a test runs the first."""
    return {"onnx": mean_graph(np.eye(16, dtype=np.float32)), "tflite": b"not run here"}


def test_each_target_has_its_graph_and_one_k(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """What was put in comes out, for one target or both, and the encoder goes on answering."""
    for graphs in ({"onnx": ONNX}, {"tflite": TFLITE}, BOTH.graphs):
        path = make_bundle(encoders=encoders, retriever=RetrieverGraphs(k=7, graphs=graphs))
        with Recommender.open(path, verify="full") as recommender:
            bundle = recommender.bundle
            assert bundle.manifest.retriever is not None
            assert bundle.manifest.retriever.k == 7
            assert {target: bundle.retriever_graph(target) for target in bundle.manifest.retriever.members} == dict(graphs)
            assert len(recommender.recommend(["i1"])) == 10


def test_it_is_stored_as_it_is_and_is_no_part_of_the_models_bytes(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """Neither deflated nor without its zeros, so that a web page slices it out; it is the same model once more."""
    without = make_bundle(encoders=encoders, name="without.edgerec")
    path = make_bundle(encoders=encoders, retriever=BOTH)
    with zipfile.ZipFile(path) as archive:
        for name in ("retriever.onnx", "retriever.tflite"):
            assert archive.getinfo(name).compress_type == zipfile.ZIP_STORED
        assert archive.namelist()[:5] == ["manifest.json", "encoder.onnx", "encoder.tflite", "retriever.onnx", "retriever.tflite"]
    with Bundle.open(path) as bundle, Bundle.open(without) as before:
        assert bundle.manifest.model_bytes == before.manifest.model_bytes
        assert bundle.nbytes > before.nbytes + len(ONNX) + len(TFLITE)


def test_only_bundles_with_a_retriever_graph_need_version_4(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """Older runtimes go on reading what they can, and refuse the rest by its number; order does not change the bytes."""
    with (
        Bundle.open(make_bundle(encoders=encoders)) as plain,
        Bundle.open(make_bundle(encoders=encoders, retriever=BOTH)) as held,
    ):
        assert [json.loads(one.read("manifest.json"))["schema_version"] for one in (plain, held)] == [1, 4]
        assert "retriever" not in json.loads(plain.read("manifest.json"))
        assert json.loads(held.read("manifest.json"))["retriever"] == {
            "k": 7,
            "graphs": {"onnx": "retriever.onnx", "tflite": "retriever.tflite"},
        }
    turned = RetrieverGraphs(k=7, graphs=dict(reversed(list(BOTH.graphs.items()))))
    again = make_bundle(encoders=encoders, retriever=turned, name="again.edgerec")
    assert again.read_bytes() == make_bundle(encoders=encoders, retriever=BOTH).read_bytes()


@pytest.mark.parametrize("given", [None, RetrieverGraphs(k=7, graphs={"onnx": ONNX})])
def test_a_graph_that_is_not_there_says_what_is(
    make_bundle: MakeBundle, encoders: dict[str, bytes], given: RetrieverGraphs | None
) -> None:
    """And how to make one."""
    with (
        Bundle.open(make_bundle(encoders=encoders, retriever=given)) as bundle,
        pytest.raises(BundleError, match=r"has (none|onnx); convert a retriever with --graph retriever --to tflite"),
    ):
        bundle.retriever_graph("tflite")


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(k=0),
        lambda said: said.update(k=61),  # of 60 items
        lambda said: said.update(k=7.0),
        lambda said: said.update(k="7"),
        lambda said: said.pop("k"),
        lambda said: said.update(graphs=["retriever.onnx"]),
        lambda said: said["graphs"].clear(),
        lambda said: said["graphs"].update(coreml="retriever.onnx"),
        lambda said: said["graphs"].update(onnx=7),
        lambda said: said["graphs"].update(onnx="elsewhere.onnx"),
        lambda said: said["graphs"].update(onnx="encoder.onnx"),
        lambda said: said["graphs"].update(onnx="retriever.tflite"),
        lambda said: said["graphs"].update(onnx="manifest.json"),
        lambda said: said["graphs"].update(onnx="../retriever.onnx"),
        lambda said: said["graphs"].pop("tflite"),
    ],
)
def test_a_manifest_that_says_nonsense_of_it_is_refused(
    make_bundle: MakeBundle, encoders: dict[str, bytes], change: Callable[[dict[str, Any]], object]
) -> None:
    """An odd k or target, a member that is another's or nobody's: all are refused when the bundle is opened."""
    path = make_bundle(encoders=encoders, retriever=BOTH)
    with pytest.raises(BundleError):
        Bundle.open(with_manifest(path, lambda manifest: change(manifest["retriever"])))


@pytest.mark.parametrize("value", [None, [], 7, "retriever.onnx"])
def test_what_is_no_object_is_refused(make_bundle: MakeBundle, encoders: dict[str, bytes], value: object) -> None:
    """Whatever stands in its place."""
    path = make_bundle(encoders=encoders, retriever=BOTH)
    with pytest.raises(BundleError, match=r"retriever is .*; expected an object"):
        Bundle.open(with_manifest(path, lambda manifest: manifest.update(retriever=value)))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(["onnx", "x" * 2000, ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["onnx", "tflite", "k"]), inner)),
)


@given(st.dictionaries(st.sampled_from(["k", "graphs", "more"]), JSON), st.integers(1, 2**40))
def test_whatever_stands_there_is_read_or_refused(record: dict[str, Any], items: int) -> None:
    """What is read has a k that the catalogue can fill, and members for targets that there are."""
    try:
        found = parse_retriever(record, targets=("onnx",), items=items)
    except BundleError:
        return
    assert 1 <= found.k <= items
    assert list(found.members) == ["onnx"]
    assert found.record() == {"k": record["k"], "graphs": record["graphs"]}


def test_it_is_of_retrievers_alone(make_ranker: MakeBundle, make_neighbours: MakeBundle) -> None:
    """A ranker's own graph is what an app runs, and neighbours have none; neither is written with one, nor read."""
    for make in (make_ranker, make_neighbours):
        with pytest.raises(BundleError, match="retriever"):
            make(retriever=RetrieverGraphs(k=3, graphs={"onnx": ONNX}))

    def add(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest |= {"schema_version": 4, "retriever": {"k": 3, "graphs": {"onnx": "retriever.onnx"}}}
        manifest["sha256"]["retriever.onnx"] = "0" * 64
        members |= {"manifest.json": json.dumps(manifest).encode(), "retriever.onnx": ONNX}

    with pytest.raises(BundleError, match="names a retriever graph, and a bundle of the kind 'ranker' has none"):
        Bundle.open(rewrite(make_ranker(), add))


def test_a_target_without_an_encoder_is_refused(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """Before anything is written: the graphs of a bundle are of its targets."""
    with pytest.raises(BundleError, match="retriever has graphs for onnx, tflite; expected some of"):
        make_bundle(encoders={"onnx": encoders["onnx"]}, retriever=BOTH)


def test_zeros_are_never_left_out_of_it(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """A manifest that says so is refused, since an app takes the member's bytes as they are."""
    path = make_bundle(encoders=encoders, retriever=BOTH)
    with pytest.raises(BundleError, match=r"zeros were left out of retriever\.onnx"):
        Bundle.open(with_manifest(path, lambda manifest: manifest.update(packed={"retriever.onnx": 9000})))


def test_version_3_does_not_know_it(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """There the key is skipped like any unknown one, and the member that it would name is one too many."""
    path = make_bundle(encoders=encoders, retriever=BOTH)
    with pytest.raises(BundleError, match="name different members"):
        Bundle.open(with_manifest(path, lambda manifest: manifest.update(schema_version=3)))


def test_a_member_that_was_taken_out_is_missed(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """The file and its manifest must name the same."""
    with pytest.raises(BundleError, match="name different members"):
        Bundle.open(rewrite(make_bundle(encoders=encoders, retriever=BOTH), lambda members: members.pop("retriever.tflite")))


def test_a_changed_graph_is_noticed(make_bundle: MakeBundle, encoders: dict[str, bytes]) -> None:
    """By the checksum whenever it is read, and by the hash where a new checksum was written beside the change."""
    path = make_bundle(encoders=encoders, retriever=BOTH)
    whole = path.read_bytes()
    place = whole.index(TFLITE)
    path.write_bytes(whole[:place] + b"A" + whole[place + 1 :])
    with Bundle.open(path) as bundle:
        assert bundle.retriever_graph("onnx") == ONNX
        with pytest.raises(BundleError, match=r"'retriever\.tflite' fails its checksum"):
            bundle.retriever_graph("tflite")
    path.write_bytes(whole)
    rewrite(path, lambda members: members.update({"retriever.onnx": ONNX[::-1]}))
    with pytest.raises(BundleError, match=r"'retriever\.onnx' has SHA-256"):
        Bundle.open(path, verify="full")
