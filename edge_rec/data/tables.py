"""A file of rows in memory, with what an error message needs: which file, and which line a row stood on."""

from __future__ import annotations

__all__ = ["Table", "existing_file", "refuse_undecodable", "separated"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of a file.

    Attributes:
        path: Where they were read.
        frame: Text in every column, except where the file itself has types (Parquet).
        first_line: Line of the first row, counted from 1; 0 where the file has no lines and rows are counted instead.
        lists: Columns that hold several values, and what stands between the values.
    """

    path: Path
    frame: pl.DataFrame
    first_line: int = 2
    lists: Mapping[str, str | None] = field(default_factory=dict)

    def where(self, row: int) -> str:
        """Name the place of a row, for a message."""
        return f"{self.path}, line {self.first_line + row}" if self.first_line else f"{self.path}, row {row + 1}"


def existing_file(path: Path) -> Path:
    """Return the path of a file that can be opened.

    Raises:
        DataError: There is none, or it is a directory.
    """
    if path.is_dir():
        raise DataError(f"{path} is a directory; expected a file, for example {path / 'log.csv'}")
    if not path.exists():
        raise DataError(f"{path}: no such file; check the path")
    return path


def separated(
    path: Path, *, separator: str, quote: str | None = None, names: Sequence[str] | None = None, text: bytes | None = None
) -> pl.DataFrame:
    """Read separated values, every column as text.

    Args:
        path: The file.
        separator: One ASCII character.
        quote: What may enclose a value, or None where quotes are letters like any other.
        names: Column names where the file has no header.
        text: UTF-8 content to parse in place of the file's own, where it had to be recoded.

    Raises:
        DataError: Empty, no row under the header, not UTF-8, or rows of uneven length.
    """
    source = existing_file(path) if text is None else text
    try:
        frame = pl.read_csv(source, separator=separator, quote_char=quote, has_header=names is None, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise DataError(f"{path} is empty; expected a table of interactions or items") from None
    except pl.exceptions.PolarsError as error:
        refuse_undecodable(path)
        _refuse_uneven(path, separator, quote)
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(
            f"{path} cannot be read as a table separated by {separator!r} ({reason}); mend or export it again"
        ) from None
    if frame.height == 0:
        raise DataError(f"{path} has a header and no row below it; expected at least one")
    if names is None:
        return frame
    if frame.width != len(names):
        raise DataError(f"{path} has {frame.width} columns separated by {separator!r}, expected {len(names)}: {', '.join(names)}")
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def refuse_undecodable(path: Path) -> None:
    """Raise DataError with the first line that is not UTF-8, if there is one."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {number}: byte 0x{line[error.start]:02x} is not UTF-8; save the file as UTF-8"
                ) from None


def _refuse_uneven(path: Path, separator: str, quote: str | None) -> None:
    with path.open(encoding="utf-8", newline="\n") as stream:
        width = stream.readline().count(separator) + 1
        for number, line in enumerate(stream, 2):
            fields = line.count(separator) + 1
            if fields > width and not (quote and quote in line):
                raise DataError(
                    f"{path}, line {number}: {fields} fields, the first line has {width}; quote or remove {separator!r}"
                )
