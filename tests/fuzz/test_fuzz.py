"""Random use of the kernels, right and wrong, under the sanitizers of addresses and undefined behaviour; see ``make fuzz``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sanitised import NoSanitizerError, build, surroundings

_PROGRAM = Path(__file__).with_name("fuzz_kernels.py")
_BUILT = Path(__file__).parents[2] / "build" / "fuzz"  # taken again as long as no source is newer
_SECONDS, _SEED = 6, 0  # of processor time


@pytest.mark.slow
def test_no_use_of_the_kernels_is_a_crash_or_a_wrong_row(tmp_path: Path) -> None:
    """Thousands of uses: right ones get the reference's answer, wrong ones a refusal, and no byte is touched beyond an array."""
    try:
        kernels = build(_BUILT)
        around = surroundings()
    except NoSanitizerError as error:
        pytest.skip(str(error))
    command = [sys.executable, str(_PROGRAM), str(kernels), str(_SECONDS), str(_SEED), str(tmp_path / "last")]
    done = subprocess.run(command, env=around, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"use {(tmp_path / 'last').read_text().strip()} of seed {_SEED}:\n{done.stderr[-4000:]}"
    assert int(done.stdout.split()[0]) > 100, "too few to tell anything"
