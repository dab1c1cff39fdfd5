"""The precision grammar: ``items=int8,network=int8-dynamic,rescore=none``, and the presets that stand for one."""

from __future__ import annotations

__all__ = ["ITEM_PRECISIONS", "NETWORK_PRECISIONS", "PRESETS", "RESCORE_PRECISIONS", "Precision"]

import difflib
from dataclasses import dataclass, fields, replace
from typing import Self

from edge_rec_runtime.errors import ConversionError

ITEM_PRECISIONS = ("fp32", "int8", "binary")
NETWORK_PRECISIONS = ("fp32", "int8", "int8-dynamic", "int8-static", "int8-weights")
RESCORE_PRECISIONS = ("none", "int8")


@dataclass(frozen=True, kw_only=True)
class Precision:
    """What each part of a retriever is stored and computed in.

    Attributes:
        items: Layout of the table that is scanned.
        network: The encoder. ``int8`` leaves the choice of the better int8 network to verification.
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
            near = difflib.get_close_matches(text, PRESETS, n=1)
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
    "int8": {"items": "int8", "network": "int8", "rescore": "none"},
    "binary": {"items": "binary", "network": "int8", "rescore": "int8"},
    "binary-only": {"items": "binary", "network": "int8", "rescore": "none"},
}
