"""Find what really went wrong below the errors that libraries wrap around it."""

from __future__ import annotations

__all__ = ["first_cause"]

from edge_rec_runtime.errors import ConversionError


def first_cause(error: BaseException) -> BaseException:
    """Return the ConversionError that an error was raised from, else the first of its causes."""
    cause = error
    while not isinstance(cause, ConversionError) and cause.__cause__ is not None:
        cause = cause.__cause__
    return cause
