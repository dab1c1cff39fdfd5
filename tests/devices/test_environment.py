"""What the machine says of itself, and what is said when it is silent."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from edge_rec_devices.environment import describe

if TYPE_CHECKING:
    from pathlib import Path


def machine(root: Path, files: dict[str, str]) -> Path:
    """Lay out a machine's /proc and /sys."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture(autouse=True)
def on_the_first_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tests run on processor 0, wherever they do."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2}, raising=False)


def test_a_described_machine(tmp_path: Path) -> None:
    """Model, flags that matter, frequency, governor and memory are read; other flags are left out."""
    files = {
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: A CPU @ 3 GHz\ncpu MHz\t\t: 2600.5\nflags\t\t: fpu avx2 avx512_vnni ht\n",
        "proc/meminfo": "MemTotal:        1000 kB\nMemFree: 3 kB\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "3100000\n",
    }
    found = describe(root=machine(tmp_path, files))
    assert (found.cpu, found.flags, found.governor) == ("A CPU @ 3 GHz", ("avx2", "avx512_vnni"), "performance")
    assert (found.frequency_mhz, found.memory_bytes, found.affinity) == (3100.0, 1_024_000, (0, 2))
    assert found.missing == {}


def test_a_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    """An Arm board, whose cpuinfo has no model name, is named by the board; its features are its flags."""
    files = {
        "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd asimddp\n",
        "proc/device-tree/model": "Raspberry Pi 5 Model B\0",
    }
    found = describe(root=machine(tmp_path, files))
    assert (found.cpu, found.flags) == ("Raspberry Pi 5 Model B", ("asimd", "asimddp"))


def test_what_cannot_be_read_is_none_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent system gives no made-up value: None, and a reason for each None."""
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.delattr("os.getloadavg", raising=False)
    found = describe(root=tmp_path)
    silent = {"cpu", "affinity", "governor", "frequency_mhz", "load_average", "memory_bytes"}
    assert all(getattr(found, name) is None for name in silent)
    assert set(found.missing) == silent
    assert all(found.missing.values())


def test_versions_are_those_installed_and_nothing_else() -> None:
    """A package that is not installed is left out, not guessed."""
    assert describe(packages=("numpy", "no-such-package")).packages == {"numpy": metadata.version("numpy")}
