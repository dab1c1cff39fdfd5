"""Neighbours: a sparse table from item to item; no graph, and so the same bundle for every target."""

from __future__ import annotations

__all__ = ["PreparedNeighbours", "prepare"]

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from edge_rec_converters.checks import check_neighbours
from edge_rec_converters.fingerprint import fingerprint
from edge_rec_converters.kinds.limits import MOST_FITTED, MOST_JUDGED, TIMED
from edge_rec_converters.verification import overlap_gate
from edge_rec_converters.verification.neighbours import measure_neighbours
from edge_rec_converters.windows import windows
from edge_rec_runtime import BundleContents, Recommender
from edge_rec_runtime.codes import SparseInt8Table
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge_rec_converters.kinds.protocol import Evidence, Order, Request
    from edge_rec_converters.protocol import NeighboursSource
    from edge_rec_converters.verification import RetrieverVerification
    from edge_rec_converters.windows import Windows
    from edge_rec_runtime import Precision, Progress
    from edge_rec_runtime.codes import NeighbourTable, SparseTable


@dataclass(frozen=True, kw_only=True)
class PreparedNeighbours:
    """See `Prepared`.

    Attributes:
        source: The source.
        table: Its weights in fp32, which are its own answers.
        fit: Users that nothing is fitted to yet; rounding needs none.
        test: Users that a finished bundle is judged by.
        sha256: Hex digest of the weights.
    """

    source: NeighboursSource
    table: SparseTable
    fit: Windows
    test: Windows
    sha256: str
    has_graph: ClassVar[bool] = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """See `Prepared`."""
        remark = self.test.remark("held-out")
        return (remark,) if remark else ()

    def require(self, order: Order) -> None:
        """See `Prepared`."""
        order.precision.require("neighbours")
        order.refuse_incremental(self.source.name, "a table of neighbours, which has no encoder")
        order.refuse_shadow(self.source.name, "a table of neighbours")
        order.refuse_graph(self.source.name, "a table of neighbours, which no engine runs and which has no graph")
        if order.layers:
            raise ConversionError(f"{self.source.name} is a table of neighbours, which has no layers; leave the patterns out")

    def gate(self, precision: Precision) -> float:
        """See `Prepared`."""
        return overlap_gate(precision)

    def drafts(self, order: Order) -> list[BundleContents]:
        """See `Prepared`."""
        return [
            BundleContents(
                kind="neighbours",
                name=self.source.name,
                precision=order.precision,
                tables={"neighbours": LAYOUTS[order.precision.items](self.table)},
                catalogue=self.source.catalogue,
                max_length=self.source.max_length,
            )
        ]

    def complete(self, draft: BundleContents, order: Order) -> BundleContents:  # noqa: ARG002 - `require` refuses what would add
        """See `Prepared`."""
        return draft

    def measure(self, bundle: Path, *, on: Literal["fit", "test"], gate: float, progress: Progress) -> RetrieverVerification:
        """See `Prepared`."""
        return measure_neighbours(bundle, self.table, self.fit if on == "fit" else self.test, gate=gate, progress=progress)

    @contextmanager
    def requests(self, bundle: Path) -> Iterator[Sequence[Request]]:
        """See `Prepared`."""
        ids = self.source.catalogue.ids
        with Recommender.open(bundle) as opened:

            def request(user: int) -> Request:
                history = [ids[row] for row in self.test.seen[user]]
                return lambda: opened.recommend(history)

            yield [request(user) for user in range(min(TIMED, len(self.test)))]


def prepare(source: NeighboursSource, evidence: Evidence, *, targets: Sequence[str], progress: Progress) -> PreparedNeighbours:  # noqa: ARG001 - see `Kind`
    """See `Kind`."""
    table = check_neighbours(source)
    test, fit = (
        windows(given, source.catalogue, max_length=source.max_length, cap=cap, seed=evidence.seed)
        for given, cap in zip(evidence.of_histories(source.name), (MOST_JUDGED, MOST_FITTED), strict=True)
    )
    return PreparedNeighbours(source=source, table=table, fit=fit, test=test, sha256=fingerprint(*table.parts().values()))


LAYOUTS: dict[str, Callable[[SparseTable], NeighbourTable]] = {
    "fp32": lambda table: table,
    "int8": SparseInt8Table.encode,
}
