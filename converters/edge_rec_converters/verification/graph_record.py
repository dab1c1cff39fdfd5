"""What a retriever graph was found to answer, and the verdict."""

from __future__ import annotations

__all__ = ["GraphFindings", "GraphVerification", "judge"]

from dataclasses import dataclass

# Share of histories in which rounding at a boundary may change more than the order of near-equal scores: a sum taken in another
# order moves one code of a quantised query now and then.
_MOST_APART = 0.01


@dataclass(frozen=True, kw_only=True)
class GraphFindings:
    """What was measured.

    Attributes:
        backend: The engine that ran the graph, by the name of the runtime's backend.
        k: Items of an answer.
        bytes: Bytes of the graph.
        histories: Real histories that it was asked.
        overlap_at_10: Mean share of the source's ten best items that it has among its first ten; everything seen is left out.
        overlap_at_10_ci: Its 95 % bootstrap interval.
        same_items: Share of the histories for which the first ten are those of the bundle in the runtime, in the same order.
        apart: Share of the histories for which an item or a score differs by more than a thousandth of the scores.
    """

    backend: str
    k: int
    bytes: int
    histories: int
    overlap_at_10: float
    overlap_at_10_ci: tuple[float, float]
    same_items: float
    apart: float


@dataclass(frozen=True, kw_only=True)
class GraphVerification(GraphFindings):
    """What was measured, and whether it will do.

    Attributes:
        passed: Whether nothing failed.
        failures: What failed, a sentence each.
    """

    passed: bool
    failures: tuple[str, ...]


def judge(
    found: GraphFindings, *, target: str, gate: float, sampled: bool, batch_apart: int, fallback: bool
) -> GraphVerification:
    """Judge a graph.

    Args:
        found: What was measured.
        target: Of the graph, for the sentences.
        gate: Least overlap@10. Where it was asked only a sample of the histories its interval must lie below to fail.
        sampled: Whether it was.
        batch_apart: Histories of one padded batch that were answered otherwise than by the runtime.
        fallback: Whether a history without a known item gets what the runtime answers.
    """
    name, advice = f"the {target} retriever graph", "convert it in another precision, or leave --graph out"
    allowed = max(_MOST_APART, 1.5 / found.histories)  # one of a few proves nothing
    failures = []
    reached = found.overlap_at_10_ci[1] if sampled else found.overlap_at_10
    if reached < gate:
        failures.append(
            f"overlap@10 of {name} with the source is {found.overlap_at_10:.3f} and {gate:.3f} is required ({advice})"
        )
    if found.apart > allowed:
        failures.append(
            f"{name} answers {found.apart:.1%} of {found.histories} histories otherwise than the runtime, by more than a "
            f"thousandth of the scores, and {allowed:.1%} is allowed ({advice})"
        )
    if batch_apart > 1:
        failures.append(f"{name} answers {batch_apart} histories otherwise in a batch, padded before their start ({advice})")
    if not fallback:
        failures.append(f"{name} answers a history without known items otherwise than the runtime ({advice})")
    return GraphVerification(**vars(found), passed=not failures, failures=tuple(failures))
