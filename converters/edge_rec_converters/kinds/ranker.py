"""Rankers: features become one logit; the tables of their embeddings are inside the graph."""

from __future__ import annotations

__all__ = ["PreparedRanker", "prepare"]

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from edge_rec_converters.checks import check_examples, check_network, check_ranker
from edge_rec_converters.fingerprint import fingerprint
from edge_rec_converters.graph import model_graph
from edge_rec_converters.kinds.limits import FED, MOST_FITTED_EXAMPLES, MOST_JUDGED_EXAMPLES, TIMED
from edge_rec_converters.networks import Ingredients, candidates, network_graph, require_network
from edge_rec_converters.plan import Plan
from edge_rec_converters.reference import ranker_reference
from edge_rec_converters.targets import emitter, require_operators
from edge_rec_converters.verification import auc_gate
from edge_rec_converters.verification.ranker import measure_ranker
from edge_rec_runtime import BundleContents
from edge_rec_runtime.errors import DataError
from edge_rec_runtime.ranker import Ranker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnx_ir as ir

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.kinds.protocol import Evidence, Order, Request
    from edge_rec_converters.protocol import RankerSource
    from edge_rec_converters.reference import RankerReference
    from edge_rec_converters.verification import RankerVerification
    from edge_rec_runtime import Precision, Progress

_CANDIDATES = 32  # of one request, where speed is judged or timed


@dataclass(frozen=True, kw_only=True)
class PreparedRanker:
    """See `Prepared`.

    Attributes:
        source: The source.
        graph: Its network in fp32.
        fit: Its answers on the examples that ranges are fitted to, and choices are made on.
        test: Its answers on the examples that a finished bundle is judged by.
        sha256: Hex digest of the graph and the values of the items.
    """

    source: RankerSource
    graph: ir.Model
    fit: RankerReference
    test: RankerReference
    sha256: str
    has_graph: ClassVar[bool] = True

    @property
    def remarks(self) -> tuple[str, ...]:
        """See `Prepared`."""
        pairs = (("held-out", self.test.examples), ("calibration", self.fit.examples))
        return tuple(remark for what, one in pairs if (remark := one.remark(self.source.features, what)))

    def require(self, order: Order) -> None:
        """See `Prepared`."""
        order.precision.require("ranker")
        order.refuse_incremental(self.source.name, "a ranker, which scores candidates and takes no history")
        order.refuse_shadow(self.source.name, "a ranker, which scores candidates")
        order.refuse_graph(
            self.source.name, "a ranker, whose bundle already holds the graph that an app runs (edge-rec graph writes it out)"
        )
        require_network(order.target, order.precision.network, self._plan(order))

    def gate(self, precision: Precision) -> float:
        """See `Prepared`."""
        return auc_gate(precision)

    def drafts(self, order: Order) -> list[BundleContents]:
        """See `Prepared`."""
        source, target = self.source, order.target
        fed = self.fit.examples
        ingredients = Ingredients(
            graph=self.graph,
            plan=self._plan(order),
            feeds=[fed.take(np.array([row])).inputs for row in range(min(len(fed), FED))],
            tables=order.precision.items,
            batch=_CANDIDATES,
        )
        return [
            BundleContents(
                kind="ranker",
                name=source.name,
                precision=replace(order.precision, network=network),
                encoders={target: emitter(target)(network_graph(target, network, ingredients))},
                catalogue=source.catalogue,
                features=source.features,
                item_values=source.item_values,
            )
            for network in candidates(target, order.precision.network, ingredients)
        ]

    def complete(self, draft: BundleContents, order: Order) -> BundleContents:  # noqa: ARG002 - `require` refuses what would add
        """See `Prepared`."""
        return draft

    def measure(self, bundle: Path, *, on: Literal["fit", "test"], gate: float, progress: Progress) -> RankerVerification:
        """See `Prepared`."""
        return measure_ranker(bundle, self.fit if on == "fit" else self.test, gate=gate, progress=progress)

    @contextmanager
    def requests(self, bundle: Path) -> Iterator[Sequence[Request]]:
        """See `Prepared`."""
        examples = self.test.examples
        with Ranker.open(bundle) as opened:

            def request(at: int) -> Request:
                rows = np.arange(at * _CANDIDATES, (at + 1) * _CANDIDATES) % len(examples)
                inputs = examples.take(rows).inputs
                return lambda: opened.logits(inputs)

            yield [request(at) for at in range(TIMED)]

    def _plan(self, order: Order) -> Plan:
        return Plan.of(layers=order.layers, float_weights=self.source.float_weights)


def prepare(source: RankerSource, evidence: Evidence, *, targets: Sequence[str], progress: Progress) -> PreparedRanker:
    """See `Kind`."""
    check_ranker(source)
    judged, fitted = evidence.of_examples(source.name)
    for examples in (judged, fitted):
        check_examples(source, examples)
    _require_both_labels(source.name, judged)
    judged = _drawn(judged, MOST_JUDGED_EXAMPLES, seed=evidence.seed)
    fitted = _drawn(fitted, MOST_FITTED_EXAMPLES, seed=evidence.seed)
    graph = model_graph(source) if isinstance(source.network, Path) else None  # a file is looked at before it is run
    check_network(source, judged)
    graph = model_graph(source) if graph is None else graph
    require_operators(graph, targets)
    return PreparedRanker(
        source=source,
        graph=graph,
        test=ranker_reference(source, judged, progress=progress),
        fit=ranker_reference(source, fitted, progress=progress),
        sha256=fingerprint(emitter("onnx")(graph), *(values for _, values in sorted(source.item_values.items()))),
    )


def _require_both_labels(name: str, examples: Examples) -> None:
    if examples.labels is None or examples.labels.min() == examples.labels.max():
        found = "no labels" if examples.labels is None else f"only the label {examples.labels[0]:g}"
        raise DataError(
            f"{name}: the examples have {found}; a ranker is judged by its AUC, give some that were chosen and some not"
        )


def _drawn(examples: Examples, most: int, *, seed: int) -> Examples:
    """Return at most so many examples, in the order in which they stand."""
    if len(examples) <= most:
        return examples
    return examples.take(np.sort(np.random.default_rng(seed).choice(len(examples), most, replace=False)))
