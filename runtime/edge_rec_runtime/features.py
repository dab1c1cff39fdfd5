"""Features: what a model takes besides a history, and how raw values become the numbers that its graph takes.

One definition for training, converting and serving: a model that was trained on `Feature.encode` is asked through it.
"""

from __future__ import annotations

__all__ = ["KINDS", "OF", "RESERVED", "Feature"]

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

import numpy as np

from edge_rec_runtime.errors import ModelError, RequestError
from edge_rec_runtime.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("category", "categories", "number")
OF = ("item", "context")
RESERVED = ("vectors", "mask", "query", "logit")  # names that graphs use for other things

_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")
_LONGEST = 1_000_000


@dataclass(frozen=True)
class Feature:
    """One input of a graph, named as the feature; index 0 stands for unknown, absent and padding.

    Attributes:
        name: A word of letters, digits and ``_``.
        kind: ``category``, one word: int32 [rows]; ``categories``, a list of words, oldest first where they have an order: int32
            [rows, length], 0 after the end; ``number``: float32 [rows].
        of: ``item``, known of each item and kept in the bundle, or ``context``, given with each request.
        vocabulary: The words; ``vocabulary[i]`` has the index i + 1.
        longest: Most words of ``categories`` that count; of more, the last.
    """

    name: str
    kind: Literal["category", "categories", "number"]
    of: Literal["item", "context"]
    vocabulary: tuple[str, ...] = ()
    longest: int = 1

    def __post_init__(self) -> None:
        """Refuse what a graph or a bundle could not hold."""
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ModelError(
                f"feature name {self.name!r} is not usable; take a letter, then letters, digits or _, at most 64, "
                f"and none of {', '.join(RESERVED)}"
            )
        for what, value, known in (("kind", self.kind, KINDS), ("of", self.of, OF)):
            if value not in known:
                raise ModelError(f"feature {self.name!r} has {what}={value!r}; use one of {', '.join(known)}")
        if type(self.longest) is not int or not 1 <= self.longest <= (_LONGEST if self.kind == "categories" else 1):
            raise ModelError(
                f"feature {self.name!r} has longest={self.longest!r}; expected 1, or for categories up to {_LONGEST:,}"
            )
        if (self.kind == "number") != (not self.vocabulary):
            raise ModelError(
                f"feature {self.name!r} of kind {self.kind!r} has {len(self.vocabulary)} words; "
                "a number has none, and the others need at least one"
            )
        object.__setattr__(self, "vocabulary", Words.of(self.vocabulary, f"word of feature {self.name!r} at"))
        if "" in self._places:
            raise ModelError(f"feature {self.name!r} has an empty word; leave it out, what is absent has the index 0")
        if len(self._places) != len(self.vocabulary):
            raise ModelError(f"feature {self.name!r} has a word twice; every word has one index")

    def encode(self, values: Sequence[object] | NDArray[Any]) -> NDArray[Any]:
        """Encode raw values, one a row.

        Args:
            values: Words as text, whole numbers standing for their digits, None where nothing is known; for ``categories`` a
                list of words a row; for ``number`` finite numbers. Unknown words of ``categories`` are left out.

        Returns:
            int32 [rows]; int32 [rows, length], where length is that of the longest row, at least 1, at most ``longest``; or
            float32 [rows].

        Raises:
            RequestError: A value is not of the feature's kind.
        """
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            self._refuse(values, "a list with one value a row")
        if self.kind == "number":
            return self._numbers(values)
        if self.kind == "category":
            places = self._places
            return np.array([places.get(self._word(value), -1) + 1 for value in values], dtype=np.int32)
        rows = [self._list(row) for row in values]
        encoded = np.zeros((len(rows), max(1, max(map(len, rows), default=1))), dtype=np.int32)
        for row, found in zip(encoded, rows, strict=True):
            row[: len(found)] = found
        return encoded

    def unknown(self, values: Sequence[object]) -> tuple[str, ...]:
        """Return the words among raw values, one a row, that the vocabulary does not have; None is not one."""
        if self.kind == "number":
            return ()
        rows = [[value] for value in values] if self.kind == "category" else [self._words(row) for row in values]
        words = [self._word(one) for row in rows for one in row]
        return tuple(word for word in words if word and word not in self._places)

    def misfit(self, encoded: NDArray[Any], *, rows: int) -> str:
        """Return what is wrong with encoded values for so many rows and what was expected, or an empty text."""
        dtype = np.float32 if self.kind == "number" else np.int32
        axes = 2 if self.kind == "categories" else 1
        if encoded.dtype != dtype or encoded.ndim != axes or len(encoded) != rows or 0 in encoded.shape:
            shape = f"[{rows}, length]" if axes == 2 else f"[{rows}]"
            return f"{encoded.dtype} {list(encoded.shape)}; expected {np.dtype(dtype)} {shape}"
        if self.kind == "number":
            return "" if np.isfinite(encoded).all() else "NaN or infinite in places; every number must be finite"
        low, high = int(encoded.min()), int(encoded.max())
        if low < 0 or high > len(self.vocabulary):
            return f"indexes from {low} to {high}; expected 0 to {len(self.vocabulary)}, one more than the vocabulary's last"
        if axes == 2 and (encoded.shape[1] > self.longest or ((encoded[:, :-1] == 0) & (encoded[:, 1:] != 0)).any()):
            return f"rows of {encoded.shape[1]} with words after a 0; expected at most {self.longest}, and 0 only after the end"
        return ""

    @cached_property
    def _places(self) -> Mapping[str | None, int]:
        return cast("Mapping[str | None, int]", Words.of(self.vocabulary, "word").places)

    def _numbers(self, values: Iterable[object]) -> NDArray[np.float32]:
        found = list(values)
        if not all(isinstance(one, int | float | np.number) for one in found):
            self._refuse(next(one for one in found if not isinstance(one, int | float | np.number)), "a number")
        try:
            with np.errstate(over="ignore"):
                numbers = np.array(found, dtype=np.float64).astype(np.float32)
        except (TypeError, ValueError, OverflowError):  # complex, or a whole number beyond float64
            self._refuse(found, "finite numbers")
        odd = np.flatnonzero(~np.isfinite(numbers))
        if len(odd):
            self._refuse(found[odd[0]], "a finite number")
        return numbers

    def _list(self, row: object) -> list[int]:
        places = self._places
        known = [index for index in (places.get(self._word(word), -1) + 1 for word in self._words(row)) if index]
        return known[-self.longest :]

    def _words(self, row: object) -> Sequence[object]:
        if row is None:
            return ()
        if isinstance(row, str | bytes | Mapping) or not isinstance(row, Iterable):
            self._refuse(row, "a list of words")
        return tuple(row)

    def _word(self, value: object) -> str | None:
        if isinstance(value, str) or value is None:
            return value
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            self._refuse(value, "a word as text")
        return str(int(value))

    def _refuse(self, value: object, expected: str) -> NoReturn:
        raise RequestError(
            f"feature {self.name!r} ({self.kind}) got {repr(value)[:60]} ({type(value).__name__}); expected {expected}"
        )
