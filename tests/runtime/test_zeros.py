"""Members without their zeros: smaller by what pruning took, given back to the byte, and never more than they say."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rewriting import rewrite, with_manifest

from edge_rec_runtime import Bundle, BundleContents, Catalogue, Fp32Table, Int8Table, Precision, Recommender, write_bundle
from edge_rec_runtime.bundle import _write
from edge_rec_runtime.bundle._zeros import BLOCK, LEAST_SAVED, MODES, pack, unpack
from edge_rec_runtime.errors import BundleError

MakeBundle = Callable[..., Path]
Use = Callable[[Path], None]
ITEMS, DIMS = 500, 32


def pruned(shape: tuple[int, ...], share: float, *, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return float32 values of which a share is zero."""
    source = np.random.default_rng(seed)
    return np.where(source.random(shape) < share, 0, source.normal(size=shape)).astype(np.float32)


@st.composite
def graphs(draw: st.DrawFn) -> bytes:
    """Draw a file: stretches of weights of several widths, some with zeros, wherever the bytes before them end."""
    stretches = []
    for _ in range(draw(st.integers(1, 4))):
        source = np.random.default_rng(draw(st.integers(0, 2**32)))
        stretches.append(source.bytes(draw(st.integers(0, 9))))
        dtype = draw(st.sampled_from([np.int8, np.float16, np.float32]))
        values = (source.normal(size=draw(st.integers(0, 9000))) * 50).astype(dtype)
        values[source.random(len(values)) < draw(st.sampled_from([0, 0.3, 0.8, 0.99, 1]))] = 0
        stretches.append(values.tobytes())
    return b"".join(stretches)


def by_the_book(stored: bytes, size: int) -> bytes:
    """Unpack a member as docs/bundle-format.md says, a bit at a time."""
    left = iter(stored)
    take = lambda count: bytes(next(left) for _ in range(count))  # noqa: E731
    modes, blocks = take(-(-size // 1024)), {}
    for mode, (word, before) in enumerate([(0, 0), (1, 0), (2, 0), (2, 1), (4, 0), (4, 1), (4, 2), (4, 3)]):
        places = [place for place, one in enumerate(modes) if one == mode]
        if mode == 0:
            blocks |= {place: take(1024) for place in places}
            continue
        bitmaps = {place: "".join(f"{byte:08b}" for byte in take(1024 // word // 8)) for place in places}
        for place, bits in bitmaps.items():
            turned = b"".join(take(word) if bit == "1" else bytes(word) for bit in bits)
            blocks[place] = turned[1024 - before :] + turned[: 1024 - before]
    assert next(left, None) is None
    return b"".join(blocks[place] for place in range(len(modes)))[:size]


@given(graphs(), st.sampled_from([(1, 2, 4), (1,), (2,), (4,)]))
@settings(max_examples=120, deadline=None)
def test_every_byte_comes_back(content: bytes, words: tuple[int, ...]) -> None:
    """Whatever is packed is given back, is smaller by a tenth and a page, and is the same however it came in pieces."""
    packed = pack([content], words=words)
    assert packed == pack([content[:777], b"", memoryview(content)[777:]], words=words)
    if packed is not None:
        assert len(content) - len(packed) >= max(LEAST_SAVED, len(content) / 10)
        assert unpack(packed, len(content)).tobytes() == content


@given(graphs())
@settings(max_examples=15, deadline=None)
def test_the_page_says_how(content: bytes) -> None:
    """A reader written from the description alone gives the same bytes."""
    if (packed := pack([content])) is not None:
        assert by_the_book(packed, len(content)) == content


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 1 / 32), (np.float16, 1 / 16), (np.int8, 1 / 8)])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_pruned_weight_costs_a_bit(dtype: type[np.generic], most: float, before: int) -> None:
    """Four fifths of zeros cost a bit each, whatever the width of a weight and wherever in the file the weights begin."""
    values = (pruned((60_000,), 0.8) * 40).astype(dtype)
    kept = np.count_nonzero(values) * values.itemsize
    packed = pack([b"x" * before, values.tobytes()])
    assert packed is not None
    assert len(packed) < kept + most * values.nbytes + values.nbytes / 500 + 3 * BLOCK


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 4000, np.random.default_rng(0).bytes(100_000), (b"\0" * 90 + b"x" * 910) * 100],
    ids=["empty", "small", "dense", "a-tenth"],
)
def test_what_would_save_little_stays(content: bytes) -> None:
    """Less than a page, less than a tenth: such members can be mapped as they are."""
    assert pack([content]) is None


