"""The kinds of model, one module each: how it is checked and prepared, what its bundle holds, how it is measured."""

from __future__ import annotations

__all__ = ["KINDS", "Evidence", "Order", "Prepared", "kind_of"]

import importlib
from typing import TYPE_CHECKING

from edge_rec_converters.kinds.protocol import Evidence, Order, Prepared
from edge_rec_converters.protocol import missing
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from edge_rec_converters.kinds.protocol import Kind

# kind -> module with what `Kind` asks for, imported when it is asked for
KINDS: dict[str, str] = {
    "retriever": "edge_rec_converters.kinds.retriever",
    "neighbours": "edge_rec_converters.kinds.neighbours",
    "ranker": "edge_rec_converters.kinds.ranker",
}


def kind_of(source: object) -> Kind:
    """Return what is done with a source of its kind.

    Raises:
        ModelError: It says no kind, or none that is known.
    """
    name = getattr(source, "kind", None)
    if not isinstance(name, str) or name not in KINDS:
        raise ModelError(f"{source!r:.80} is of the kind {name!r}; expected a source of the kind {', '.join(KINDS)}")
    if lacking := missing(source, name):
        raise ModelError(
            f"{source!r:.80} calls itself a {name} and lacks {', '.join(lacking)}; see the page on models of your own"
        )
    kind: Kind = importlib.import_module(KINDS[name])
    return kind
