"""Our conversions held against each peer's: bytes, quality, latency; what is a difference and what is noise.

Only rows of one model, one target and one kind are compared, all timed in turns in one run. A peer that is not correct (see
``benchmarks/convert.py``) is not compared: it is listed with its cause.
"""

from __future__ import annotations

__all__ = [
    "KINDS",
    "MEASURES",
    "TIME_NOISE",
    "Comparison",
    "Measure",
    "Row",
    "beside",
    "comparisons",
    "name_of",
    "twins",
    "value_of",
]

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Outcome: TypeAlias = Literal["better", "equal", "worse"]

OURS = "edge-rec"
# Our precisions beside the peers' that do the same: the preset first, the variants of it that fix the network after it.
KINDS: dict[str, tuple[str, ...]] = {"fp32": ("fp32",), "int8": ("int8", "int8.int8-dynamic", "int8.int8-weights")}
# Medians of one run closer than this are equal: networks that are the same to the byte differ as much (see `twins`).
TIME_NOISE = 0.1
# Half of the loss that a ranker's gate lets through; the rows hold no interval of a difference of AUC.
AUC_NOISE = 0.0005


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A column that files are compared by.

    Attributes:
        title: Its heading.
        ratio: Whether the difference is ours over theirs, smaller being better; otherwise it is ours less theirs, larger being
            better.
        noise: Two rows -> the difference, beside 1 or 0, up to which they are equal.
    """

    title: str
    ratio: bool
    noise: Callable[[Row, Row], float]


def _no_noise(_: Row, __: Row) -> float:
    return 0.0


def _time_noise(_: Row, __: Row) -> float:
    return TIME_NOISE


def _overlap_noise(ours: Row, theirs: Row) -> float:
    """Combine the half widths of both 95 % intervals; the users are the same, so that the true noise is smaller."""
    return math.hypot(*((row["overlap_at_10_ci"][1] - row["overlap_at_10_ci"][0]) / 2 for row in (ours, theirs)))


def _auc_noise(_: Row, __: Row) -> float:
    return AUC_NOISE


MEASURES: dict[str, Measure] = {
    "model_bytes": Measure(title="bytes", ratio=True, noise=_no_noise),
    "overlap_at_10": Measure(title="overlap@10", ratio=False, noise=_overlap_noise),
    "auc_delta": Measure(title="AUC", ratio=False, noise=_auc_noise),
    "latency_ms_b1": Measure(title="one at a time", ratio=True, noise=_time_noise),
    "latency_ms_b32": Measure(title="batch of 32", ratio=True, noise=_time_noise),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One column of one of our rows beside one peer's.

    Attributes:
        ours: Our row.
        theirs: The peer's.
        measure: A key of `MEASURES`.
        difference: Ours over theirs, or ours less theirs; see `Measure`.
        outcome: Ours, seen beside theirs.
    """

    ours: Row
    theirs: Row
    measure: str
    difference: float
    outcome: Outcome

    @property
    def preset(self) -> bool:
        """Whether our row is what ``--precision fp32`` or ``--precision int8`` gives."""
        return self.ours["precision"] in KINDS


def comparisons(rows: Sequence[Row]) -> list[Comparison]:
    """Compare each of our rows with each correct peer of its model, target and kind, in the order of the rows."""
    return [made for ours in rows if ours["tool"] == OURS for theirs in beside(ours, rows) for made in _compared(ours, theirs)]


def beside(ours: Row, rows: Sequence[Row]) -> list[Row]:
    """Return the correct peers that a row of ours is compared with."""
    kind = next((kind for kind, precisions in KINDS.items() if ours["precision"] in precisions), None)
    place = (ours["subject"], ours["target"], kind)
    return [
        row
        for row in rows
        if row["tool"] != OURS and row["correct"] and (row["subject"], row["target"], row["precision"]) == place
    ]


def twins(rows: Sequence[Row]) -> list[float]:
    """Return by how much our networks that are the same to the byte differed in latency: the noise of one run.

    They are the rows of one model and target with the same bytes and the same answers.
    """
    found = []
    for one, other in combinations([row for row in rows if row["tool"] == OURS and row["target"] != "any"], 2):
        if all(one.get(key) == other.get(key) for key in ("subject", "target", "model_bytes", "overlap_at_10", "auc_delta")):
            for column in ("latency_ms_b1", "latency_ms_b32"):
                fast, slow = sorted((one[column], other[column]))
                found.append(slow / fast - 1)
    return found


def value_of(row: Row, measure: str) -> float | None:
    """Return a row's figure; the latency of a graph that begins behind the look-up of items, with the look-up in front of it."""
    found: float | None = row.get(measure)
    if found is None or not measure.startswith("latency_ms"):
        return found
    outside: float = row.get(measure.replace("latency_ms", "lookup_ms"), 0.0)
    return found + outside


def name_of(measure: str, difference: float) -> str:
    """Write a difference: ``0.941x`` of bytes, ``0.94x`` of times, ``-0.0012`` of quality."""
    if not MEASURES[measure].ratio:
        return f"{difference:+.4f}"
    return f"{difference:.3f}x" if measure == "model_bytes" else f"{difference:.2f}x"


def _compared(ours: Row, theirs: Row) -> list[Comparison]:
    figures = {measure: (value_of(ours, measure), value_of(theirs, measure)) for measure in MEASURES}
    return [
        _comparison(ours, theirs, measure, mine / other if MEASURES[measure].ratio else mine - other)
        for measure, (mine, other) in figures.items()
        if mine is not None and other is not None
    ]


def _comparison(ours: Row, theirs: Row, measure: str, difference: float) -> Comparison:
    one = MEASURES[measure]
    worse = difference - 1 if one.ratio else -difference
    noise = one.noise(ours, theirs)
    outcome: Outcome = "worse" if worse > noise else "better" if -worse > noise else "equal"
    return Comparison(ours=ours, theirs=theirs, measure=measure, difference=difference, outcome=outcome)
