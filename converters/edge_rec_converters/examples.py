"""Examples of a ranker's work: the inputs of its network for some candidates, and whether each was chosen."""

from __future__ import annotations

__all__ = ["Examples"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.features import Feature

_INPUT = "input."
_DTYPES = {"inputs": ("int32", "float32"), "labels": ("float32",), "users": ("int64",)}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Rows of a click log, encoded as the network is fed.

    Attributes:
        inputs: For each feature by name int32 or float32 [examples] or [examples, length], as `Feature.encode` gives them.
        labels: [examples] float32, 1 where the candidate was chosen and 0 where it was not; None where nobody knows.
        users: [examples] int64, rows of one user have one number; intervals are then drawn over users.
    """

    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[np.float32] | None
    users: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together.

        Raises:
            DataError: There is none, their lengths or types are wrong, or a value is not what it may be.
        """
        if not self.inputs:
            raise DataError("the examples have no inputs; give one array for each feature of the ranker")
        for name, values in self.inputs.items():
            _check(f"input '{name}'", values, _DTYPES["inputs"], axes=(1, 2), rows=len(self))
            if values.dtype == np.int32 and values.size and values.min() < 0:
                raise DataError(f"input '{name}' of the examples holds {values.min()}; indices count from 0, the unknown")
        for name in ("labels", "users"):
            values = getattr(self, name)
            if values is not None:
                _check(name, values, _DTYPES[name], axes=(1,), rows=len(self))
        if self.labels is not None and not np.isin(self.labels, (0, 1)).all():
            odd = self.labels[~np.isin(self.labels, (0, 1))][0]
            raise DataError(f"the labels of the examples hold {odd}; expected 1 for chosen and 0 for not")

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(next(iter(self.inputs.values())))

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return copies of the given rows only."""
        return type(self)(
            inputs={name: values[rows] for name, values in self.inputs.items()},
            labels=None if self.labels is None else self.labels[rows],
            users=None if self.users is None else self.users[rows],
        )

    def remark(self, features: Iterable[Feature], what: str) -> str:
        """Return a sentence on how many rows have no known word where a feature has one, or an empty text."""
        counts = {one.name: int((self.inputs[one.name] == 0).sum()) for one in features if one.kind == "category"}
        found = ", ".join(f"{name} in {count:,}" for name, count in counts.items() if count)
        return f"unknown or absent in the {len(self):,} {what} examples: {found}" if found else ""

    def save(self, path: Path | str) -> None:
        """Write them as safetensors, replacing the file as a whole."""
        arrays = {f"{_INPUT}{name}": np.ascontiguousarray(values) for name, values in self.inputs.items()}
        arrays |= {name: values for name in ("labels", "users") if (values := getattr(self, name)) is not None}
        content = save(arrays)
        replace_file(Path(path), lambda stream: stream.writelines([content]))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            DataError: The file is missing, no safetensors, or holds other arrays.
        """
        expected = "expected a .safetensors file of examples"
        try:
            arrays = load(Path(path).read_bytes())
        except FileNotFoundError:
            raise DataError(f"{path}: no such file; {expected}") from None
        except (SafetensorError, OSError, TypeError, KeyError, AttributeError, ValueError) as error:
            raise DataError(f"{path}: cannot be read as safetensors ({str(error)[:120]}); {expected}") from error
        inputs = {name.removeprefix(_INPUT): arrays[name] for name in sorted(arrays) if name.startswith(_INPUT)}
        rest = set(arrays) - {f"{_INPUT}{name}" for name in inputs}
        if rest - {"labels", "users"}:
            raise DataError(f"{path}: holds the arrays {', '.join(sorted(rest))}; expected input.NAME, labels and users")
        try:
            return cls(inputs=inputs, labels=arrays.get("labels"), users=arrays.get("users"))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


def _check(what: str, values: object, dtypes: tuple[str, ...], *, axes: tuple[int, ...], rows: int) -> None:
    if not isinstance(values, np.ndarray) or values.dtype.name not in dtypes or values.ndim not in axes:
        found = f"{values.dtype} {list(values.shape)}" if isinstance(values, np.ndarray) else f"a {type(values).__name__}"
        raise DataError(
            f"{what} of the examples is {found}; expected {' or '.join(dtypes)} with {' or '.join(map(str, axes))} axes"
        )
    if len(values) != rows:
        raise DataError(f"{what} of the examples has {len(values)} rows and the others {rows}; give one row an example")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"{what} of the examples holds NaN or infinity; every value must be finite")