@given(graphs(), st.data())
@settings(max_examples=120, deadline=None)
def test_damage_is_one_error(content: bytes, data: st.DataObject) -> None:
    """Truncated, lengthened or with any byte changed, data gives as many bytes as it says or one BundleError."""
    packed = pack([content])
    if packed is None:
        return
    broken = bytearray(packed)
    match data.draw(st.sampled_from(["cut", "longer", "changed", "size"])):
        case "cut":
            del broken[data.draw(st.integers(0, len(packed) - 1)) :]
        case "longer":
            broken += b"\0"
        case "size":
            with pytest.raises(BundleError):
                unpack(packed, data.draw(st.integers(len(content) + BLOCK, 2**53)))
            return
        case _:
            broken[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
            with contextlib.suppress(BundleError):
                assert len(unpack(broken, len(content))) == len(content)
            return
    with pytest.raises(BundleError):
        unpack(broken, len(content))


@pytest.mark.parametrize(
    ("stored", "size", "message"),
    [
        (b"", 1, "cannot hold 1 bytes in 0"),
        (b"\0", 0, "cannot hold 0 bytes"),
        (b"\4" + bytes(32), 1024 * 31, "cannot hold 31744 bytes in 33; the file is damaged or hostile"),
        (b"\4" + bytes(32), 2**31 - 1, "hostile"),
        (bytes([len(MODES)]) + bytes(1024), 1024, "unknown mode 8"),
        (b"\4" + b"\xff" * 32, 1024, "breaks off"),
        (b"\4" + bytes(32) + b"\1\0\0\0", 1024, "more than the 1024 bytes"),
        (b"\0" + b"x" * 1024, 1000, "more than the 1000 bytes"),
    ],
)
def test_lies_are_named(stored: bytes, size: int, message: str) -> None:
    """Sizes that cannot be, bits without their words, words without their bits, and bytes after the end."""
    with pytest.raises(BundleError, match=message):
        unpack(stored, size)


def write_sparse(path: Path, mean_graph: Callable[..., bytes]) -> Path:
    """Write a bundle whose graph and tables are nine tenths and four fifths zeros."""
    values = pruned((ITEMS, DIMS), 0.8)
    contents = BundleContents(
        name="sparse",
        precision=Precision.parse("items=fp32,rescore=int8"),
        encoders={"onnx": mean_graph(pruned((DIMS, DIMS), 0.9, seed=1))},
        tables={"items": Fp32Table.encode(values), "rescore": Int8Table.encode(values)},
        catalogue=Catalogue(tuple(f"i{row}" for row in range(ITEMS))),
        max_length=20,
    )
    write_bundle(path, contents)
    return path


@pytest.fixture
def sparse(tmp_path: Path, mean_graph: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose graph and tables were stored without their zeros, small ones too."""
    monkeypatch.setattr("edge_rec_runtime.bundle._zeros.LEAST_SAVED", 1000)
    return write_sparse(tmp_path / "sparse.edgerec", mean_graph)


def test_a_bundle_of_pruned_weights_is_smaller_and_answers_the_same(
    sparse: Path, mean_graph: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graph, tables and answers are those of the bundle that keeps its zeros; the bytes of the model are those in the file."""
    monkeypatch.setattr(_write, "pack", lambda *_, **__: None)
    plain = write_sparse(sparse.with_name("plain.edgerec"), mean_graph)
    with Recommender.open(sparse, verify="full") as small, Recommender.open(plain) as whole:
        manifest, members = small.bundle.manifest, small.bundle.members
        assert set(manifest.packed) == {
            "encoder.onnx.packed",
            "tables/items.values.npy.packed",
            "tables/rescore.codes.npy.packed",
        }
        assert manifest.encoder_members == {"onnx": "encoder.onnx.packed"}
        assert small.bundle.read("encoder.onnx.packed") == whole.bundle.read("encoder.onnx")
        for role in manifest.layouts:
            for part, array in small.bundle.table(role).parts().items():
                assert np.array_equal(array, whole.bundle.table(role).parts()[part])
                assert not array.flags.writeable
        stored = sum(members[one] for one in manifest.packed)
        assert manifest.model_bytes == stored + small.bundle.table("rescore").parts()["scales"].nbytes
        assert manifest.model_bytes < 0.35 * whole.bundle.manifest.model_bytes
        for history in (["i1"], ["i3", "i4", "i5"]):
            assert small.recommend(history, k=20) == whole.recommend(history, k=20)
        assert small.similar("i7") == whole.similar("i7")


def test_only_what_uses_it_is_of_version_two(sparse: Path, make_bundle: MakeBundle) -> None:
    """Older runtimes refuse such a bundle by its version and go on reading others; a version that is too low is a lie."""

    def version(path: Path) -> int:
        with Bundle.open(path) as bundle:
            return int(json.loads(bundle.read("manifest.json"))["schema_version"])

    assert (version(sparse), version(make_bundle(precision="int8"))) == (2, 1)
    with pytest.raises(BundleError, match="says schema version 1 and uses what came with 2"):
        Bundle.open(with_manifest(sparse, lambda manifest: manifest.update(schema_version=1)))


def test_it_is_the_same_each_time(sparse: Path, mean_graph: Callable[..., bytes]) -> None:
    """The same contents give the same bytes."""
    assert write_sparse(sparse.with_name("again.edgerec"), mean_graph).read_bytes() == sparse.read_bytes()


def test_item_values_of_rankers_stay_mapped(make_ranker: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros of features mean that a word is unknown; nobody pruned them, and they are read where they lie."""
    monkeypatch.setattr("edge_rec_runtime.bundle._zeros.LEAST_SAVED", 1)
    with Bundle.open(make_ranker()) as bundle:
        assert not any(member.startswith("tables/") for member in bundle.manifest.packed)


@pytest.mark.parametrize(
    "packed",
    [
        {},
        [],
        {"encoder.onnx.packed": 0},
        {"encoder.onnx.packed": 2**31},
        {"encoder.onnx.packed": "1"},
        {"catalogue/ids.txt": 5},
        {"tables/items.values.npy.packed": 2**31 - 1},
        {"tables/items.values.npy.packed": 64_000},
    ],
    ids=range(8),
)
def test_a_manifest_that_lies_about_zeros(sparse: Path, use: Use, packed: object) -> None:
    """Sizes that are none, that no stored byte bears out, or of other members, and a list that lacks one, are refused."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["packed"] = manifest["packed"] | packed if packed and isinstance(packed, dict) else packed

    with pytest.raises(BundleError, match=str(sparse)):
        use(with_manifest(sparse, change))


def test_a_packed_member_that_was_changed_is_refused(sparse: Path, use: Use) -> None:
    """Its checksum is compared before it is unpacked; written again with a checksum of its own, it does not add up."""

    def cut(members: dict[str, bytes]) -> None:
        members["tables/items.values.npy.packed"] = members["tables/items.values.npy.packed"][:-1]

    whole = sparse.read_bytes()
    with Bundle.open(sparse) as bundle:
        content = bytearray(whole)
        place = whole.index(b"tables/rescore.codes.npy.packed") + 200
        assert bundle.manifest.packed
    content[place] ^= 1
    sparse.write_bytes(content)
    with pytest.raises(BundleError, match=r"'tables/rescore.codes.npy.packed' fails its checksum"):
        use(sparse)
    sparse.write_bytes(whole)
    with pytest.raises(BundleError, match=r"'tables/items.values.npy.packed' breaks off"):
        use(rewrite(sparse, cut))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_flipped_bit_is_found(sparse: Path, tmp_path: Path, use: Use, data: st.DataObject) -> None:
    """The full check finds a flip anywhere; the structure check fails in no other way than a BundleError."""
    content = bytearray(sparse.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "flipped.edgerec"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=str(path)):
        Bundle.open(path, verify="full")
    with contextlib.suppress(BundleError):
        use(path)
