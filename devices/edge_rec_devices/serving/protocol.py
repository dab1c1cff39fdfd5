"""What a bundle of any kind does with requests while it is measured."""

from __future__ import annotations

__all__ = ["Request", "Serving", "known_context"]

from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from edge_rec_runtime import History, RankRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edge_rec_runtime import Bundle, Catalogue, Feature, Recommendation, Recommendations

Request: TypeAlias = History | RankRequest


class Serving(Protocol):
    """An open bundle that answers requests of its kind.

    Attributes:
        opener: The class of the runtime that opens it, by name.
        stages: What a request is made of, in order.
        bundle: The open bundle.
        catalogue: Its items.
        backend: The engine that runs its graph, or ``numpy`` where it has none.
    """

    opener: str
    stages: tuple[str, ...]

    @property
    def bundle(self) -> Bundle:
        """See above."""

    @property
    def catalogue(self) -> Catalogue:
        """See above."""

    @property
    def backend(self) -> str:
        """See above."""

    @classmethod
    def open(cls, path: Path, *, backend: str, threads: int) -> Self:
        """Open a bundle of this kind."""

    def fitting(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """Return the requests that are of this kind and name an item of the bundle, as `whole` takes them.

        Raises:
            MeasurementError: There is none.
            RequestError: A request lacks what the model takes of its context.
        """

    def size(self, request: Mapping[str, Any]) -> int:
        """Return how many events, or candidates, a request has."""

    def whole(self, request: Mapping[str, Any], *, k: int) -> Recommendations:
        """Answer a request as an app asks it."""

    def in_stages(self, request: Mapping[str, Any], *, k: int) -> tuple[tuple[Recommendation, ...], tuple[int, ...]]:
        """Answer a request as `whole` composes it, with a look at the clock between stages.

        Returns:
            The answer, and the nanoseconds of each of `stages`.
        """

    def close(self) -> None:
        """Let go of the engine and the file."""


def known_context(features: Sequence[Feature], context: Mapping[str, object] | None) -> dict[str, object] | None:
    """Return what a model takes of all that a file knows of a user; None where that is nothing."""
    given = context or {}
    return {one.name: given[one.name] for one in features if one.of == "context" and one.name in given} or None
