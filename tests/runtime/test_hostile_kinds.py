"""Rankers and tables of neighbours that were made to deceive: one BundleError each, and never a wrong answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rewriting import rewrite, with_manifest

from edge_rec_runtime import Bundle, Feature, Precision, Ranker, Recommender
from edge_rec_runtime.errors import BundleError, EdgeRecError

MakeBundle = Callable[..., Path]
Use = Callable[[Path], None]
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONTEXT = {"age": "25", "history": ["i3", "i7", "i3"], "hour": 13}


def with_array(path: Path, member: str, change: Callable[[np.ndarray[Any, Any]], None]) -> Path:
    """Change an array in a bundle, and the checksums that would tell."""

    def edit(members: dict[str, bytes]) -> None:
        raw = members[member]
        manifest = json.loads(members["manifest.json"])
        entry = next(one for one in manifest["tables"] if one["member"] == member)
        size = np.dtype(entry["dtype"]).itemsize * int(np.prod(entry["shape"]))
        array = np.frombuffer(raw[-size:], entry["dtype"]).copy()
        change(array)
        members[member] = raw[:-size] + array.tobytes()
        manifest["sha256"][member] = hashlib.sha256(members[member]).hexdigest()
        members["manifest.json"] = json.dumps(manifest).encode()

    return rewrite(path, edit)


def test_bundles_written_again_are_still_good(make_ranker: MakeBundle, make_neighbours: MakeBundle, use: Use) -> None:
    """The helpers of these tests break nothing by themselves."""
    for make, member in ((make_ranker, "tables/item-features.item.npy"), (make_neighbours, "tables/neighbours.starts.npy")):
        use(with_array(with_manifest(make(), lambda manifest: manifest.update(name="another")), member, np.ndarray.sort))


@pytest.mark.parametrize(
    ("member", "place", "value"),
    [
        ("starts", 4, 2**32 - 1),
        ("starts", 4, 0),
        ("starts", 0, 2**31),
        ("starts", 30, 2**32 - 1),
        ("items", 40, 30),
        ("items", 40, 65535),
        ("values", 40, np.nan),
        ("values", 40, np.inf),
    ],
)
def test_a_table_of_neighbours_that_lies_gives_no_answer(
    make_neighbours: MakeBundle, member: str, place: int, value: float
) -> None:
    """Rows that run backwards or beyond the end, items that are none and weights that are no numbers are found in use."""

    def change(array: np.ndarray[Any, Any]) -> None:
        array[place] = value

    path = with_array(make_neighbours(max_length=100), f"tables/neighbours.{member}.npy", change)
    with Recommender.open(path, verify="full") as recommender:
        whole = list(recommender.catalogue.ids)
        for ask in (lambda: recommender.recommend(whole, exclude_seen=False), lambda: recommender.score(whole, ["i5"])):
            with pytest.raises(BundleError, match=r"damaged|not finite"):
                ask()


def test_an_int8_scale_that_is_no_number_gives_no_answer(make_neighbours: MakeBundle) -> None:
    """Infinite and NaN scales of a row are found where the row is used."""
    for value in (np.inf, np.nan):
        path = with_array(make_neighbours(precision="int8"), "tables/neighbours.scales.npy", lambda array: array.fill(value))  # noqa: B023
        with Recommender.open(path) as recommender, pytest.raises(BundleError, match="not finite"):
            recommender.recommend(["i3"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "retriever"),
        ("kind", "ranker"),
        ("inputs", {}),
        ("inputs", {"max_length": 0}),
        (
            "inputs",
            {"max_length": 6, "features": [{"name": "a", "kind": "number", "of": "context", "vocabulary": None, "longest": 1}]},
        ),
        ("tables", []),
        ("precision", {"items": "binary", "network": "int8", "rescore": "none"}),
        ("encoders", [{"target": "onnx", "member": "catalogue/ids.txt"}]),
        ("catalogue", {"items": 29, "ids": "catalogue/ids.txt"}),
    ],
)
def test_a_manifest_of_neighbours_that_lies_is_refused(make_neighbours: MakeBundle, use: Use, key: str, value: object) -> None:
    """Another kind, no window, a graph that the kind has not, fewer items: each is one sentence."""
    path = with_manifest(make_neighbours(), lambda manifest: manifest.update({key: value}))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, {"name": "title"}),
        (0, {"name": "tags"}),
        (0, {"name": "../../x"}),
        (3, {"name": "vectors"}),
        (0, {"kind": "number"}),
        (0, {"kind": "categories"}),
        (0, {"kind": "text"}),
        (0, {"of": "context"}),
        (0, {"of": "user"}),
        (0, {"vocabulary": None}),
        (0, {"vocabulary": "features/missing.txt"}),
        (1, {"vocabulary": "ranker.onnx"}),
        (1, {"vocabulary": "catalogue/titles.txt"}),
        (1, {"vocabulary": "../outside"}),
        (1, {"longest": 2}),
        (1, {"longest": 0}),
        (2, {"vocabulary": "catalogue/ids.txt"}),
        (3, {"of": "item"}),
        (3, {"longest": 3}),
        (4, {"longest": 2**40}),
    ],
)
def test_a_feature_that_lies_is_refused(make_ranker: MakeBundle, use: Use, place: int, change: dict[str, object]) -> None:
    """Names, kinds, words and values of items fit together, or the bundle is not used."""
    path = with_manifest(make_ranker(), lambda manifest: manifest["inputs"]["features"][place].update(change))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "float32"},
        {"shape": [39]},
        {"shape": [40, 1]},
        {"layout": "fp32"},
        {"role": "items"},
        {"name": "item-features.x"},
    ],
)
def test_values_of_items_of_another_shape_are_refused(make_ranker: MakeBundle, use: Use, change: dict[str, object]) -> None:
    """A ranker's arrays are of its features' kinds, one row an item."""
    path = with_manifest(make_ranker(), lambda manifest: manifest["tables"][0].update(change))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize("words", [b"", b"new", b"new\nnew\nodd\n", b"new\n\nodd\n", b"\xff\n", b"a\rb\nold\nodd\n"])
def test_words_that_lie_are_refused(make_ranker: MakeBundle, use: Use, words: bytes) -> None:
    """No words, words twice, empty ones, and bytes that are no text."""
    path = rewrite(make_ranker(), lambda members: members.update({"features/tags.txt": words}))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


def test_a_vocabulary_cut_short_answers_nothing_for_what_it_lost(make_ranker: MakeBundle) -> None:
    """Where words are missing, the items' indexes no longer fit them, which is found in use."""
    path = rewrite(make_ranker(), lambda members: members.update({"features/tags.txt": b"new\n"}))
    with Ranker.open(path) as ranker, pytest.raises(BundleError, match="the values of 'tags'"):
        ranker.rank(ranker.catalogue.ids, CONTEXT)


