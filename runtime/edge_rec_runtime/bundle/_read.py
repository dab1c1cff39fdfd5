"""Reading a bundle: one mapping of the file, from which tables are served without copying."""

from __future__ import annotations

__all__ = ["Bundle"]

import contextlib
import mmap
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, cast

from edge_rec_runtime.bundle import _npy
from edge_rec_runtime.bundle._archive import ALIGNMENT, Entry, check_canonical, inflate, read_directory
from edge_rec_runtime.bundle._limits import MANIFEST_LIMIT, text_limit
from edge_rec_runtime.bundle._texts import parse_attributes, parse_lines
from edge_rec_runtime.bundle._zeros import unpack
from edge_rec_runtime.bundle.kinds import SHADOW_ROLE
from edge_rec_runtime.bundle.manifest import Manifest
from edge_rec_runtime.catalogue import Catalogue
from edge_rec_runtime.codes import LAYOUTS, SPARSE_LAYOUTS, ItemTable, NeighbourTable, Shadow, Shadowed
from edge_rec_runtime.errors import BundleError, DataError, ModelError, RequestError
from edge_rec_runtime.features import Feature
from edge_rec_runtime.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from numpy.typing import NDArray


class Bundle:
    """An open bundle. Its arrays are views of the mapped file and stay valid after `close`.

    Arrays that were stored without their zeros are made whole once, when the bundle is opened.

    Bundles are immutable and may be shared between threads. A bundle is replaced by renaming a new file over it, never in place.

    Attributes:
        path: Where it was opened.
        manifest: What is in it.
    """

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path = path
        self._map = data
        self._data = memoryview(data)
        self._entries = read_directory(self._data)
        if "manifest.json" not in self._entries:
            raise BundleError("the file has no member 'manifest.json'; it is a ZIP file but no bundle")
        self.manifest = Manifest.parse(inflate(self._data, self._entries["manifest.json"], limit=MANIFEST_LIMIT))
        self._unpacked: dict[str, memoryview] = {}
        self._check_structure()

    @classmethod
    def open(cls, path: Path | str, *, verify: Literal["structure", "full"] = "structure") -> Self:
        """Map a bundle.

        Args:
            path: The file.
            verify: ``structure`` checks the manifest, the directory and all sizes, in milliseconds; ``full`` also hashes every
                member, as is due when a bundle was received.

        Raises:
            BundleError: The file is missing, damaged, hostile, or of a newer schema version.
        """
        where = Path(path)
        if verify not in {"structure", "full"}:
            raise RequestError(f"verify is {verify!r}; use 'structure' or 'full'")
        try:
            if where.exists() and not where.is_file():  # opening a pipe would wait for whoever writes to it
                raise BundleError(f"{where}: no regular file; expected a bundle (*.edgerec)")
            with where.open("rb") as stream:
                data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise BundleError(f"{where}: no such file; expected a bundle (*.edgerec)") from None
        except (OSError, ValueError) as error:  # a folder, no permission; an empty file cannot be mapped
            raise BundleError(
                f"{where}: cannot be read as a bundle ({error}); expected a file made by edge-rec convert"
            ) from None
        try:
            bundle = cls(where, data)
            if verify == "full":
                bundle.verify()
        except BundleError as error:
            raise BundleError(f"{where}: {error}") from None
        return bundle

    def __enter__(self) -> Self:
        """Return the bundle."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the bundle."""
        self.close()

    def close(self) -> None:
        """Let go of the file; the mapping itself ends with the last array taken from it."""
        self._data = memoryview(b"")
        self._entries, self._unpacked = {}, {}
        with contextlib.suppress(BufferError):
            self._map.close()

    @property
    def members(self) -> Mapping[str, int]:
        """Bytes in the file of every member, in the order of the file."""
        return {name: entry.size for name, entry in self._entries.items()}

    @property
    def nbytes(self) -> int:
        """Bytes of the whole file."""
        return len(self._data)

    def verify(self) -> None:
        """Compare every member with its SHA-256, and every byte around them with the format.

        Raises:
            BundleError: One differs.
        """
        import hashlib  # noqa: PLC0415 - it loads a library for cryptography, and most processes open without hashing

        check_canonical(self._data, self._entries.values())
        for name, want in self.manifest.sha256.items():
            entry = self._entries[name]
            content = self._data[entry.start : entry.end] if entry.stored else self.read(name)
            found = hashlib.sha256(content).hexdigest()
            if found != want:
                raise BundleError(
                    f"member {name!r} has SHA-256 {found[:12]}..., the manifest says {want[:12]}...; "
                    "the file is damaged or was changed, copy it again"
                )

    def read(self, member: str) -> bytes:
        """Return the bytes of a member, inflated, and its zeros put back.

        Raises:
            BundleError: There is no such member, or it is damaged.
        """
        entry = self._entry(member)
        limit = entry.size if entry.stored else text_limit(self.manifest.catalogue.items)
        content = inflate(self._data, entry, limit=limit)
        return bytes(self._with_zeros(member, content)) if member in self.manifest.packed else content

    def array(self, member: str) -> NDArray[Any]:
        """Return an array as a read-only view of the mapped file, or of what was made whole of it.

        Raises:
            BundleError: The manifest names no such array, or the member is not that array.
        """
        catalogue = self.manifest.catalogue
        arrays = {entry.member: (entry.dtype, entry.shape) for entry in self.manifest.tables}
        if catalogue.popularity is not None:
            arrays[catalogue.popularity] = ("uint32", (catalogue.items,))
        if member not in arrays:
            raise BundleError(f"{self.path}: {member!r} is no array of this bundle; it has {', '.join(arrays)}")
        entry = self._entry(member)
        if not entry.stored or entry.start % ALIGNMENT:
            raise BundleError(
                f"member {member!r} is deflated or off the {ALIGNMENT}-byte boundaries; the file was repacked, convert again"
            )
        content = self._whole(member) if member in self.manifest.packed else self._data[entry.start : entry.end]
        try:
            return _npy.view(content, *arrays[member])
        except BundleError as error:
            raise BundleError(f"member {member!r} {error}") from None

    def table(self, role: str) -> ItemTable:
        """Return the item table of a role, ``items`` with its shadow or ``rescore``, its arrays mapped.

        Raises:
            BundleError: The bundle has no such table, or its arrays do not fit together.
        """
        layout = self.manifest.layouts.get(role)
        if layout not in LAYOUTS:
            self._refuse_role(role)
        table = LAYOUTS[layout].from_parts(self._parts(role), dims=self.manifest.dims)
        if role != "items" or SHADOW_ROLE not in self.manifest.layouts or not isinstance(table, Shadowed):
            return table
        shadow = Shadow.from_parts(self._parts(SHADOW_ROLE), rows=table.rows, dims=table.dims)
        return table.with_shadow(shadow)

    def neighbours(self) -> NeighbourTable:
        """Return the table of neighbours, its arrays mapped.

        Raises:
            BundleError: The bundle has none, or its arrays do not fit together.
        """
        layout = self.manifest.layouts.get("neighbours")
        if layout not in SPARSE_LAYOUTS:
            self._refuse_role("neighbours")
        return SPARSE_LAYOUTS[layout].from_parts(self._parts("neighbours"))

    def retriever_graph(self, target: str) -> bytes:
        """Return the whole retriever as one graph, for apps without this runtime; its checksum is compared.

        Raises:
            BundleError: The bundle has none, or none for this target.
        """
        graphs = {} if self.manifest.retriever is None else self.manifest.retriever.members
        if target not in graphs:
            raise BundleError(
                f"{self.path}: no retriever graph for {target!r} is in this {self.manifest.kind}'s bundle, which has "
                f"{' and '.join(graphs) or 'none'}; convert a retriever with --graph retriever --to {target}"
            )
        return self.read(graphs[target])

    def item_values(self) -> dict[str, NDArray[Any]]:
        """Return the values of each feature of items, in the order of the catalogue, as they are stored, not yet checked."""
        return self._parts("item-features")

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """What the graph takes besides, in the order of its inputs; their words are read when they are first asked for."""
        members, ids = self.manifest.features, self.manifest.catalogue.ids
        words: dict[str | None, tuple[str, ...]] = {None: ()}
        if any(entry.vocabulary == ids for entry in members):
            words[ids] = self.catalogue.ids
        try:
            words |= {
                member: Words.of(self._lines(member, None), f"word of {member!r} at") for member in self.manifest.vocabularies
            }
            return tuple(
                Feature(entry.name, cast("Any", entry.kind), cast("Any", entry.of), words[entry.vocabulary], entry.longest)
                for entry in members
            )
        except (BundleError, ModelError, DataError) as error:
            raise BundleError(f"{self.path}: {error}") from None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items; read when it is first asked for."""
        members = self.manifest.catalogue
        try:
            return Catalogue(
                self._lines(members.ids, members.items),
                None if members.titles is None else self._lines(members.titles, members.items),
                None if members.attributes is None else parse_attributes(self.read(members.attributes), members.attributes),
                None if members.popularity is None else self.array(members.popularity),
            )
        except (DataError, BundleError) as error:
            raise BundleError(f"{self.path}: {error}") from None

    def _check_structure(self) -> None:
        manifest, catalogue = self.manifest, self.manifest.catalogue
        named = manifest.members
        if (
            sorted(named) != sorted(manifest.sha256)
            or {*named, "manifest.json"} != set(self._entries)
            or "manifest.json" in named
        ):
            odd = sorted({*named, *manifest.sha256} ^ (set(self._entries) - {"manifest.json"}))
            raise BundleError(
                f"the manifest and the file name different members ({', '.join(odd)[:200]}); the file is damaged or hostile"
            )
        for role in manifest.layouts:
            if role == "item-features":
                self.item_values()
            if role in {"item-features", SHADOW_ROLE}:  # a shadow is read with the table of items
                continue
            rows = self.neighbours().rows if role == "neighbours" else self.table(role).rows
            if rows != catalogue.items:
                raise BundleError(
                    f"the table {role!r} has {rows} rows; the manifest says {catalogue.items} items, the file is damaged"
                )
        if catalogue.popularity is not None:
            self.array(catalogue.popularity)

    def _entry(self, member: str) -> Entry:
        if member not in self._entries:
            raise BundleError(f"{self.path}: no member {member!r}; the bundle is closed or has only {', '.join(self._entries)}")
        return self._entries[member]

    def _whole(self, member: str) -> memoryview:
        """Return a member with its zeros, the same memory each time."""
        if member not in self._unpacked:
            entry = self._entry(member)
            self._unpacked[member] = self._with_zeros(member, inflate(self._data, entry, limit=entry.size))
        return self._unpacked[member]

    def _with_zeros(self, member: str, content: bytes) -> memoryview:
        try:
            whole = unpack(content, self.manifest.packed[member])
        except BundleError as error:
            raise BundleError(f"member {member!r} {error}") from None
        whole.setflags(write=False)
        return whole.data

    def _parts(self, role: str) -> dict[str, NDArray[Any]]:
        return {entry.part: self.array(entry.member) for entry in self.manifest.tables if entry.role == role}

    def _refuse_role(self, role: str) -> NoReturn:
        raise BundleError(
            f"{self.path}: this bundle of the kind {self.manifest.kind!r} has no table {role!r}; "
            f"it has {', '.join(self.manifest.layouts) or 'none'}"
        )

    def _lines(self, member: str, count: int | None) -> tuple[str, ...]:
        return parse_lines(self.read(member), member, count)
