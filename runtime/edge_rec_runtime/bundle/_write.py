"""Writing a bundle: to a temporary file beside its place, synced, then renamed; the name never shows a half-written file."""

from __future__ import annotations

__all__ = ["BundleContents", "write_bundle"]

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.bundle import _npy
from edge_rec_runtime.bundle._archive import Member, write_archive
from edge_rec_runtime.bundle._limits import MANIFEST_LIMIT, text_limit
from edge_rec_runtime.bundle.manifest import CatalogueMembers, EncoderMember, Manifest, TableMember
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.catalogue import Catalogue
    from edge_rec_runtime.codes import ItemTable
    from edge_rec_runtime.precision import Precision


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """What goes into a bundle.

    Attributes:
        name: The model's name.
        precision: What its parts are stored and computed in.
        encoders: The graph for each target, ``onnx`` or ``tflite``.
        tables: The item table of each role: ``items``, and where the scan is approximate ``rescore``.
        catalogue: The items, in the order of the tables' rows.
        max_length: Longest history, in events, that the encoder takes.
        metrics: Quality measured from this file, plain JSON values.
        verification: The verdict of the comparison with the source.
        provenance: What it was made from and with; no paths, no times.
    """

    name: str
    precision: Precision
    encoders: Mapping[str, bytes]
    tables: Mapping[str, ItemTable]
    catalogue: Catalogue
    max_length: int
    metrics: Mapping[str, Any] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_bundle(path: Path | str, contents: BundleContents) -> None:
    """Write a bundle; the same contents give the same bytes.

    Raises:
        BundleError: The parts do not fit together.
        OSError: The disk is full or the folder cannot be written; no file is left.
    """
    members = list(_members(contents))
    manifest = _manifest(contents, members)
    Manifest.parse(manifest)  # what is written must be what a device reads
    _refuse_excess(manifest, members, len(contents.catalogue))
    replace_file(
        Path(path),
        lambda stream: write_archive(stream, [Member(name="manifest.json", pieces=[manifest], deflate=True), *members]),
    )


def _refuse_excess(manifest: bytes, members: list[Member], items: int) -> None:
    """Refuse text that a device would take for an attack."""
    limits = {"manifest.json": (len(manifest), MANIFEST_LIMIT)}
    limits |= {member.name: (member.size, text_limit(items)) for member in members if member.deflate}
    for name, (size, limit) in limits.items():
        if size > limit:
            raise BundleError(f"{name} would have {size} bytes for {items} items; devices read at most {limit}, shorten it")


def _members(contents: BundleContents) -> Iterator[Member]:
    for target, graph in sorted(contents.encoders.items()):
        yield Member(name=f"encoder.{target}", pieces=[graph])
    for role, table in sorted(contents.tables.items()):
        for part, array in table.parts().items():
            yield _array_member(f"tables/{role}.{part}.npy", array)
    catalogue = contents.catalogue
    yield _lines_member("catalogue/ids.txt", catalogue.ids)
    if catalogue.titles is not None:
        yield _lines_member("catalogue/titles.txt", catalogue.titles)
    if catalogue.attributes:
        text = json.dumps(catalogue.attributes, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        yield Member(name="catalogue/attributes.json", pieces=[text.encode()], deflate=True)
    if catalogue.popularity is not None:
        yield _array_member("catalogue/popularity.npy", catalogue.popularity)


def _lines_member(name: str, lines: tuple[str, ...]) -> Member:
    return Member(name=name, pieces=["".join(f"{line}\n" for line in lines).encode()], deflate=True)


def _array_member(name: str, array: NDArray[Any]) -> Member:
    if array.dtype.name not in _npy.DTYPES:
        raise BundleError(f"{name} is {array.dtype}; a bundle holds {', '.join(_npy.DTYPES)}")
    raw = np.ascontiguousarray(array, dtype=_npy.DTYPES[array.dtype.name])
    return Member(name=name, pieces=[_npy.header(array.dtype.name, array.shape), raw.reshape(-1).view(np.uint8).data])


def _manifest(contents: BundleContents, members: list[Member]) -> bytes:
    rows = {role: table.rows for role, table in contents.tables.items()}
    dims = {role: table.dims for role, table in contents.tables.items()}
    if set(rows.values()) != {len(contents.catalogue)} or len(set(dims.values())) != 1:
        raise BundleError(
            f"the catalogue has {len(contents.catalogue)} items and the tables have rows {rows} and dims {dims}; they must agree"
        )
    names = {member.name for member in members}

    def optional(name: str) -> str | None:
        return name if name in names else None

    return Manifest(
        name=contents.name,
        precision=contents.precision,
        encoders=tuple(EncoderMember(target=target, member=f"encoder.{target}") for target in sorted(contents.encoders)),
        max_length=contents.max_length,
        dims=next(iter(dims.values())),
        tables=tuple(
            TableMember(
                name=f"{role}.{part}",
                role=role,
                layout=table.layout,
                dtype=array.dtype.name,
                shape=array.shape,
                member=f"tables/{role}.{part}.npy",
            )
            for role, table in sorted(contents.tables.items())
            for part, array in table.parts().items()
        ),
        catalogue=CatalogueMembers(
            items=len(contents.catalogue),
            ids="catalogue/ids.txt",
            titles=optional("catalogue/titles.txt"),
            attributes=optional("catalogue/attributes.json"),
            popularity=optional("catalogue/popularity.npy"),
        ),
        metrics=contents.metrics,
        verification=contents.verification,
        provenance=contents.provenance,
        model_bytes=sum(map(len, contents.encoders.values())) + sum(table.nbytes for table in contents.tables.values()),
        sha256={member.name: _sha256(member) for member in members},
    ).render()


def _sha256(member: Member) -> str:
    digest = hashlib.sha256()
    for piece in member.pieces:
        digest.update(piece)
    return digest.hexdigest()
