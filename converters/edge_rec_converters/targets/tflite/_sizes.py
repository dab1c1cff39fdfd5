"""Sizes that are known only when the graph runs: polynomials over named symbols, such as ``2 * batch * length``.

Exporters compute shapes with small integer graphs. Run over these symbols instead of numbers, such a graph folds to what a
reshape needs to know, and none of its arithmetic reaches the file.
"""

from __future__ import annotations

__all__ = ["Dim", "Shape", "Size", "at_least", "broadcast", "describe", "divide", "product"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Terms: TypeAlias = tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True)
class Size:
    """A polynomial with integer coefficients that is not a plain number.

    Attributes:
        terms: (symbols, coefficient) pairs in sorted order; ``(("batch", "length"), 2)`` is 2 x batch x length.
    """

    terms: _Terms

    @classmethod
    def symbol(cls, name: str) -> Size:
        """Return the size that is called ``name``."""
        return cls((((name,), 1),))

    def __add__(self, other: Dim) -> Dim:
        """Return the sum, an int if the symbols cancel."""
        return _collect([*self.terms, *_terms(other)])

    def __mul__(self, other: Dim) -> Dim:
        """Return the product."""
        return _collect((tuple(sorted(a + b)), x * y) for a, x in self.terms for b, y in _terms(other))

    def __neg__(self) -> Dim:
        """Return the size times -1; it occurs inside of differences."""
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        """Return the difference."""
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        """Return the difference from a number."""
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        """Return it as a person would write it."""
        return " + ".join("*".join(([str(n)] if n != 1 or not names else []) + list(names)) for names, n in self.terms)


Dim: TypeAlias = int | Size
Shape: TypeAlias = tuple[Dim, ...]


def product(sizes: Iterable[Dim]) -> Dim:
    """Return the product of sizes, 1 for none."""
    total: Dim = 1
    for size in sizes:
        total = total * size
    return total


def divide(total: Dim, part: Dim) -> Dim:
    """Return ``total / part`` where it comes out even for every value of the symbols.

    Raises:
        ConversionError: It does not.
    """
    order = _order(total, part)
    symbols, factor = max(_terms(part), key=order)
    quotient: Dim = 0
    rest = total
    while rest != 0:  # long division: each step takes the leading term away
        names, count = max(_terms(rest), key=order)
        left = list(names)
        for name in symbols:
            if name not in left:
                raise ConversionError(f"the size ({total}) / ({part}) cannot be expressed; reshape in steps that keep each axis")
            left.remove(name)
        if not factor or count % factor:
            raise ConversionError(f"the size ({total}) does not divide by {part}; the shapes of the model do not fit together")
        step = _collect([(tuple(left), count // factor)])
        quotient, rest = quotient + step, rest - step * part
    return quotient


def _order(*sizes: Dim) -> Callable[[tuple[tuple[str, ...], int]], tuple[int, ...]]:
    """Return the key of an order of terms that products keep: by degree, then by the powers of each symbol."""
    symbols = sorted({name for size in sizes for names, _ in _terms(size) for name in names})
    return lambda term: (len(term[0]), *(term[0].count(name) for name in symbols))


def at_least(size: Dim, number: int) -> bool:
    """Tell whether a size is certainly ``number`` or more; a history has at least one event, a batch one row."""
    terms = _terms(size)
    return all(count >= 0 for names, count in terms if names) and sum(count for _, count in terms) >= number


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that numpy's rules give; two unlike symbols are taken to be equal when the graph runs.

    Raises:
        ConversionError: Two numbers that do not broadcast.
    """
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_common(axis, shapes) for axis in zip(*padded, strict=True))


def _common(sizes: tuple[Dim, ...], shapes: tuple[Shape, ...]) -> Dim:
    numbers = {size for size in sizes if isinstance(size, int) and size != 1}
    if len(numbers) > 1:
        raise ConversionError(
            f"shapes {' and '.join(describe(shape) for shape in shapes)} do not broadcast; the model's own shapes do not fit"
        )
    symbols = [size for size in sizes if isinstance(size, Size)]
    return numbers.pop() if numbers else symbols[0] if symbols else 1


def describe(shape: Shape) -> str:
    """Return a shape as a message shows it: ``[batch, length, 64]``."""
    return f"[{', '.join(str(size) for size in shape)}]"


def _terms(size: Dim) -> _Terms:
    return size.terms if isinstance(size, Size) else (((), size),)


def _collect(terms: Iterable[tuple[tuple[str, ...], int]]) -> Dim:
    counts: dict[tuple[str, ...], int] = {}
    for names, count in terms:
        counts[names] = counts.get(names, 0) + count
    kept = tuple(sorted((names, count) for names, count in counts.items() if count))
    if not kept:
        return 0
    return kept[0][1] if len(kept) == 1 and not kept[0][0] else Size(kept)
