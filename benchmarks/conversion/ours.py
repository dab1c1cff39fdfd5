"""Our own conversions, opened by the runtime as a device opens them."""

from __future__ import annotations

__all__ = ["OPEN_GATES", "PRECISIONS", "our_artefacts"]

import sys
import time
from typing import TYPE_CHECKING, Any

from conversion.artefacts import Artefact, Feeds, Search
from edge_rec_converters import convert
from edge_rec_runtime import Bundle, Precision, Recommender
from edge_rec_runtime.backends import open_graph
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_converters import Prepared

PRECISIONS = {
    "retriever": (
        "fp32",
        "fp16",
        "int8",
        "items=int8,network=int8-dynamic",
        "items=int8,network=int8-weights",
        "items=int4,network=int8",
        "binary",
        "binary-only",
    ),
    "ranker": (
        "fp32",
        "fp16",
        "int8",
        "items=int8,network=int8-weights",
        "items=int4,network=int8",
        "items=binary,network=int8",
        "items=int8,network=binary",
    ),
    "neighbours": ("fp32", "int8"),
}

OPEN_GATES = {"retriever": 0.0, "neighbours": 0.0, "ranker": 1.0}  # let everything through: the least overlap, the most AUC lost


def our_artefacts(
    prepared: Prepared, target: str, precisions: Sequence[str], folder: Path, opened: ExitStack
) -> Iterator[Artefact]:
    """Yield a model's bundles for a target, one a precision.

    Args:
        prepared: The model, its graph made and checked already, as several conversions of one model share it.
        target: ``onnx`` or ``tflite``.
        precisions: In the words of the grammar.
        folder: Where bundles are written.
        opened: Closes what is opened here.
    """
    for words in precisions:
        precision = Precision.parse(words)
        started = time.perf_counter()
        path = folder / f"{target}-{precision.slug}.edgerec"
        try:
            made = convert(prepared, target=target, precision=precision, output=path, gate=OPEN_GATES[prepared.source.kind])
        except ConversionError as error:  # a network without dense layers has only some of the precisions
            print(f"{target} {words}: {error}", file=sys.stderr, flush=True)
            continue
        seconds = time.perf_counter() - started
        run, look_up, search = OPENERS[prepared.source.kind](made.path, opened)
        yield Artefact(
            tool="edge-rec",
            target=target,
            precision=precision.slug,
            model_bytes=_weighed(made.path),
            seconds=seconds,
            run=run,
            look_up=look_up,
            search=search,
        )


def _weighed(path: Path) -> int:
    """Return the bytes of graph and tables; a ranker's without the values of items, which no other file holds."""
    with Bundle.open(path) as bundle:
        items = sum(values.nbytes for values in bundle.item_values().values()) if bundle.manifest.kind == "ranker" else 0
        return bundle.manifest.model_bytes - items


def _retriever(path: Path, opened: ExitStack) -> tuple[Any, Any, Search]:
    """Open the graph beside the tables: the look-up, which the runtime does, is timed apart from it."""
    recommender = opened.enter_context(Recommender.open(path))
    graph, _, _ = _ranker(path, opened)
    exact = recommender.exact

    def look_up(feeds: Feeds) -> Feeds:
        rows, mask = feeds["rows"], feeds["mask"]
        vectors = exact.decode(rows.ravel()).reshape(*rows.shape, -1) * mask[..., None]
        return {"vectors": vectors} | {name: values for name, values in feeds.items() if name != "rows"}

    def search(query: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        return recommender.search(query, 10, allowed)[0]

    return graph, look_up, search


def _ranker(path: Path, opened: ExitStack) -> tuple[Any, None, None]:
    """Open the graph alone, as the others' is: a request also looks the candidates up and checks what it is given."""
    graph = open_graph(opened.enter_context(Bundle.open(path)))
    opened.callback(graph.close)
    return graph, None, None


OPENERS = {"retriever": _retriever, "ranker": _ranker}
