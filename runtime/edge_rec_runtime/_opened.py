"""An open bundle with what answers for it: how it is entered, left and closed, whatever it answers."""

from __future__ import annotations

__all__ = ["Opened"]

from typing import TYPE_CHECKING, Protocol, Self

from edge_rec_runtime.errors import RequestError

if TYPE_CHECKING:
    from types import TracebackType

    from edge_rec_runtime.bundle import Bundle
    from edge_rec_runtime.catalogue import Catalogue
    from edge_rec_runtime.features import Feature


class _Engine(Protocol):
    @property
    def backend(self) -> str: ...

    def close(self) -> None: ...


class Opened:
    """A bundle ready to answer.

    Attributes:
        bundle: The open bundle.
        catalogue: Its items.
        features: What its graph takes besides a history, in the order of its inputs.
    """

    def __init__(self, bundle: Bundle, engine: _Engine) -> None:
        self.bundle = bundle
        self.catalogue: Catalogue = bundle.catalogue
        self.features: tuple[Feature, ...] = bundle.features
        self._engine = engine
        self._closed = False

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the engine and the file; not while another thread is in a call."""
        self._closed = True
        self._engine.close()
        self.bundle.close()

    @property
    def backend(self) -> str:
        """The backend that computes: an engine's, or ``numpy`` where the bundle has no graph."""
        return self._engine.backend

    def refuse_closed(self) -> None:
        """Refuse to answer after `close`.

        Raises:
            RequestError: It is closed.
        """
        if self._closed:
            raise RequestError(f"{self.bundle.path}: the {type(self).__name__.lower()} is closed; open the bundle again")
