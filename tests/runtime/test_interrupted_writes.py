"""Writes that cannot be finished: the old bundle stays and nothing else is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge_rec_runtime import Bundle
from edge_rec_runtime.atomic import replace_file

MakeBundle = Callable[..., Path]

WRITE = """
import resource, signal, sys
import numpy as np
from edge_rec_runtime import BundleContents, Catalogue, Fp32Table, Precision, write_bundle
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
rows = 5000
write_bundle(sys.argv[1], BundleContents(name="x", precision=Precision(), encoders={},
    tables={"items": Fp32Table.encode(np.ones((rows, 16), np.float32))},
    catalogue=Catalogue(tuple(map(str, range(rows)))), max_length=8))
"""


@pytest.mark.parametrize("limit", [0, 1_000, 100_000, 330_000])
def test_a_full_disk_leaves_the_old_bundle(make_bundle: MakeBundle, limit: int) -> None:
    """Wherever the space ends, the file that was there is untouched and no temporary file remains."""
    path = make_bundle()
    before = path.read_bytes()
    result = subprocess.run([sys.executable, "-c", WRITE, str(path), str(limit)], capture_output=True, text=True, check=False)
    assert "File too large" in result.stderr
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_an_interrupt_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever ends the writing is passed on, and the folder is as it was."""

    def write(stream: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise error

    path = tmp_path / "x.edgerec"
    path.write_bytes(b"old")
    with pytest.raises(error):
        replace_file(path, write)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("x.edgerec", b"old")]


def test_a_signal_while_writing_leaves_no_file(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a long write removes what was written of it."""
    code = """
import sys, time
from pathlib import Path
from edge_rec_runtime.atomic import replace_file
def write(stream):
    stream.write(b"half"); stream.flush(); print("writing", flush=True); time.sleep(30)
replace_file(Path(sys.argv[1]), write)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x.edgerec")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_an_open_bundle_survives_its_replacement(make_bundle: MakeBundle) -> None:
    """Readers keep the file they mapped; the next to open gets the new one."""
    with Bundle.open(make_bundle(items=10)) as old:
        make_bundle(items=20)
        assert len(old.catalogue) == old.table("items").rows == 10
        with Bundle.open(old.path, verify="full") as new:
            assert len(new.catalogue) == 20


def test_a_folder_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    """The caller hears which path it was."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        replace_file(tmp_path / "nowhere" / "x.edgerec", lambda stream: None)  # noqa: ARG005  # never called


def test_what_cannot_be_written_is_named_by_its_own_name(tmp_path: Path) -> None:
    """A missing folder, and a folder where the file should go: the message has the path that was asked for, nothing is left."""
    (tmp_path / "x.edgerec").mkdir()
    for path in (tmp_path / "absent" / "x.edgerec", tmp_path / "x.edgerec"):
        with pytest.raises(OSError, match="x") as failure:
            replace_file(path, lambda _: None)
        assert failure.value.filename == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.edgerec"]


def test_two_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    """Whoever comes last wins; half of each is never seen."""
    path, texts = tmp_path / "x", [bytes([letter]) * 300_000 for letter in b"abcd"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: replace_file(path, lambda stream: stream.write(text) and None), texts * 4))
    assert path.read_bytes() in texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
