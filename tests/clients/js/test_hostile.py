"""Bundles that were made to deceive Python are refused in JavaScript too, each in a sentence."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import test_hostile_bundles as hostile
import test_retriever_graphs as whole
from reading import DESCRIBE, describe
from rewriting import repack, rewrite, with_manifest

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]

_PEAK = """
import { readFileSync } from "node:fs";
import { openBundle } from "edgerec";
const path = JSON.parse(readFileSync(0, "utf8"));
const said = await openBundle(readFileSync(path)).then(() => "opened", (error) => `${error.name}: ${error.message}`);
console.log(JSON.stringify({ said, peak: process.resourceUsage().maxRSS }));
"""


def test_what_deceives_nobody_in_python_deceives_nobody_here(run_node: RunNode, make_bundle: MakeBundle, tmp_path: Path) -> None:
    """Names that point outside, manifests, tables and catalogues that lie, doubled members: all that Python refuses."""
    paths = list(_numbered(_deceptions(make_bundle), tmp_path))
    answers = run_node(DESCRIBE, [{"path": str(path)} for path in paths])
    assert len(paths) > 76
    assert [path.name for path, answer in zip(paths, answers, strict=True) if "refused" not in answer or "crash" in answer] == []
    assert all(answer["refused"].count("\n") == 0 and len(answer["refused"]) < 500 for answer in answers)


def test_what_is_rewritten_and_honest_is_read(run_node: RunNode, make_bundle: MakeBundle) -> None:
    """The helper that writes the lies breaks nothing by itself; keys that are not known are skipped."""
    path = with_manifest(
        make_bundle(), lambda manifest: manifest.update(name="another", more={"__proto__": 1, "constructor": []})
    )
    assert run_node(DESCRIBE, [{"path": str(path)}]) == [describe(path)]


def test_a_bomb_is_not_inflated(run_node: RunNode, make_bundle: MakeBundle) -> None:
    """A text that inflates to more than it says ends the reading there: 256 MiB of zeros are never held."""
    path = make_bundle(plain=True)
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("catalogue/ids.txt")
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = b"".join(deflater.compress(bytes(2**24)) for _ in range(16)) + deflater.flush()
    start = entry.header_offset + 30 + len(entry.filename)
    path.write_bytes(_resized(whole[:start] + raw + whole[start + entry.compress_size :], entry, len(raw)))
    honest, (answer,) = run_node(_PEAK, [str(make_bundle(name="honest.edgerec"))]), run_node(_PEAK, [str(path)])
    assert "'catalogue/ids.txt' cannot be inflated" in answer["said"]
    assert answer["peak"] - honest[0]["peak"] < 64 * 1024, "KiB"


def _resized(content: bytearray, entry: zipfile.ZipInfo, size: int) -> bytes:
    """Return a file whose directory says that a member has so many bytes in it, and that what follows is further on."""
    grown = size - entry.compress_size
    struct.pack_into("<L", content, entry.header_offset + 18, size)
    end = len(content) - 22
    (offset,) = struct.unpack_from("<L", content, end + 16)
    struct.pack_into("<L", content, end + 16, offset + grown)
    place = offset + grown
    while place < end:
        (length,) = struct.unpack_from("<H", content, place + 28)
        (header,) = struct.unpack_from("<L", content, place + 42)
        if header == entry.header_offset:
            struct.pack_into("<L", content, place + 20, size)
        elif header > entry.header_offset:
            struct.pack_into("<L", content, place + 42, header + grown)
        place += 46 + length
    return bytes(content)


def _numbered(paths: Iterator[Path], folder: Path) -> Iterator[Path]:
    """Give each file a place of its own as soon as it is made, since makers write to the same."""
    for number, path in enumerate(paths):
        yield path.rename(folder / f"{number}.hostile")


def _deceptions(make_bundle: MakeBundle) -> Iterator[Path]:
    yield from _lying_manifests(make_bundle)
    for name in _cases(hostile.test_members_that_point_outside_are_refused):
        yield repack(make_bundle(), partial(_rename, name))
    for text in _cases(hostile.test_a_manifest_that_is_no_manifest_is_refused):
        yield rewrite(make_bundle(), partial(_put, "manifest.json", text))
    for member, content in _cases(hostile.test_a_catalogue_that_lies_is_refused):
        yield rewrite(make_bundle(), partial(_put, member, content))
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        yield repack(make_bundle(), dict.copy, compression=compression)
    for extra in ("extra.bin", "manifest.json"):
        path = make_bundle()
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "a") as archive:
            archive.writestr(extra, b"{}")
        yield path
    for content in _cases(hostile.test_other_files_are_no_bundles):
        path = make_bundle()
        path.write_bytes(content)
        yield path


def _lying_manifests(make_bundle: MakeBundle) -> Iterator[Path]:
    for key, value in _cases(hostile.test_a_manifest_that_lies_is_refused):
        if value != {"max_length": 20.0, "dims": 16}:  # JavaScript has one kind of number, and 20.0 is 20 there
            yield with_manifest(make_bundle(), partial(_put, key, value))
    for change in _cases(hostile.test_a_table_that_lies_is_refused):
        yield with_manifest(make_bundle(), partial(_change_table, 0, change))
    for place, change in _cases(hostile.test_product_codes_that_lie_are_refused):
        yield with_manifest(make_bundle(precision="items=pq"), partial(_change_table, place, change))
    encoders = {"onnx": b"not run here", "tflite": b"nor here"}
    for change in (*_of_retrievers(), _older, _without_zeros):
        yield with_manifest(make_bundle(encoders=encoders, retriever=whole.BOTH), change)


def _of_retrievers() -> Iterator[Callable[[dict[str, Any]], object]]:
    """Give the lies about retriever graphs, but the one that is none in JavaScript: 7.0 is 7 there."""
    for change in _cases(whole.test_a_manifest_that_says_nonsense_of_it_is_refused):
        said: dict[str, Any] = {"k": 7, "graphs": dict.fromkeys(("onnx", "tflite"), "")}
        change(said)
        if not isinstance(said.get("k"), float):
            yield partial(_change_retriever, change)


def _change_retriever(change: Callable[[dict[str, Any]], object], manifest: dict[str, Any]) -> None:
    change(manifest["retriever"])


def _older(manifest: dict[str, Any]) -> None:
    manifest["schema_version"] = 3


def _without_zeros(manifest: dict[str, Any]) -> None:
    manifest["packed"] = {"retriever.onnx": 9000}


def _put(key: str, value: object, record: dict[str, Any]) -> None:
    record[key] = value


def _rename(name: str, members: dict[str, bytes]) -> None:
    members[name] = members.pop("encoder.onnx")


def _change_table(place: int, change: dict[str, object], manifest: dict[str, Any]) -> None:
    manifest["tables"][place].update(change)


def _cases(test: Any) -> list[Any]:  # noqa: ANN401 - a test with its parameters
    return list(test.pytestmark[0].args[1])
