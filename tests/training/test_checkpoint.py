"""Checkpoints come back as they were, and never into another run."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from edge_rec.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

OWNER = {"data": "abc", "seed": 0, "loss": "full"}


def _stored(path: Path) -> Checkpoint:
    tensors = {"model.table": torch.arange(6.0).view(2, 3), "optimizer.0.step": torch.tensor(7.0)}
    checkpoint = Checkpoint(owner=OWNER, progress={"epochs": [{"epoch": 1, "loss": 1 / 3}]}, tensors=tensors)
    write_checkpoint(path, checkpoint)
    return checkpoint


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Numbers, lists and tensors come back exactly; no other file is left."""
    written = _stored(tmp_path / "c.safetensors")
    read = read_checkpoint(tmp_path / "c.safetensors", owner=OWNER)
    assert (read.owner, read.progress) == (written.owner, written.progress)
    assert read.tensors.keys() == written.tensors.keys()
    assert all(torch.equal(read.tensors[name], value) for name, value in written.tensors.items())
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]


def test_who_may_read_it_is_for_the_user_to_say(tmp_path: Path) -> None:
    """The file's mode follows the umask, like that of any other file."""
    before = os.umask(0o027)
    try:
        _stored(tmp_path / "c.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c.safetensors").stat().st_mode) == 0o640


def test_a_failed_write_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    """A folder that takes no file is an OSError that names the checkpoint; what was there is as it was."""
    with pytest.raises(OSError, match=r"c\.safetensors"):
        write_checkpoint(tmp_path / "missing" / "c.safetensors", Checkpoint(owner=OWNER, progress={}, tensors={}))
    path = tmp_path / "c.safetensors"
    written = _stored(path)
    code = (
        "import resource, signal, sys, torch; from pathlib import Path\n"
        "from edge_rec.training.checkpoint import Checkpoint, write_checkpoint\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99))\n"
        "write_checkpoint(Path(sys.argv[1]), Checkpoint(owner={}, progress={}, tensors={'a': torch.zeros(99)}))"
    )
    failed = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "File too large" in failed.stderr
    assert read_checkpoint(path, owner=OWNER).progress == written.progress
    assert [one.name for one in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize(("name", "value"), [("data", "xyz"), ("seed", 1), ("loss", "sampled")])
def test_another_runs_checkpoint_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """The sentence says what differs."""
    _stored(tmp_path / "c.safetensors")
    with pytest.raises(TrainingError, match=f"belongs to another run: {name} was {OWNER[name]!r} there and is {value!r} here"):
        read_checkpoint(tmp_path / "c.safetensors", owner=OWNER | {name: value})


@pytest.mark.parametrize("size", [0, 5, 20, 200])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, size: int) -> None:
    """A file that ends too early is told from a checkpoint."""
    path = tmp_path / "c.safetensors"
    _stored(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(TrainingError, match="not a checkpoint"):
        read_checkpoint(path, owner=OWNER)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Weights without our metadata are no checkpoint."""
    from safetensors.torch import save_file  # noqa: PLC0415 - only this test writes a file by hand

    save_file({"a": torch.zeros(1)}, tmp_path / "c.safetensors")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        read_checkpoint(tmp_path / "c.safetensors", owner=OWNER)
