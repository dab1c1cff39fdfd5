"""What is measured: precision x rows x dims x results x batch x data, each with a name that the command line takes."""

from __future__ import annotations

__all__ = ["CASES", "GROWTH", "PRECISIONS", "QUICK", "SIZES", "Case"]

from dataclasses import dataclass

PRECISIONS = ("int8", "fp32", "hamming", "bits")
SIZES = {"16": 16, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "4m": 4_000_000}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One search problem.

    Attributes:
        precision: ``int8``, ``fp32``, ``hamming`` (bits on both sides), ``bits`` (bits of the items only).
        size: Key of `SIZES`.
        dims: Values of a vector, or bits.
        k: Results.
        batch: Queries at once.
        data: ``gaussian`` or ``trained``.
    """

    precision: str
    size: str
    dims: int = 64
    k: int = 10
    batch: int = 1
    data: str = "gaussian"

    @property
    def rows(self) -> int:
        """Items."""
        return SIZES[self.size]

    @property
    def slug(self) -> str:
        """Name on the command line and in the rows: what differs from the usual is said."""
        said = [self.precision, self.size]
        said += [f"d{self.dims}"] if self.dims != 64 else []
        said += [f"k{self.k}"] if self.k != 10 else []
        said += [f"b{self.batch}"] if self.batch != 1 else []
        said += [self.data] if self.data != "gaussian" else []
        return "-".join(said)


# How times grow with the table, on both data sets.
GROWTH: dict[str, Case] = {
    case.slug: case
    for precision in PRECISIONS
    for data in ("gaussian", "trained")
    for size in ("10k", "100k", "1m", "4m")
    for case in [Case(precision=precision, size=size, data=data)]
}
_OTHERS = [
    Case(precision="int8", size="16"),  # what a call costs
    *(
        case
        for precision in PRECISIONS
        for case in (
            *(Case(precision=precision, size="100k", dims=dims) for dims in (32, 128, 256)),
            Case(precision=precision, size="100k", k=100),
            Case(precision=precision, size="1m", k=100),
            Case(precision=precision, size="100k", batch=32),
            Case(precision=precision, size="1m", batch=32),
        )
    ),
]
CASES: dict[str, Case] = GROWTH | {case.slug: case for case in _OTHERS}
QUICK = tuple(slug for slug, case in GROWTH.items() if case.rows <= SIZES["100k"])
