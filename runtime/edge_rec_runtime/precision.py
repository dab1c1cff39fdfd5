"""The precision grammar: ``items=int8,network=int8-dynamic,rescore=none``, and the presets that stand for one."""

from __future__ import annotations

__all__ = ["ITEM_PRECISIONS", "NETWORK_PRECISIONS", "PRESETS", "RESCORE_PRECISIONS", "Precision"]

from dataclasses import dataclass, fields, replace
from typing import Self

from edge_rec_runtime._near import nearest
from edge_rec_runtime.errors import ConversionError

ITEM_PRECISIONS = ("fp32", "fp16", "int8", "int4", "binary", "pq")
NETWORK_PRECISIONS = ("fp32", "fp16", "int8", "int8-dynamic", "int8-static", "int8-weights", "binary")
RESCORE_PRECISIONS = ("none", "int8")

_NEIGHBOURS = ("fp32", "int8")  # the presets that fit a sparse table


@dataclass(frozen=True, kw_only=True)
class Precision:
    """What each part of a model is stored and computed in.

    Attributes:
        items: Layout of the table that is scanned; of a ranker, its embedding tables, which are inside its graph.
        network: The encoder; of a ranker, its dense layers. ``int8`` is the fastest of the int8 networks that keep alike.
        rescore: Layout of the table that scores the scan's best candidates again, or ``none``.
    """

    items: str = "fp32"
    network: str = "fp32"
    rescore: str = "none"

    def __post_init__(self) -> None:
        """Refuse words outside the grammar."""
        for name, known in (("items", ITEM_PRECISIONS), ("network", NETWORK_PRECISIONS), ("rescore", RESCORE_PRECISIONS)):
            value = getattr(self, name)
            if value not in known:
                raise ConversionError(f"precision {name}={value!r} is not known; use one of {', '.join(known)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a preset's name or a comma-separated list of ``part=precision``.

        Raises:
            ConversionError: A word outside the grammar.
        """
        if text in PRESETS:
            return cls(**PRESETS[text])
        if "=" not in text:
            near = nearest(text, PRESETS)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConversionError(
                f"precision {text!r} is not known; use one of {', '.join(PRESETS)}, or items=...,network=...,rescore=...{hint}"
            )
        parts: dict[str, str] = {}
        for word in text.split(","):
            name, _, value = word.strip().partition("=")
            if name not in {field.name for field in fields(cls)} or name in parts:
                raise ConversionError(
                    f"precision {text!r}: {word.strip()!r} is not one of items=, network=, rescore=, each at most once"
                )
            parts[name] = value
        return cls(**parts)

    def require(self, kind: str) -> None:
        """Refuse what a kind of model cannot have; a retriever can have all of the grammar.

        Args:
            kind: ``retriever``, ``neighbours`` or ``ranker``.

        Raises:
            ConversionError: The precision is not one for this kind; the message names one that is.
        """
        if kind == "ranker" and self.rescore != "none":
            raise ConversionError(
                f"precision {self.slug!r} scores candidates again (rescore={self.rescore}), and a ranker scores each only once; "
                f"use {'binary-only' if self.items == 'binary' else 'rescore=none'}"
            )
        if kind == "ranker" and self.items == "pq":
            raise ConversionError(
                f"precision {self.slug!r} is not for a ranker: codebooks are for tables that are scanned, and the look-ups of a "
                "graph have none; use items=int4 or items=binary"
            )
        if kind == "neighbours" and self.asked.slug not in _NEIGHBOURS:
            raise ConversionError(
                f"precision {self.slug!r} is not for a table of neighbours, which has no network and no vectors; "
                f"use {' or '.join(_NEIGHBOURS)}"
            )

    @property
    def asked(self) -> Precision:
        """What was asked for where verification chose the network: any int8 network counts as ``int8``."""
        return replace(self, network="int8") if self.network.startswith("int8") else self

    @property
    def slug(self) -> str:
        """The preset's name where one fits, else the parts joined with dots; fit for a file name."""
        parts = {"items": self.items, "network": self.network, "rescore": self.rescore}
        for name, preset in PRESETS.items():
            if parts == preset:
                return name
        return ".".join(part for part in (self.items, self.network, self.rescore) if part != "none")


PRESETS: dict[str, dict[str, str]] = {
    "fp32": {"items": "fp32", "network": "fp32", "rescore": "none"},
    "fp16": {"items": "fp16", "network": "fp16", "rescore": "none"},
    "int8": {"items": "int8", "network": "int8", "rescore": "none"},
    "binary": {"items": "binary", "network": "int8", "rescore": "int8"},
    "binary-only": {"items": "binary", "network": "int8", "rescore": "none"},
}
