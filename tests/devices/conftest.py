"""Results for tests of what is done with results: invented figures, never shown to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec_devices.environment import Environment
from edge_rec_devices.latency import Latency
from edge_rec_devices.result import ColdStart, Measurement, Memory, Quality, Setup, Stage, Stages, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = {"lookup": 0.02, "gather": 0.1, "encode": 0.55, "filter": 0.08, "search": 0.2, "label": 0.05}


def make_result(
    *,
    precision: str = "int8",
    target: str = "onnx",
    model: str = "sasrec",
    size: int = 400_000,
    ndcg: float | None = 0.1,
    overlap: float | None = 0.98,
    p50: float = 0.3,
    cpu: str = "A processor",
    share: float = 0.99,
    auc: float | None = None,
) -> Measurement:
    """Return a result that is like a real one."""
    times = np.random.default_rng(size).lognormal(np.log(p50 * 1e6), 0.12, 2_000)
    quality = Quality(
        ndcg_at_10=ndcg,
        ndcg_at_10_ci=None if ndcg is None else (ndcg - 0.01, ndcg + 0.01),
        overlap_at_10=overlap,
        users=943,
        auc=auc,
    )
    latency = Latency.of([int(time) for time in times])
    return Measurement(
        subject=Subject(
            file=f"{model}-{target}-{precision}.edgerec",
            model=model,
            target=target,
            precision=precision,
            network=precision,
            sha256="0" * 64,
            bytes=size + 40_000,
            model_bytes=size,
            items=1_000,
            dims=64,
            max_length=200,
            quality=quality,
        ),
        setup=Setup(
            backend="onnxruntime",
            threads=1,
            k=10,
            histories=64,
            mean_events=90.0,
            rounds=8,
            bundles=6,
            seconds=5.0,
            warmup=20,
            processor_share=share,
        ),
        environment=Environment(
            cpu=cpu,
            flags=("avx2",),
            cores=2,
            affinity=(0, 1),
            governor=None,
            frequency_mhz=2600.0,
            load_average=0.4,
            memory_bytes=8_000_000_000,
            kernel="Linux 6.1",
            machine="x86_64",
            python="CPython 3.11.7",
            packages={"numpy": "2.4.6"},
            missing={"governor": "the kernel does not tell"},
        ),
        request=latency,
        stages=Stages(
            parts=tuple(Stage(name=name, p50_ms=share * p50, mean_ms=share * p50, share=share) for name, share in STAGES.items()),
            requests=500,
            sum_ratio=1.02,
            agrees=True,
        ),
        cold_start=ColdStart(
            median_ms=180.0,
            samples_ms=(180.0, 179.0, 190.0),
            python_ms=15.0,
            import_ms=80.0,
            open_ms=70.0,
            first_request_ms=15.0,
            bare_python_ms=14.0,
            numpy_ms=85.0,
            engine_ms=150.0,
        ),
        memory=Memory(
            peak_rss_bytes=61_000_000, first_answer_rss_bytes=60_000_000, idle_rss_bytes=11_000_000, mapped_bytes=size, answers=64
        ),
        measured_at="2026-01-02T03:04:05+00:00",
    )


@pytest.fixture
def make() -> Callable[..., Measurement]:
    """Give the factory of results."""
    return make_result
