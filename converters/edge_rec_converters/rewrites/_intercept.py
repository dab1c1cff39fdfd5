"""Put other functions in the place of torch's while a module is traced; nothing of torch is changed."""

from __future__ import annotations

__all__ = ["intercept"]

from typing import TYPE_CHECKING, Any

from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class _Intercepted(TorchFunctionMode):
    """Calls go to the replacement that ``choose`` names, or where they went."""

    def __init__(self, choose: Callable[[Any], Callable[..., Any] | None]) -> None:
        super().__init__()
        self._choose = choose

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 - any function of torch
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever it returns
        return (self._choose(func) or func)(*args, **(kwargs or {}))


def intercept(choose: Callable[[Any], Callable[..., Any] | None]) -> TorchFunctionMode:
    """Return a context manager in which ``choose(function)`` may give another function to call in its place."""
    return _Intercepted(choose)
