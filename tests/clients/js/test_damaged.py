"""The reader in JavaScript refuses of damaged bundles what Python refuses, and reads of the rest the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reading import DESCRIBE, damaged, describe, private_arrays

from edge_rec_runtime.errors import BundleError

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]
GOLDEN = Path(__file__).parents[2] / "runtime" / "golden"
KEPT = tuple(sorted(path.name for path in GOLDEN.glob("*.edgerec")))


@pytest.mark.parametrize("name", KEPT)
def test_damage_anywhere_is_met_as_python_meets_it(run_node: RunNode, tmp_path: Path, name: str) -> None:
    """One bit flipped in every third byte, cuts, and junk over stretches: never a crash, never other contents than Python's."""
    compare(run_node, GOLDEN / name, tmp_path / "damaged.edgerec", attacks(GOLDEN / name))


def test_every_flipped_bit_is_found_by_the_full_check(run_node: RunNode) -> None:
    """With ``verify: "full"`` no flip stays: a bundle that was received is the one that was sent."""
    path = GOLDEN / "v1.edgerec"
    source = random.Random(2)
    places = range(0, path.stat().st_size, 2)
    requests = [
        {"path": str(path), "verify": "full", "flip": {"at": place, "mask": 1 << source.randrange(8)}} for place in places
    ]
    answers = run_node(DESCRIBE, requests)
    assert all("refused" in answer and "crash" not in answer for answer in answers)


def attacks(path: Path) -> list[dict[str, Any]]:
    """Return damages of a file, drawn by its name."""
    source, size = random.Random(path.name), path.stat().st_size
    found: list[dict[str, Any]] = [{"flip": {"at": at, "mask": 1 << source.randrange(8)}} for at in range(0, size, 3)]
    found += [{"cut": source.randrange(size)} for _ in range(100)]
    found += [
        {"write": {"at": source.randrange(size), "hex": source.randbytes(source.choice((1, 2, 4, 60))).hex()}} for _ in range(200)
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
