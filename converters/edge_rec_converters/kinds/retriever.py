"""Retrievers: an encoder and an item table."""

from __future__ import annotations

__all__ = ["PreparedRetriever", "prepare"]

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from edge_rec_converters.checks import check_encoder, check_retriever
from edge_rec_converters.fingerprint import fingerprint
from edge_rec_converters.graph import model_graph, step_graph
from edge_rec_converters.item_tables import encoder_table, item_tables
from edge_rec_converters.kinds.limits import FED, MOST_FITTED, MOST_JUDGED, TIMED
from edge_rec_converters.networks import Ingredients, candidates, network_graph, require_network, step_network
from edge_rec_converters.plan import Plan
from edge_rec_converters.reference import reference
from edge_rec_converters.retriever import never_empty, require_form, retriever_graph
from edge_rec_converters.shadows import require_shadow, shadowed
from edge_rec_converters.targets import emitter, require_operators, step_emitter
from edge_rec_converters.verification import overlap_gate
from edge_rec_converters.verification.retriever import measure_retriever
from edge_rec_converters.windows import feed, windows
from edge_rec_runtime import BundleContents, Fp32Table, Recommender
from edge_rec_runtime.bundle import RetrieverGraphs, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import onnx_ir as ir

    from edge_rec_converters.kinds.protocol import Evidence, Order, Request
    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.reference import Reference
    from edge_rec_converters.verification import RetrieverVerification
    from edge_rec_runtime import ItemTable, Precision, Progress
    from edge_rec_runtime.state import StatePart


@dataclass(frozen=True, kw_only=True)
class PreparedRetriever:
    """See `Prepared`.

    Attributes:
        source: The source.
        graph: Its encoder in fp32.
        fit: Its answers on the histories that codes and ranges are fitted to, and choices are made on.
        test: Its answers on the histories that a finished bundle is judged by.
        sha256: Hex digest of the graph, the table and the bias, and finished tables.
    """

    source: RetrieverSource
    graph: ir.Model
    fit: Reference
    test: Reference
    sha256: str
    has_graph: ClassVar[bool] = True

    @property
    def remarks(self) -> tuple[str, ...]:
        """See `Prepared`."""
        pairs = (("held-out", self.test.users), ("calibration", self.fit.users))
        return tuple(remark for what, users in pairs if (remark := users.remark(what)))

    def require(self, order: Order) -> None:
        """See `Prepared`."""
        order.precision.require("retriever")
        require_shadow(order.precision, order.shadow)
        require_network(order.target, order.precision.network, self._plan(order))
        if order.incremental:
            require_operators(self.steps[0], [order.target])
        if order.graph is not None:
            require_form(order.precision.items, "items")

    def gate(self, precision: Precision) -> float:
        """See `Prepared`."""
        return overlap_gate(precision)

    def drafts(self, order: Order) -> list[BundleContents]:
        """See `Prepared`."""
        source, target = self.source, order.target
        tables = shadowed(item_tables(order.precision, self.fit, source.tables), order.shadow)
        ingredients = self._ingredients(tables, order)
        drafts = []
        for network in candidates(target, order.precision.network, ingredients):
            encoder, steps = self._graphs(network, ingredients, order)
            drafts.append(
                BundleContents(
                    name=source.name,
                    precision=replace(order.precision, network=network),
                    encoders={target: encoder},
                    steps=steps,
                    tables=tables,
                    catalogue=source.catalogue,
                    max_length=source.max_length,
                    features=source.context,
                )
            )
        return drafts

    def complete(self, draft: BundleContents, order: Order) -> BundleContents:
        """See `Prepared`; the whole retriever as one graph, where it is asked for."""
        if order.graph is None:
            return draft
        source, tables = self.source, cast("Mapping[str, ItemTable]", draft.tables)
        k = min(order.graph_k, len(source.catalogue))
        whole = retriever_graph(
            network_graph(order.target, draft.precision.network, self._ingredients(tables, order)),
            table=tables["items"],
            rescore=tables.get("rescore"),
            popularity=source.catalogue.popularity,
            max_length=source.max_length,
            k=k,
        )
        if order.target == "onnx":  # LiteRT takes an empty batch, and plans the shapes of others ahead
            whole = never_empty(whole)
        return replace(draft, retriever=RetrieverGraphs(k=k, graphs={order.target: emitter(order.target)(whole)}))

    @cached_property
    def steps(self) -> tuple[ir.Model, tuple[StatePart, ...]]:
        """The graph by which the encoder goes on from what it remembers, in fp32, and what that is; exported when asked for."""
        return step_graph(self.source)

    def _graphs(self, network: str, ingredients: Ingredients, order: Order) -> tuple[bytes, Steps | None]:
        """Return the encoder's file, and what goes with it where it is to go on."""
        encoder = network_graph(order.target, network, ingredients)
        if not order.incremental:
            return emitter(order.target)(encoder), None
        step, state = self.steps
        whole, beside = step_emitter(order.target)(encoder, step_network(network, ingredients, step, encoder))
        return whole, Steps(state=state, graphs={order.target: beside})

    def measure(self, bundle: Path, *, on: Literal["fit", "test"], gate: float, progress: Progress) -> RetrieverVerification:
        """See `Prepared`."""
        return measure_retriever(bundle, self.fit if on == "fit" else self.test, gate=gate, progress=progress)

    def _ingredients(self, tables: Mapping[str, ItemTable], order: Order) -> Ingredients:
        fed, users = encoder_table(tables), self.fit.users
        return Ingredients(
            graph=self.graph,
            plan=self._plan(order),
            feeds=[feed(users, [user], fed.decode, dims=fed.dims) for user in range(min(len(users), FED))],
        )

    def _plan(self, order: Order) -> Plan:
        return Plan.of(layers=order.layers, float_weights=self.source.float_weights)

    @contextmanager
    def requests(self, bundle: Path) -> Iterator[Sequence[Request]]:
        """See `Prepared`."""
        users, ids = self.test.users, self.source.catalogue.ids
        with Recommender.open(bundle) as opened:

            def request(user: int) -> Request:
                history, context = [ids[row] for row in users.seen[user]], users.given[user]
                return lambda: opened.recommend(history, context=context)

            yield [request(user) for user in range(min(TIMED, len(users)))]


def prepare(source: RetrieverSource, evidence: Evidence, *, targets: Sequence[str], progress: Progress) -> PreparedRetriever:
    """See `Kind`."""
    check_retriever(source)
    judged, fitted = (
        windows(given, source.catalogue, max_length=source.max_length, cap=cap, seed=evidence.seed, context=source.context)
        for given, cap in zip(evidence.of_histories(source.name), (MOST_JUDGED, MOST_FITTED), strict=True)
    )
    graph = model_graph(source) if isinstance(source.encoder, Path) else None  # a file is looked at before it is run
    check_encoder(source, judged)
    graph = model_graph(source) if graph is None else graph
    require_operators(graph, targets)
    table = Fp32Table.encode(source.item_table, source.item_bias)
    held = (table, *(source.tables[layout] for layout in sorted(source.tables)))
    return PreparedRetriever(
        source=source,
        graph=graph,
        test=reference(source, judged, table, progress=progress),
        fit=reference(source, fitted, table, progress=progress),
        sha256=fingerprint(emitter("onnx")(graph), *(part for one in held for part in one.parts().values())),
    )
