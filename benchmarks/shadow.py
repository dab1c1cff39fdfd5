"""From how many rows on a 4-bit shadow makes a search faster: each table searched with and without one, in turn.

Usage: python benchmarks/shadow.py [--rows 10000,100000] [--dims 64] [--k 10,100] [--layouts fp32,fp16,int8]

Prints one line a table: milliseconds of a search in full and through the shadow, the ratio of their medians, and what the shadow
adds to the table. Every answer is compared to the bit. ``LEAST_ROWS`` of ``edge_rec_converters.shadows`` was read off here, once
for each path (``EDGE_REC_KERNELS=avx2``).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from typing import Any

import numpy as np

from edge_rec_runtime import Fp16Table, Fp32Table, Int8Table
from edge_rec_runtime.codes import Shadow
from edge_rec_runtime.kernels import Kernel, active, native

TABLES: dict[str, Any] = {"fp32": Fp32Table, "fp16": Fp16Table, "int8": Int8Table}
QUERIES, ROUNDS = 64, 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", default="5000,10000,20000,50000,100000,200000,400000")
    parser.add_argument("--dims", default="64")
    parser.add_argument("--k", default="10,100")
    parser.add_argument("--layouts", default=",".join(TABLES))
    given = parser.parse_args()
    print(f"path: {active().path}", file=sys.stderr)
    print(f"{'layout':8}{'rows':>9}{'dims':>6}{'k':>5}{'full':>9}{'shadow':>9}{'ratio':>7}{'adds':>7}")
    for layout, rows, dims in itertools.product(given.layouts.split(","), numbers(given.rows), numbers(given.dims)):
        source = np.random.default_rng(rows + dims)
        table = TABLES[layout].encode(source.standard_normal((rows, dims), dtype=np.float32))
        shadow = Shadow.encode(table)
        module = native()
        if module is None or table.kernel is None:
            sys.exit("the search kernels are not built; run make native")
        kernels = (table.kernel, shadow.before(module, table.kernel))
        queries = source.standard_normal((QUERIES, dims), dtype=np.float32)
        for k in numbers(given.k):
            full, less = medians((kernels[0], kernels[1]), queries, k)
            adds = shadow.nbytes / table.nbytes
            print(f"{layout:8}{rows:9}{dims:6}{k:5}{full * 1e3:9.4f}{less * 1e3:9.4f}{full / less:7.2f}{adds:7.1%}", flush=True)


def numbers(text: str) -> list[int]:
    """Return whole numbers that stand with commas between."""
    return [int(word) for word in text.split(",")]


def medians(kernels: tuple[Kernel, Kernel], queries: np.ndarray, k: int) -> tuple[float, float]:
    """Return the median seconds of a search by each kernel, taking turns over the queries."""
    taken: tuple[list[float], list[float]] = ([], [])
    for query in [*queries] * ROUNDS:
        answers = []
        for kernel, times in zip(kernels, taken, strict=True):
            rows, scores = np.empty(k, np.int64), np.empty(k, np.float32)
            start = time.perf_counter()
            kernel.top_k(query, k, rows, scores)
            times.append(time.perf_counter() - start)
            answers.append((rows, scores))
        if any(not np.array_equal(*both) for both in zip(*answers, strict=True)):
            sys.exit("the shadow changed an answer")
    return float(np.median(taken[0])), float(np.median(taken[1]))


if __name__ == "__main__":
    main()
