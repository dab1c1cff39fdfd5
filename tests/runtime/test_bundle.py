"""The bundle: what is written is read, mapped and aligned, and the same every time."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_rec_runtime import Bundle, BundleContents, Catalogue, Fp32Table, Int8Table, Precision, write_bundle
from edge_rec_runtime.errors import BundleError, RequestError

MakeBundle = Callable[..., Path]
PRESETS = ("fp32", "int8", "binary", "binary-only")


@pytest.mark.parametrize("precision", PRESETS)
def test_what_is_written_is_read(make_bundle: MakeBundle, precision: str) -> None:
    """Manifest, tables, graphs and catalogue come back as they were given."""
    path = make_bundle(precision=precision, metrics={"ndcg_at_10": 0.1}, verification={"passed": True}, provenance={"seed": 3})
    with Bundle.open(path, verify="full") as bundle:
        manifest = bundle.manifest
        assert (manifest.name, manifest.precision, manifest.max_length, manifest.dims) == (
            "small",
            Precision.parse(precision),
            20,
            16,
        )
        assert (manifest.metrics, manifest.verification, manifest.provenance) == (
            {"ndcg_at_10": 0.1},
            {"passed": True},
            {"seed": 3},
        )
        assert len(bundle.read("encoder.onnx")) > 100
        assert bundle.catalogue.ids[7] == "i7"
        assert bundle.catalogue.titles is not None
        assert bundle.catalogue.titles[7] == "The 7. film, a façade"
        assert bundle.catalogue.attributes is not None
        assert bundle.catalogue.attributes["genres"][:3] == (("Drama",), ("Comedy", "Drama"), ())
        assert bundle.catalogue.popularity is not None
        assert bundle.catalogue.popularity.dtype == np.uint32
        model = len(bundle.read("encoder.onnx")) + sum(bundle.table(role).nbytes for role in manifest.layouts)
        assert manifest.model_bytes == model < bundle.nbytes == path.stat().st_size


@pytest.mark.parametrize("precision", PRESETS)
def test_the_same_contents_give_the_same_bytes(make_bundle: MakeBundle, precision: str) -> None:
    """No time, no host and no order of memory reaches the file."""
    first, second = make_bundle(name="a.edgerec", precision=precision), make_bundle(name="b.edgerec", precision=precision)
    assert first.read_bytes() == second.read_bytes()


def test_standard_tools_open_it(make_bundle: MakeBundle) -> None:
    """Python's zipfile finds every checksum right, numpy reads the arrays, and the text is text."""
    path = make_bundle(precision="int8")
    with zipfile.ZipFile(path) as archive, Bundle.open(path) as bundle:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.json"
        assert json.loads(archive.read("manifest.json"))["schema_version"] == 1
        assert archive.read("catalogue/ids.txt").decode().splitlines() == list(bundle.catalogue.ids)
        with archive.open("tables/items.codes.npy") as member:
            assert np.array_equal(np.load(member), bundle.array("tables/items.codes.npy"))


@pytest.mark.parametrize("items", [1, 2, 7, 60])
def test_tables_are_mapped_on_64_byte_boundaries(make_bundle: MakeBundle, items: int) -> None:
    """Every array is a read-only view of the file, its data aligned, and outlives the bundle."""
    for precision in PRESETS:
        path = make_bundle(name=f"{precision}.edgerec", precision=precision, items=items, dims=5)
        with Bundle.open(path) as bundle:
            arrays = [bundle.array(name) for name in bundle.members if name.endswith(".npy")]
            copies = [array.copy() for array in arrays]
        for array, copy in zip(arrays, copies, strict=True):
            assert not array.flags.owndata
            assert not array.flags.writeable
            assert array.ctypes.data % 64 == 0
            assert np.array_equal(array, copy)


def test_opening_reads_no_table(tmp_path: Path) -> None:
    """A large table is mapped, not read: memory stays far below its size, also when rows are decoded."""
    rows, dims = 400_000, 64
    path = tmp_path / "large.edgerec"
    contents = BundleContents(
        name="large",
        precision=Precision(items="int8"),
        encoders={},
        tables={"items": Int8Table(np.ones((rows, dims), np.int8), np.ones(rows, np.float16))},
        catalogue=Catalogue(tuple(map(str, range(rows)))),
        max_length=8,
    )
    write_bundle(path, contents)
    code = (
        "import sys, numpy as np; from edge_rec_runtime import Bundle\n"
        "def anonymous(): return sum(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('RssAnon'))\n"
        "before = anonymous(); bundle = Bundle.open(sys.argv[1]); bundle.table('items').decode(np.arange(100))\n"
        "print(anonymous() - before)"
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to read a process's own memory")
    grown = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert int(grown) < 4_096  # KB, of 25,600 in the table


def test_a_small_bundle_has_only_what_it_needs(make_bundle: MakeBundle) -> None:
    """Titles, attributes and popularity are optional."""
    with Bundle.open(make_bundle(plain=True), verify="full") as bundle:
        assert list(bundle.members) == ["manifest.json", "encoder.onnx", "tables/items.values.npy", "catalogue/ids.txt"]
        assert (bundle.catalogue.titles, bundle.catalogue.attributes, bundle.catalogue.popularity) == (None, None, None)


def test_parts_that_do_not_agree_are_not_written(tmp_path: Path) -> None:
    """Tables of another length than the catalogue, or of two widths, and figures that are not finite leave no file."""
    wrong = [
        {"tables": {"items": Fp32Table.encode(np.ones((3, 4)))}},
        {"tables": {"items": Fp32Table.encode(np.ones((2, 4))), "rescore": Fp32Table.encode(np.ones((2, 5)))}},
        {"tables": {"scan": Fp32Table.encode(np.ones((2, 4)))}},
        {"tables": {}},
        {"metrics": {"ndcg_at_10": float("nan")}},
        {"provenance": {"made": object()}},
        {"encoders": {"coreml": b""}},
        {"catalogue": Catalogue(("1", "2" * 100_000))},
        {"provenance": {"log": "x" * 2**23}},
    ]
    right = {
        "name": "small",
        "precision": Precision(),
        "encoders": {},
        "tables": {"items": Fp32Table.encode(np.ones((2, 4)))},
        "catalogue": Catalogue(("1", "2")),
        "max_length": 8,
    }
    for change in wrong:
        with pytest.raises(BundleError):
            write_bundle(tmp_path / "x.edgerec", BundleContents(**(right | change)))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_is_none_is_refused(make_bundle: MakeBundle) -> None:
    """A mistyped ``verify`` does not quietly check less."""
    with pytest.raises(RequestError, match="use 'structure' or 'full'"):
        Bundle.open(make_bundle(), verify="Full")  # type: ignore[arg-type]


def test_what_a_bundle_does_not_have_is_named(make_bundle: MakeBundle) -> None:
    """Asking for another member, table or array says which there are; a closed bundle says so."""
    with Bundle.open(make_bundle(precision="int8")) as bundle:
        with pytest.raises(BundleError, match="no table 'rescore'; it has items"):
            bundle.table("rescore")
        with pytest.raises(BundleError, match="no array of this bundle; it has tables/items"):
            bundle.array("encoder.onnx")
        with pytest.raises(BundleError, match=r"no member 'encoder.tflite'"):
            bundle.read("encoder.tflite")
    with pytest.raises(BundleError, match="closed"):
        bundle.read("encoder.onnx")
