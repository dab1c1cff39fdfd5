"""What an engine must do for the runtime."""

from __future__ import annotations

__all__ = ["Backend", "Encoder"]

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Bundle


class Encoder(Protocol):
    """A loaded encoder; may be called from several threads.

    Attributes:
        backend: The key of the backend that loaded it.
    """

    backend: str

    def __call__(self, vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode histories.

        Args:
            vectors: [batch, length, dims] float32, oldest first, zeros after the end.
            mask: [batch, length] float32, 1 on events and 0 after them.

        Returns:
            The queries [batch, dims] float32, a copy.

        Raises:
            BackendError: The engine fails.
        """

    def close(self) -> None:
        """Let go of the engine's memory."""


class Backend(Protocol):
    """An engine that may be installed.

    Attributes:
        target: The graphs that it runs, ``onnx`` or ``tflite``.
        package: The package that must be installed, by its import name.
        extra: The extra of ``edge-rec`` that brings it.
    """

    target: str
    package: str
    extra: str

    def load(self, bundle: Bundle, *, threads: int) -> Encoder:
        """Load the encoder of a bundle that has one for this target.

        Raises:
            BackendError: The engine is missing or cannot run the graph.
        """