@given(st.data())
@FUZZ
def test_a_flipped_bit_is_found_or_does_no_harm(
    make_ranker: MakeBundle, make_neighbours: MakeBundle, data: st.DataObject
) -> None:
    """The full check finds every flip; without it nothing but our errors comes out, and answers stay finite."""
    kind, make = data.draw(st.sampled_from([(Ranker, make_ranker), (Recommender, make_neighbours)]))
    path = make()
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.open(path, verify="full")
    try:
        with kind.open(path) as opened:
            answer = opened.rank(["i1", "i2"], CONTEXT) if isinstance(opened, Ranker) else opened.recommend(["i1", "i2"])
    except EdgeRecError:
        return
    assert np.isfinite([one.score for one in answer]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "reranker"}, "kind 'reranker' is not known; use one of retriever, neighbours, ranker"),
        ({"max_length": 5}, "max_length is 5; a ranker has none"),
        ({"item_values": {}}, "values of items for no feature; the features of items are item, tags, length"),
        ({"features": ()}, "the features of items are none"),
        ({"features": (), "item_values": {}}, "no feature of the ranker"),
        ({"precision": Precision.parse("binary")}, "use binary-only"),
        ({"kind": "retriever", "max_length": 5}, "needs the table 'items'"),
        ({"kind": "neighbours", "max_length": 5, "item_values": {}, "features": ()}, "needs the table 'neighbours'"),
    ],
)
def test_parts_that_no_kind_has_are_not_written(
    make_ranker: MakeBundle, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """The writer refuses what a reader would refuse, in a sentence, and leaves no file."""
    with pytest.raises(BundleError, match=message):
        make_ranker(name="new.edgerec", **change)
    assert not (tmp_path / "new.edgerec").exists()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("item", np.arange(1, 42, dtype=np.int32)),
        ("item", np.arange(2, 42, dtype=np.int32)),
        ("item", np.arange(1, 41)),
        ("tags", np.zeros((40, 4), np.int32)),
        ("tags", np.tile(np.array([0, 1], np.int32), (40, 1))),
        ("length", np.full(40, np.nan, np.float32)),
    ],
)
def test_values_that_do_not_fit_their_feature_are_not_written(
    make_ranker: MakeBundle, name: str, values: np.ndarray[Any, Any]
) -> None:
    """Rows, indexes, lengths and numbers are checked before a file is begun."""
    with Bundle.open(make_ranker()) as bundle:
        whole = {kept: one if one.dtype.kind == "f" else one.astype(np.int32) for kept, one in bundle.item_values().items()}
    with pytest.raises(BundleError, match=f"the values of the feature '{name}'"):
        make_ranker(item_values=whole | {name: values})


def test_more_members_than_are_read_are_not_written(make_ranker: MakeBundle) -> None:
    """A ranker of hundreds of features is refused when it is written, not when it is opened."""
    features = tuple(Feature(f"f{place}", "number", "item") for place in range(260))
    values = {one.name: np.zeros(40, np.float32) for one in features}
    with pytest.raises(BundleError, match="more than 256 members"):
        make_ranker(features=features, item_values=values)
