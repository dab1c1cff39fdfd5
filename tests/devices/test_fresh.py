"""Fresh processes: really fresh, timed from their start, stopped when they hang."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_rec_devices import fresh as module
from edge_rec_devices.fresh import Fresh
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_first_answer_takes_as_long_as_its_parts(make_bundle: Callable[..., Path]) -> None:
    """Interpreter, import, open and first request sum to the cold start; the bundle is mapped; memory grows with answers."""
    answer = Fresh().answer(
        make_bundle(), [{"history": ("i1", "i2")}, {"history": ["i3"]}], opener="Recommender", backend="auto", threads=1, k=3
    )
    parts = answer.python_ms + answer.import_ms + answer.open_ms + answer.first_request_ms
    assert parts == pytest.approx(answer.total_ms)
    assert min(answer.python_ms, answer.import_ms, answer.open_ms, answer.first_request_ms) > 0
    if sys.platform == "linux":
        assert answer.mapped
        assert answer.peak_rss is not None
        assert answer.first_answer_rss is not None
        # Linux counts a process's pages in batches a thread, so the peak may lag behind by some of them.
        assert answer.peak_rss >= answer.first_answer_rss - (1 << 20) > 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="VmHWM is Linux's")
def test_peak_memory_is_the_childs_own() -> None:
    """A parent that has used much memory does not raise an idle child's figure, as ru_maxrss would."""
    ballast = bytearray(200_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    peak = Fresh().idle("python").peak_rss
    assert peak is not None
    assert peak < 50_000_000
    del ballast


def test_importing_more_takes_longer() -> None:
    """The comparison processes do what they are named after: numpy costs more than nothing."""
    assert min(Fresh().idle("numpy").total_ms for _ in range(3)) > min(Fresh().idle("python").total_ms for _ in range(3))


def test_a_child_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the timeout the process is gone, and the message says how long it was given."""
    pid = tmp_path / "pid"
    program = tmp_path / "hang.py"
    program.write_text(f"import os, time, pathlib\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(60)\n")
    monkeypatch.setattr(module, "PROGRAM", program)
    begun = time.monotonic()
    with pytest.raises(MeasurementError, match=r"did not answer within 1\.5 s"):
        Fresh(timeout=1.5).idle("python")
    assert time.monotonic() - begun < 20
    if pid.exists():
        assert not Path(f"/proc/{pid.read_text()}").exists()


def test_ctrl_c_leaves_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt while waiting for a child kills and reaps it before it goes on its way."""
    program = tmp_path / "hang.py"
    program.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(module, "PROGRAM", program)
    started: list[subprocess.Popen[str]] = []

    class Interrupted(subprocess.Popen):  # type: ignore[type-arg]  # the same at run time
        def communicate(self, *_: object, **__: object) -> tuple[str, str]:
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Fresh().idle("python")
    assert started[0].returncode is not None


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise RuntimeError('no engine here')", "RuntimeError: no engine here"),
        ("print('hello')", "answered 'hello"),
        ("print('{\"started\": 1}')", "no key 'done'"),
    ],
)
def test_a_child_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str) -> None:
    """A crash, an answer that is no JSON and one that lacks a figure each become one sentence."""
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(module, "PROGRAM", tmp_path / "program.py")
    with pytest.raises(MeasurementError, match=message):
        Fresh().idle("python")
