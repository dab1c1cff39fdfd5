"""Devices of other processors give the same items as this machine, for every bundle that the demo makes.

An Arm device has our runtime with cross-compiled kernels and the wheels of both engines for Arm, and QEMU runs them; older x86
processors run this environment itself. Nothing here is judged by its speed.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emulated_bundles
import pytest
import torch
from arm import arm_runtime
from emulated_answers import answers_of
from emulated_qemu import recent_emulator

if TYPE_CHECKING:
    from emulated_bundles import Asked

_PROGRAM = Path(__file__).with_name("emulated_answers.py")
_ARM = {"cortex-a53": "neon", "cortex-a76": "dotprod"}
_X86 = {"Haswell": "avx2", "Nehalem": "portable"}
_BACKENDS = {"onnx": "onnxruntime", "tflite": "litert", "": "numpy"}
_K = 10
_ALIKE = 1e-3  # relative: items whose fp32 scores are nearer than this may change places

Answers = dict[str, Any]

# in one worker: the models are trained once, and one emulator runs at a time
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("emulated devices")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    """Return every bundle with its requests."""
    torch.set_num_threads(1)
    return emulated_bundles.of_the_drawn_log(tmp_path_factory.mktemp("bundles")) + emulated_bundles.of_the_demo()


@pytest.fixture(scope="module")
def here(asked: list[Asked], tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Return what this machine answers, in a process of its own as a device has."""
    return _answers([sys.executable], asked, tmp_path_factory.mktemp("here"))


def _answers(command: list[str], asked: list[Asked], folder: Path) -> Answers:
    """Return what one process, called like this, answers to everything."""
    questions = {str(one.path): {"requests": one.requests, "k": _K} for one in asked}
    (folder / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    whole = [*command, str(_PROGRAM), str(folder / "questions.json"), str(folder / "answers.json")]
    done = subprocess.run(whole, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answers: Answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return answers


def _judge(there: Answers, here: Answers, asked: list[Asked]) -> None:
    """Hold every answer of a device against this machine's."""
    for one in asked:
        device, ours = there["bundles"][str(one.path)], here["bundles"][str(one.path)]
        assert device["backend"] == ours["backend"] == _BACKENDS[one.target]
        assert ("graph" in ours) is one.graph
        for way in ours.keys() - {"backend"}:
            assert len(device[way]) == len(ours[way]) > 0
            for place, (left, right) in enumerate(zip(device[way], ours[way], strict=True)):
                _judge_one(one, way, place, left, right)


def _judge_one(one: Asked, way: str, place: int, there: list[Any], here: list[Any]) -> None:
    """Items may differ only where fp32 scores them alike, and scores only within the same."""
    said = (one.path.name, way, place)
    assert len(there) == len(here), said
    largest = max((abs(score) for _, score in here), default=1)
    for (item, score), (ours, expected) in zip(there, here, strict=True):
        assert score == pytest.approx(expected, abs=_ALIKE * largest), said
        if item != ours:
            exact = _exact(one, way, place)
            assert exact[item] == pytest.approx(exact[ours], abs=_ALIKE * max(map(abs, exact.values()))), (*said, item, ours)


def _exact(one: Asked, way: str, place: int) -> dict[str, float]:
    """Return the fp32 score of every item."""
    everything: dict[str, Any] = _exact_answers(one.exact, json.dumps(one.requests))
    return dict(everything["recommend" if way.startswith("graph") else way][place])


@cache
def _exact_answers(path: Path, requests: str) -> Answers:
    return answers_of(str(path), json.loads(requests), 1_000_000)


@pytest.fixture(scope="module")
def arm_device(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return how the Arm device's interpreter is called."""
    return arm_runtime(tmp_path_factory.mktemp("device"))


@pytest.mark.parametrize("cpu", _ARM)
def test_an_arm_device_gives_the_same_items(
    cpu: str, arm_device: list[str], asked: list[Asked], here: Answers, tmp_path: Path
) -> None:
    """Both engines, every kind of bundle, sessions, similar items, bare graphs; on this Arm's kernels, dot products or none."""
    there = _answers([str(recent_emulator("qemu-aarch64")), "-cpu", cpu, *arm_device], asked, tmp_path)
    assert (there["machine"], there["kernels"]) == ("aarch64", _ARM[cpu])
    _judge(there, here, asked)


@pytest.mark.parametrize("cpu", _X86)
def test_an_older_x86_gives_the_same_items(cpu: str, asked: list[Asked], here: Answers, tmp_path: Path) -> None:
    """The same without AVX-512 and VNNI, whose lack lets sums of unsigned times signed bytes saturate, and without AVX."""
    there = _answers([str(recent_emulator("qemu-x86_64")), "-cpu", cpu, sys.executable], asked, tmp_path)
    assert (there["machine"], there["kernels"]) == ("x86_64", _X86[cpu])
    _judge(there, here, asked)


def test_a_wrong_answer_is_found(asked: list[Asked], here: Answers) -> None:
    """Another item, another order or another score anywhere is no same answer: the tests above can fail."""
    one = next(each for each in asked if each.path.name == "sasrec-tflite-int8.edgerec")
    right = here["bundles"][str(one.path)]["recommend"][0]
    assert len({item for item, _ in right}) == _K
    swapped = [[other, score] for (other, _), (_, score) in zip(reversed(right), right, strict=True)]
    louder = [[item, score * 1.01] for item, score in right]
    for wrong in (swapped, louder, right[:-1], list(itertools.chain(right[1:], right[:1]))):
        with pytest.raises(AssertionError):
            _judge_one(one, "recommend", 0, wrong, right)
