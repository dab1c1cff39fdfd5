"""The ZIP container of a bundle: the few records that version 1 uses, written and read strictly.

Python's ``zipfile`` opens what is written here. It is not used for reading, because a bundle comes from outside: every offset is
checked here before anything is touched, and what the format does not use (comments, encryption, data descriptors, ZIP64) is
refused. It also costs a device its import.
"""

from __future__ import annotations

__all__ = ["ALIGNMENT", "Entry", "Member", "check_canonical", "inflate", "read_directory", "write_archive"]

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIGNMENT = 64  # bytes; stored members start on such boundaries of the file, so that a mapped array is aligned
_MAX_BYTES = 2**31 - 1  # no ZIP64: a device maps the file, and 32-bit ones could not map more
_MAX_MEMBERS = 256
_STORED, _DEFLATED = 0, 8
_VERSION = 20  # "2.0", the first with deflate
_TIME, _DATE = 0, (1 << 5) | 1  # 1980-01-01 00:00: the same input gives the same bytes
_MADE_BY, _ATTRIBUTES = (3 << 8) | _VERSION, 0o100644 << 16  # Unix, -rw-r--r--
_PADDING_ID = 0xD935  # the extra field that Android's zipalign pads with
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, kw_only=True)
class Member:
    """What is to be written: a name and its bytes, in pieces that need not be joined.

    Attributes:
        name: Its name.
        pieces: Its bytes.
        deflate: Whether they are deflated.
        whole: Bytes that it had before its zeros were left out, or None where they were not.
    """

    name: str
    pieces: Sequence[bytes | memoryview]
    deflate: bool = False
    whole: int | None = None

    @property
    def size(self) -> int:
        """Bytes before deflating."""
        return sum(memoryview(piece).nbytes for piece in self.pieces)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A member in the file.

    Attributes:
        name: Its name.
        method: 0 stored, 8 deflated.
        crc: CRC-32 of the bytes before deflating.
        size: Bytes in the file.
        full_size: Bytes before deflating.
        header: Offset of the local header.
        start: Offset of the data.
    """

    name: str
    method: int
    crc: int
    size: int
    full_size: int
    header: int
    start: int

    @property
    def stored(self) -> bool:
        """Whether the data can be mapped."""
        return self.method == _STORED

    @property
    def end(self) -> int:
        """Offset behind the data."""
        return self.start + self.size


def write_archive(stream: BinaryIO, members: Iterable[Member]) -> None:
    """Write members in order; stored ones start on a boundary of `ALIGNMENT` bytes.

    Raises:
        BundleError: The file would pass 2 GiB, or have more members than are read.
    """
    entries: list[Entry] = []
    offset = 0
    for member in members:
        if len(entries) == _MAX_MEMBERS:
            raise BundleError(
                f"the bundle would have more than {_MAX_MEMBERS} members; leave out features or let them share words"
            )
        crc = 0
        for piece in member.pieces:
            crc = zlib.crc32(piece, crc)
        pieces = [_deflate(member.pieces)] if member.deflate else member.pieces
        size = sum(memoryview(piece).nbytes for piece in pieces)
        start = _data_start(member.name, offset, stored=not member.deflate)
        if start + size > _MAX_BYTES - 2**20:
            raise BundleError(f"the bundle passes 2 GiB at member {member.name!r}; use a smaller item table, int8 or binary")
        method = _DEFLATED if member.deflate else _STORED
        entry = Entry(name=member.name, method=method, crc=crc, size=size, full_size=member.size, header=offset, start=start)
        stream.write(_local_header(entry))
        for piece in pieces:
            stream.write(piece)
        entries.append(entry)
        offset = entry.end
    stream.write(_directory(entries, offset))


def read_directory(data: memoryview) -> dict[str, Entry]:
    """Read the members of an archive, in the order of the file, each checked to lie inside it and apart from the others.

    Raises:
        BundleError: Anything else than the container of a bundle; the message lacks the file's name.
    """
    total = len(data)
    if total < _END.size or total > _MAX_BYTES:
        raise BundleError(f"{total} bytes are no bundle; expected a ZIP file below 2 GiB")
    mark, disk, first, here, count, length, offset, comment = _END.unpack_from(data, total - _END.size)
    if mark != b"PK\x05\x06" or comment or disk or first or here != count:
        raise BundleError("the file does not end as a bundle does; it is truncated or no bundle, copy it again")
    if offset + length != total - _END.size or count > _MAX_MEMBERS:
        raise BundleError("the directory at the end of the file does not fit it; the file is damaged, copy it again")
    entries: dict[str, Entry] = {}
    position = offset
    for _ in range(count):
        entry, position = _read_entry(data, position, offset + length)
        if entry.name in entries:
            raise BundleError(f"member {entry.name!r} stands twice in the file; the file is damaged or hostile")
        entries[entry.name] = entry
    if position != offset + length:
        raise BundleError("the directory at the end of the file holds more than its members; the file is damaged, copy it again")
    ordered = sorted(entries.values(), key=lambda entry: entry.header)
    follows = offset
    for entry in reversed(ordered):
        if entry.end > follows:
            raise BundleError(f"member {entry.name!r} reaches into what follows it; the file is damaged or hostile")
        follows = entry.header
    return {entry.name: entry for entry in ordered}


def inflate(data: memoryview, entry: Entry, *, limit: int) -> bytes:
    """Return the bytes of a member, CRC checked.

    Args:
        data: The whole file.
        entry: The member.
        limit: Most bytes that it may have; nothing beyond is ever inflated.

    Raises:
        BundleError: It has more, or is damaged.
    """
    if entry.full_size > limit:
        raise BundleError(
            f"member {entry.name!r} says it has {entry.full_size} bytes; at most {limit} are read, the file is hostile"
        )
    raw = data[entry.start : entry.end]
    if entry.stored:
        content = bytes(raw)
    else:
        inflater = zlib.decompressobj(-15)
        try:
            content = inflater.decompress(raw, entry.full_size + 1)
        except zlib.error:
            content = b""
        if not inflater.eof or inflater.unused_data:
            raise BundleError(f"member {entry.name!r} cannot be inflated; the file is damaged, copy it again")
    if len(content) != entry.full_size or zlib.crc32(content) != entry.crc:
        raise BundleError(f"member {entry.name!r} fails its checksum; the file is damaged, copy it again")
    return content


def check_canonical(data: memoryview, entries: Iterable[Entry]) -> None:
    """Check that every byte outside the members' data is the one that `write_archive` would have written.

    Raises:
        BundleError: It is not.
    """
    ordered = list(entries)
    offset = 0
    for entry in ordered:
        header = _local_header(entry)
        if entry.header != offset or data[offset : entry.start] != header:
            raise BundleError(f"the header of member {entry.name!r} is not as it was written; the file was damaged or repacked")
        offset = entry.end
    if data[offset:] != _directory(ordered, offset):
        raise BundleError("the directory at the end of the file is not as it was written; the file was damaged or repacked")


def _read_entry(data: memoryview, position: int, limit: int) -> tuple[Entry, int]:
    if position + _CENTRAL.size > limit:
        raise BundleError("the directory at the end of the file breaks off; the file is damaged, copy it again")
    mark, _, _, flags, method, _, _, crc, size, full_size, length, extra, comment, disk, _, _, header = _CENTRAL.unpack_from(
        data, position
    )
    after = position + _CENTRAL.size + length + extra + comment
    if mark != b"PK\x01\x02" or disk or comment or after > limit:
        raise BundleError("the directory at the end of the file is damaged; copy the file again")
    name = bytes(data[position + _CENTRAL.size :][:length])
    label = name[:80].decode("utf-8", "replace")
    text = name.decode("ascii", "replace")
    if len(text) > 200 or not _NAME.fullmatch(text):
        raise BundleError(f"member {label!r} has a name that points outside or is not plain; the file is hostile")
    if method not in (_STORED, _DEFLATED) or flags & ~0x0806 or (method == _STORED and size != full_size):
        raise BundleError(f"member {label!r} is packed in a way that bundles are not; the file was damaged or repacked")
    if header + _LOCAL.size > len(data):
        raise BundleError(f"member {label!r} lies outside the file; the file is truncated, copy it again")
    local = _LOCAL.unpack_from(data, header)
    start = header + _LOCAL.size + local[9] + local[10]
    same = (local[0], local[2] & ~0x0806, local[3], *local[6:10]) == (b"PK\x03\x04", 0, method, crc, size, full_size, length)
    if not same or bytes(data[header + _LOCAL.size :][:length]) != name:
        raise BundleError(f"member {label!r} has two headers that differ; the file is damaged or hostile")
    if start + size > len(data):
        raise BundleError(f"member {label!r} lies outside the file; the file is truncated, copy it again")
    return Entry(name=text, method=method, crc=crc, size=size, full_size=full_size, header=header, start=start), after


def _deflate(pieces: Iterable[bytes | memoryview]) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(deflater.compress(piece) for piece in pieces), deflater.flush()])


def _data_start(name: str, header: int, *, stored: bool) -> int:
    start = header + _LOCAL.size + len(name)
    gap = -start % ALIGNMENT if stored else 0
    if 0 < gap < 6:  # the padding field's own frame takes six bytes
        gap += ALIGNMENT
    return start + gap


def _local_header(entry: Entry) -> bytes:
    gap = entry.start - entry.header - _LOCAL.size - len(entry.name)
    padding = struct.pack("<3H", _PADDING_ID, gap - 4, ALIGNMENT) + bytes(gap - 6) if 6 <= gap <= 0xFFFF else b""
    fixed = _LOCAL.pack(
        b"PK\x03\x04",
        _VERSION,
        0,
        entry.method,
        _TIME,
        _DATE,
        entry.crc,
        entry.size,
        entry.full_size,
        len(entry.name),
        len(padding),
    )
    return fixed + entry.name.encode("ascii") + padding


def _directory(entries: Sequence[Entry], offset: int) -> bytes:
    records = b"".join(
        _CENTRAL.pack(
            b"PK\x01\x02", _MADE_BY, _VERSION, 0, entry.method, _TIME, _DATE, entry.crc, entry.size, entry.full_size,
            len(entry.name), 0, 0, 0, 0, _ATTRIBUTES, entry.header,
        )
        + entry.name.encode("ascii")
        for entry in entries
    )  # fmt: skip
    return records + _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(records), offset, 0)
