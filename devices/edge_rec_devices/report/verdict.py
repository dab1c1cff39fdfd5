"""What the figures mean: one sentence a bundle, and one for all of them.

A bundle is held against the fp32 bundle of the same model, on the same machine, preferably for the same target.
"""

from __future__ import annotations

__all__ = ["Verdict", "caution", "headline", "names", "verdicts"]

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edge_rec_devices.report.wording import megabytes, milliseconds, percent, quality, short, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement, Quality, Subject

# Two medians closer than this are called equally fast: runs of one bundle differ as much.
EQUAL = 0.05
# With less of the processor than this share of the time, a measurement is disturbed by other work.
UNDISTURBED = 0.9
# The bundle's own gate for rescored binary codes: below it the list is another one, however good.
SAME_ITEMS = 0.9
# A ranker may lose so much AUC, as when it is converted.
MOST_AUC_LOST = 0.001
# A loss of less than a hundredth is no reason against a bundle, however surely it is known.
NEARLY_ALL = 0.99


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a bundle is worth.

    Attributes:
        kind: ``reference`` for fp32, ``kept`` and ``lost`` for its quality against that, ``open`` where it cannot be told.
        badge: The kind in a few words.
        text: The sentence, without the bundle's name.
    """

    kind: Literal["reference", "kept", "lost", "open"]
    badge: str
    text: str


def names(results: Sequence[Measurement]) -> tuple[str, ...]:
    """Name each result as shortly as tells it apart: precision and target, then model, network and a number."""
    several = len({result.subject.model for result in results}) > 1
    found = [_name(result.subject, model=several) for result in results]
    counts = Counter(found)
    found = [_name(result.subject, model=several, network=counts[name] > 1) for result, name in zip(results, found, strict=True)]
    counts, seen = Counter(found), Counter[str]()
    for index, name in enumerate(found):
        if counts[name] > 1:
            seen[name] += 1
            found[index] = f"{name} ({seen[name]})"
    return tuple(found)


def _name(subject: Subject, *, model: bool, network: bool = False) -> str:
    before = f"{short(subject.model, longest=24)} " if model else ""
    inside = f" ({short(subject.network, longest=14)})" if network else ""
    return f"{before}{short(subject.precision, longest=18)}{inside} · {short(subject.target, longest=10)}"


def verdicts(results: Sequence[Measurement]) -> tuple[Verdict, ...]:
    """Judge each result against its reference among the others."""
    return tuple(_verdict(result, _reference(result, results)) for result in results)


def headline(results: Sequence[Measurement]) -> str:
    """Say what to take: the smallest bundle whose quality stayed, and the fastest."""
    labels = names(results)
    if len(results) == 1:
        only = results[0]
        return (
            f"{labels[0]}: {megabytes(only.subject.model_bytes)} of model, half of the requests answered within "
            f"{milliseconds(only.request.p50_ms)} and 99 % within {milliseconds(only.request.p99_ms)}."
        )
    judged = list(zip(labels, results, verdicts(results), strict=True))
    kept = [one for one in judged if one[2].kind == "kept"]
    fastest, fast, _ = min(judged, key=lambda one: one[1].request.p50_ms)
    if not kept:
        smallest, small, _ = min(judged, key=lambda one: one[1].subject.model_bytes)
        return (
            f"The smallest is {smallest} with {megabytes(small.subject.model_bytes)}; "
            f"the fastest is {fastest} with a median request of {milliseconds(fast.request.p50_ms)}."
        )
    smallest, small, _ = min(kept, key=lambda one: one[1].subject.model_bytes)
    reference = _reference(small, results)
    instead = f" instead of {megabytes(reference.subject.model_bytes)}" if reference else ""
    return (
        f"The smallest bundle that keeps the quality of fp32 is {smallest}: "
        f"{megabytes(small.subject.model_bytes)}{instead}. "
        f"The fastest is {fastest}, with a median request of {milliseconds(fast.request.p50_ms)}."
    )


def caution(results: Sequence[Measurement]) -> str | None:
    """Say where other work disturbed the figures, or None where bundles had the processor for themselves."""
    least = min(result.setup.processor_share for result in results)
    if least >= UNDISTURBED:
        return None
    return (
        f"The machine was busy: other work had the processor for up to {percent(1 - least)} of the time of the requests. "
        "Bundles took turns, so ratios of medians hold; p99 and cold starts are partly the other work's."
    )


def _reference(result: Measurement, results: Sequence[Measurement]) -> Measurement | None:
    same = [
        other
        for other in results
        if other.subject.precision == "fp32"
        and other.subject.model == result.subject.model
        and (other.environment.cpu, other.environment.machine) == (result.environment.cpu, result.environment.machine)
    ]
    return min(same, key=lambda other: other.subject.target != result.subject.target, default=None)


def _verdict(result: Measurement, reference: Measurement | None) -> Verdict:
    if result.subject.precision == "fp32":
        return Verdict(kind="reference", badge="reference", text=_alone(result))
    if reference is None:
        return Verdict(kind="open", badge="no fp32 beside it", text=_alone(result))
    cost = f"{_size(reference, result)}, {_speed(reference, result)}"
    return _judged(cost, result.subject.quality, reference.subject.quality)


def _judged(cost: str, mine: Quality, theirs: Quality) -> Verdict:
    if mine.auc is not None and theirs.auc is not None:
        return _ranker_verdict(cost, theirs.auc - mine.auc)
    kept, possible = _kept(mine, theirs)
    overlap = mine.overlap_at_10
    if kept is None:
        return Verdict(kind="open", badge="no quality figures", text=f"{cost}; its quality was not measured.")
    same = "" if overlap is None else f" and {percent(overlap)} of its top 10"
    text = f"{cost}, and keeps {percent(kept)} of its NDCG@10{same}"
    if possible < 1 and kept < NEARLY_ALL:
        return Verdict(kind="lost", badge="quality lost", text=f"{text}: a loss beyond the noise.")
    if overlap is not None and overlap < SAME_ITEMS:
        return Verdict(kind="lost", badge="other items", text=f"{text}: as good within the noise, but with other items.")
    return Verdict(kind="kept", badge="quality kept", text=f"{text}.")


def _ranker_verdict(cost: str, lost: float) -> Verdict:
    said = f"loses {lost:.4f} of its AUC" if lost >= 0.00005 else "keeps its AUC"
    if lost > MOST_AUC_LOST:
        return Verdict(kind="lost", badge="quality lost", text=f"{cost}, and {said}: more than {MOST_AUC_LOST:g}.")
    return Verdict(kind="kept", badge="quality kept", text=f"{cost}, and {said}.")


def _kept(mine: Quality, theirs: Quality) -> tuple[float | None, float]:
    """Return the share of fp32's NDCG@10 that is kept, and the most that the noise lets it be.

    The manifest's paired comparison is sharper than that of two bundles with an interval each; without it, these serve.
    """
    if mine.ndcg_kept is not None and mine.ndcg_kept_ci is not None:
        return mine.ndcg_kept, mine.ndcg_kept_ci[1]
    if mine.ndcg_at_10 is None or not theirs.ndcg_at_10 or theirs.ndcg_at_10_ci is None:
        return None, 0.0
    low = theirs.ndcg_at_10_ci[0]
    return mine.ndcg_at_10 / theirs.ndcg_at_10, mine.ndcg_at_10 / low if low > 0 else 1.0


def _alone(result: Measurement) -> str:
    score = result.subject.quality.ndcg_at_10
    graded = "its quality was not measured" if score is None else f"NDCG@10 is {quality(score)}"
    if result.subject.quality.auc is not None:
        graded = f"AUC is {quality(result.subject.quality.auc)}"
    return (
        f"{megabytes(result.subject.model_bytes)} of model, a median request of {milliseconds(result.request.p50_ms)} "
        f"and a first answer {milliseconds(result.cold_start.median_ms)} after the start; {graded}."
    )


def _size(reference: Measurement, result: Measurement) -> str:
    ratio = reference.subject.model_bytes / max(result.subject.model_bytes, 1)
    if abs(ratio - 1) < EQUAL:
        return "as large as fp32"
    return f"{times(ratio)} smaller than fp32" if ratio > 1 else f"{times(1 / max(ratio, 1e-9))} larger than fp32"


def _speed(reference: Measurement, result: Measurement) -> str:
    ratio = reference.request.p50_ms / max(result.request.p50_ms, 1e-9)
    if abs(ratio - 1) < EQUAL:
        return "answers as fast"
    return f"answers {times(ratio)} faster" if ratio > 1 else f"answers {times(1 / max(ratio, 1e-9))} slower"
