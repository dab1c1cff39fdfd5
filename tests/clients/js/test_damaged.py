"""The reader in JavaScript refuses of damaged bundles what Python refuses, and reads of the rest the same."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reading import DESCRIBE, damaged, describe, private_arrays

from edge_rec_runtime.errors import BundleError

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]
GOLDEN = Path(__file__).parents[2] / "runtime" / "golden"
FLIPS = 400  # of a bundle
KEPT = tuple(sorted(path.name for path in GOLDEN.glob("*.edgerec")))


@pytest.mark.parametrize("name", KEPT)
def test_damage_anywhere_is_met_as_python_meets_it(run_node: RunNode, tmp_path: Path, name: str) -> None:
    """Bits flipped all over the file, cuts, and junk over stretches: never a crash, never other contents than Python's."""
    compare(run_node, GOLDEN / name, tmp_path / "damaged.edgerec", attacks(GOLDEN / name))


def test_every_flipped_bit_is_found_by_the_full_check(run_node: RunNode) -> None:
    """With ``verify: "full"`` no flip stays, but in the bits after the end of a deflated text, which change nothing."""
    path = GOLDEN / "v1.edgerec"
    requests = [{"path": str(path), "verify": "full"} | request for request in attacks(path) if "flip" in request]
    answers = run_node(DESCRIBE, requests)
    assert not any("crash" in answer for answer in answers)
    passed = [request["flip"]["at"] for request, answer in zip(requests, answers, strict=True) if "refused" not in answer]
    with zipfile.ZipFile(path) as archive:
        deflated = [one for one in archive.infolist() if one.compress_type]
    ends = {one.header_offset + 30 + len(one.filename) + one.compress_size - 1 for one in deflated}
    assert set(passed) <= ends


def attacks(path: Path) -> list[dict[str, Any]]:
    """Return damages of a file, drawn by its name."""
    source, size = random.Random(path.name), path.stat().st_size
    stride = size // FLIPS
    found: list[dict[str, Any]] = [
        {"flip": {"at": at + source.randrange(stride), "mask": 1 << source.randrange(8)}}
        for at in range(0, size - stride, stride)
    ]
    found += [{"cut": source.randrange(size)} for _ in range(60)]
    found += [
        {"write": {"at": source.randrange(size), "hex": source.randbytes(source.choice((1, 2, 4, 60))).hex()}} for _ in range(120)
    ]
    edges = range(size - 22, size)
    return found + [{"write": {"at": at, "hex": value * 2}} for at in edges for value in ("00", "ff", "7f")]


def compare(run_node: RunNode, path: Path, place: Path, requests: list[dict[str, Any]]) -> None:
    """Ask both readers about each damage of a file."""
    content, private = path.read_bytes(), private_arrays(path)
    answers = run_node(DESCRIBE, [{"path": str(path)} | request for request in requests])
    assert len(answers) == len(requests)
    for request, answer in zip(requests, answers, strict=True):
        place.write_bytes(damaged(content, request))
        try:
            expected = describe(place)
        except BundleError:
            expected = None
        assert "crash" not in answer, (request, answer)
        if expected is None:
            assert "refused" in answer, request
        elif "refused" in answer:
            assert touched(request) & private, (request, answer)
        else:
            assert answer == expected, request


def touched(request: dict[str, Any]) -> set[int]:
    """Return the places that a damage changes."""
    if "flip" in request:
        return {request["flip"]["at"]}
    return set(range(request["write"]["at"], request["write"]["at"] + len(request["write"]["hex"]) // 2))
