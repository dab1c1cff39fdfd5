"""Bundles that were made to deceive: each gives one BundleError, never anything else."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rewriting import repack, rewrite, with_manifest

from edge_rec_runtime import Bundle
from edge_rec_runtime.errors import BundleError

MakeBundle = Callable[..., Path]
Use = Callable[[Path], None]


def test_a_manifest_written_again_is_still_good(make_bundle: MakeBundle, use: Use) -> None:
    """The helper of the tests below breaks nothing by itself, so that each of them fails for its own reason."""
    use(with_manifest(make_bundle(), lambda manifest: manifest.update(name="another")))


def test_a_newer_schema_asks_for_an_upgrade(make_bundle: MakeBundle) -> None:
    """The message says what the bundle has, what this release reads, and what to do; nothing else of it is looked at."""

    def change(manifest: dict[str, Any]) -> None:
        manifest.update(schema_version=5, kind="ranker", tables="elsewhere")

    with pytest.raises(BundleError, match="schema version 5; this release of edge-rec reads versions 1 to 4, upgrade"):
        Bundle.open(with_manifest(make_bundle(), change))


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "tables/../../x", "a\\b", "C:x", "a//b", "./a", "tables/..", "a\0b", "x" * 300, "é"]
)
def test_members_that_point_outside_are_refused(make_bundle: MakeBundle, use: Use, name: str) -> None:
    """Whether the directory or the manifest names it, a path that is not plain is refused."""
    path = make_bundle()

    def add(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["encoders"][0]["member"] = name
        manifest["sha256"][name] = manifest["sha256"].pop("encoder.onnx")
        members["manifest.json"] = json.dumps(manifest).encode()
        members[name] = members.pop("encoder.onnx")

    with pytest.raises(BundleError):
        use(repack(path, add))
    with pytest.raises(BundleError):
        use(with_manifest(make_bundle(), lambda manifest: manifest["encoders"][0].update(member=name)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema_version", "1"),
        ("schema_version", True),
        ("schema_version", 0),
        ("kind", "ranker"),
        ("name", None),
        ("name", "x" * 2000),
        ("precision", {"items": "fp64", "network": "fp32", "rescore": "none"}),
        ("precision", "int8"),
        ("encoders", {}),
        ("encoders", [{"target": "onnx"}]),
        ("encoders", [{"target": "coreml", "member": "encoder.onnx"}]),
        ("encoders", [{"target": "onnx", "member": "encoder.onnx"}] * 2),
        ("encoders", [{"target": "onnx", "member": "manifest.json"}]),
        ("inputs", {"max_length": 0, "dims": 16}),
        ("inputs", {"max_length": 20, "dims": 17}),
        ("inputs", {"max_length": 2**70, "dims": 16}),
        ("inputs", {"max_length": 20.0, "dims": 16}),
        ("tables", []),
        ("tables", [1]),
        ("catalogue", {"items": 61, "ids": "catalogue/ids.txt"}),
        ("catalogue", {"items": 2**60, "ids": "catalogue/ids.txt"}),
        ("catalogue", {"items": -1, "ids": "catalogue/ids.txt"}),
        ("metrics", []),
        ("model_bytes", -1),
        ("sha256", {}),
        ("sha256", {"encoder.onnx": "00"}),
    ],
)
def test_a_manifest_that_lies_is_refused(make_bundle: MakeBundle, use: Use, key: str, value: object) -> None:
    """Wrong types, sizes that do not fit the file, and members that are not there are each one sentence."""
    path = with_manifest(make_bundle(), lambda manifest: manifest.update({key: value}))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "float64"},
        {"dtype": "float16"},
        {"dtype": "object"},
        {"shape": [60, 15]},
        {"shape": [30, 32]},
        {"shape": [2**40, 2**40]},
        {"shape": []},
        {"shape": [60, -16]},
        {"shape": [60, 16, 1]},
        {"layout": "int8"},
        {"layout": "int4"},
        {"role": "rescore"},
        {"role": "other"},
        {"name": "items.other"},
        {"member": "encoder.onnx"},
    ],
)
def test_a_table_that_lies_is_refused(make_bundle: MakeBundle, use: Use, change: dict[str, object]) -> None:
    """An array is what the manifest says to the byte, or it is not used."""
    path = with_manifest(make_bundle(), lambda manifest: manifest["tables"][0].update(change))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (1, {"shape": [2, 480, 1]}),
        (1, {"shape": [2, 30, 16]}),
        (1, {"shape": [4, 30, 8]}),
        (1, {"shape": [2, 20, 24]}),
        (1, {"shape": [2, 480]}),
        (1, {"shape": [1, 2, 60, 8]}),
        (0, {"shape": [30, 4]}),
        (0, {"shape": [120, 1]}),
        (0, {"dtype": "int8"}),
    ],
)
def test_product_codes_that_lie_are_refused(make_bundle: MakeBundle, use: Use, place: int, change: dict[str, object]) -> None:
    """As many bytes in another shape are other codes and pieces: too many, too few, or of another width."""
    use(make_bundle(precision="items=pq"))
    path = with_manifest(make_bundle(precision="items=pq"), lambda manifest: manifest["tables"][place].update(change))
    with pytest.raises(BundleError, match=str(path)):
        use(path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"schema_version": NaN}',
        b'{"schema_version": 1, "schema_version": 2}',
        b'{"schema_version": 1e999}',
        b'{"schema_version": ' + b"9" * 5000 + b"}",
        b"\n" * 1_000_000,
        b" " * (5 * 2**20) + b"{}",
    ],
    ids=range(12),
)
def test_a_manifest_that_is_no_manifest_is_refused(make_bundle: MakeBundle, text: bytes) -> None:
    """No JSON, JSON nested deep, NaN, doubled keys, a million lines: one sentence each."""
    path = rewrite(make_bundle(), lambda members: members.update({"manifest.json": text}))
    with pytest.raises(BundleError, match="manifest"):
        Bundle.open(path)


def test_a_zip_bomb_is_not_inflated(make_bundle: MakeBundle, use: Use) -> None:
    """Text that inflates beyond what so few items can need is refused before it is inflated."""

    def blow_up(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        members["catalogue/ids.txt"] = b"x" * 2**24
        manifest["sha256"]["catalogue/ids.txt"] = hashlib.sha256(members["catalogue/ids.txt"]).hexdigest()
        members["manifest.json"] = json.dumps(manifest).encode()

    path = rewrite(make_bundle(), blow_up)
    with pytest.raises(BundleError, match="16777216 bytes; at most"):
        use(path)


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("catalogue/ids.txt", b"i0\n" * 60),
        ("catalogue/ids.txt", b"i0\ni1\n"),
        ("catalogue/ids.txt", b"\xff\n" * 60),
        ("catalogue/titles.txt", b"A\n" * 61),
        ("catalogue/attributes.json", b"[]"),
        ("catalogue/attributes.json", b"{"),
        ("catalogue/attributes.json", b"[" * 60_000),
        ("catalogue/attributes.json", b'{"genres": 3}'),
        ("catalogue/attributes.json", b'{"genres": [["Drama"]]}'),
        ("catalogue/attributes.json", json.dumps({"genres": [[1]] * 60}).encode()),
    ],
)
def test_a_catalogue_that_lies_is_refused(make_bundle: MakeBundle, member: str, content: bytes) -> None:
    """Doubled ids, too few lines, bytes that are no text, attributes that are no lists of values."""

    def change(members: dict[str, bytes]) -> None:
        members[member] = content

    path = rewrite(make_bundle(), change)
    with Bundle.open(path) as bundle, pytest.raises(BundleError, match=str(path)):
        assert bundle.catalogue


def test_a_deflated_or_misaligned_table_is_refused(make_bundle: MakeBundle) -> None:
    """A bundle that was repacked by other tools says that it must be converted again, not that it is slow."""
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        path = repack(make_bundle(), dict.copy, compression=compression)
        with pytest.raises(BundleError, match="repacked"):
            Bundle.open(path)


def test_doubled_and_surplus_members_are_refused(make_bundle: MakeBundle) -> None:
    """A file holds each member once and none that the manifest does not name."""
    path = make_bundle()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("extra.bin", b"x")
    with pytest.raises(BundleError, match=r"different members \(extra.bin\)"):
        Bundle.open(path)
    path = make_bundle()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("manifest.json", b"{}")
    with pytest.raises(BundleError, match="stands twice"):
        Bundle.open(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"\0" * 1000, b"not a bundle\n" * 20])
def test_other_files_are_no_bundles(tmp_path: Path, content: bytes) -> None:
    """Empty, tiny and foreign files are refused by name."""
    path = tmp_path / "x.edgerec"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=str(path)):
        Bundle.open(path)


def test_missing_files_and_folders_are_no_bundles(tmp_path: Path) -> None:
    """The message says what was expected."""
    with pytest.raises(BundleError, match="no such file; expected a bundle"):
        Bundle.open(tmp_path / "missing.edgerec")
    os.mkfifo(tmp_path / "pipe")  # would be waited for
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BundleError, match="no regular file; expected a bundle"):
            Bundle.open(path)
