"""Numbers as a reader wants them: three digits, a unit, a dash for what is not known."""

from __future__ import annotations

__all__ = ["NOT_KNOWN", "clean", "megabytes", "milliseconds", "percent", "quality", "short", "times"]

import math
import unicodedata

NOT_KNOWN = "–"
# Unit, its bytes, and from how many bytes on it is used.
_UNITS = (("GB", 1e9, 1e9), ("MB", 1e6, 1e5), ("kB", 1e3, 0))


def milliseconds(value: float | None) -> str:
    """Write a duration with three digits: ``0.312 ms``, ``148 ms``."""
    return NOT_KNOWN if value is None else f"{_three_digits(value)} ms"


def megabytes(value: float | None) -> str:
    """Write bytes as MB of 10^6, as kB below a tenth of that, as GB from a thousand of them."""
    if value is None:
        return NOT_KNOWN
    unit, size = next((unit, size) for unit, size, least in _UNITS if value >= least)
    return f"{_three_digits(value / size)} {unit}"


def quality(value: float | None) -> str:
    """Write a metric between 0 and 1 with four decimals."""
    return NOT_KNOWN if value is None else f"{value:.4f}"


def percent(value: float | None) -> str:
    """Write a share with one decimal: ``98.6 %``."""
    return NOT_KNOWN if value is None else f"{100 * value:.1f} %"


def times(value: float) -> str:
    """Write a ratio: ``3.4×``."""
    return f"{value:.2g}×" if value < 9.95 else f"{value:.0f}×"


def clean(text: str) -> str:
    """Drop control and direction marks, which could break a drawing or reorder the words around a name."""
    return "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})


def short(text: str, *, longest: int = 30) -> str:
    """Clean a name and cut its middle out where it is too long for a drawing."""
    text = clean(text)
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[-(longest - 1 - head) :]}"


def _three_digits(value: float) -> str:
    if value < 1e-6:  # nothing here is measured as finely
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(value) + 1e-9))
    return f"{value:.{decimals}f}"
