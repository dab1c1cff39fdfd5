"""The kernels answer on other processors what numpy answers here: x86-64 without AVX-512 and without AVX, and three Arms.

``qemu`` runs the same program, which asks every kernel at every level of its processor; on Arm, with the kernels cross-compiled.
"""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arm import arm_kernels, arm_python
from emulator import emulator
from questions import ROUNDED, Question, asked, expected_of, write

_PROGRAM = Path(__file__).with_name("answer_kernels.py")
_X86 = {"Haswell": ["portable", "avx2"], "Nehalem": ["portable"]}
_ARM = {
    "cortex-a53": ["portable", "neon"],
    "cortex-a76": ["portable", "neon", "dotprod"],
    "max": ["portable", "neon", "dotprod"],
}
_CLOSE = 1e-5  # relative to the largest score: fp32 sums in another order than numpy's

_KERNELS = "edge_rec_runtime._kernels"

Answers = dict[str, Any]


@pytest.fixture(scope="module")
def kernels() -> Path:
    """Return the extension of this machine."""
    return Path(str(importlib.import_module(_KERNELS).__file__))


@cache
def questions() -> tuple[Question, ...]:
    """Return the questions."""
    return tuple(asked())


def answers_of(command: list[str], kernels: Path, folder: Path) -> Answers:
    """Return what the program writes when it is run like this."""
    write(list(questions()), folder / "questions.npz")
    whole = [*command, str(_PROGRAM), str(kernels), str(folder / "questions.npz"), str(folder / "answers.npz")]
    done = subprocess.run(whole, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "answers.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="module")
def here(kernels: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Return what this processor answers."""
    return answers_of([sys.executable], kernels, tmp_path_factory.mktemp("here"))


def judge(answers: Answers, levels: list[str], here: Answers) -> None:
    """Hold every answer against numpy's, and to the bit against this processor's portable path, or its best vector path."""
    assert answers["levels"].tolist() == levels
    for one, level in itertools.product(questions(), levels):
        rows, scores = answers[f"{one.name}/{level}/rows"], answers[f"{one.name}/{level}/scores"]
        twin = "portable" if level == "portable" else here["levels"][-1]
        assert scores.tobytes() == here[f"{one.name}/{twin}/scores"].tobytes(), (one.name, level)
        assert rows.tolist() == here[f"{one.name}/{twin}/rows"].tolist(), (one.name, level)
        for found, scored, (want, exact) in zip(rows, scores, expected_of(one), strict=True):
            if one.table.layout in ROUNDED:
                np.testing.assert_allclose(scored, exact, atol=_CLOSE * np.abs(exact).max(initial=1))
            else:
                assert found.tolist() == want.tolist(), (one.name, level)
                assert (scored == exact).all(), (one.name, level)


def test_every_layout_with_a_kernel_is_asked() -> None:
    """No type of the extension is left out of what the emulated processors answer."""
    native = importlib.import_module(_KERNELS)
    types = {name for name, value in vars(native).items() if isinstance(value, type)}
    assert set().union(*(one.made.kinds() for one in questions())) == types


@pytest.mark.parametrize("cpu", _X86)
def test_older_x86_answers_the_same(cpu: str, kernels: Path, here: Answers, tmp_path: Path) -> None:
    """Each level that the processor has gives the reference's rows and scores, and it does not try those it lacks."""
    judge(answers_of([str(emulator()), "-cpu", cpu, sys.executable], kernels, tmp_path), _X86[cpu], here)


@pytest.fixture(scope="module")
def cross_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the kernels for Arm."""
    return arm_kernels(tmp_path_factory.mktemp("arm"))


@pytest.mark.slow
@pytest.mark.parametrize("cpu", _ARM)
def test_arm_answers_the_same(cpu: str, cross_built: Path, here: Answers, tmp_path: Path) -> None:
    """The cross-compiled kernels give the reference's rows and scores at each level of the processor."""
    program = emulator("qemu-aarch64")
    judge(answers_of([str(program), "-cpu", cpu, *arm_python()], cross_built, tmp_path), _ARM[cpu], here)
