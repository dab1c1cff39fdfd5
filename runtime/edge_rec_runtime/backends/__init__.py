"""Engines that run a graph: which there are, which are installed, and which one runs a bundle.

An engine is imported when a bundle is opened with it, never before.
"""

from __future__ import annotations

__all__ = ["BACKENDS", "Backend", "Graph", "Signature", "check_threads", "installed", "open_graph", "open_steps"]

import importlib.util
from typing import TYPE_CHECKING

from edge_rec_runtime._near import nearest
from edge_rec_runtime.backends.litert import AiEdgeLitert, TfliteRuntime
from edge_rec_runtime.backends.onnxruntime import OnnxRuntime
from edge_rec_runtime.backends.protocol import Backend, Graph, Signature
from edge_rec_runtime.bundle.kinds import KINDS
from edge_rec_runtime.errors import BackendError, DependencyError, RequestError

if TYPE_CHECKING:
    from edge_rec_runtime.bundle import Bundle

# In the order in which "auto" tries them.
BACKENDS: dict[str, Backend] = {
    "onnxruntime": OnnxRuntime(),
    "litert": AiEdgeLitert(),
    "tflite-runtime": TfliteRuntime(),
}


def installed() -> tuple[str, ...]:
    """Return the names of the backends whose engine is installed; nothing is imported."""
    return tuple(name for name, backend in BACKENDS.items() if _is_installed(backend))


def open_graph(bundle: Bundle, *, backend: str = "auto", threads: int = 1) -> Graph:
    """Load a bundle's graph.

    Args:
        bundle: An open bundle.
        backend: A key of `BACKENDS`, or ``auto`` for the first that is installed and has a graph in the bundle.
        threads: Threads that the engine may use.

    Raises:
        RequestError: No such backend, or fewer than one thread.
        DependencyError: The engine is not installed; the message carries the pip command.
        BackendError: The bundle has no graph for the backend, or the engine cannot run it.
    """
    check_threads(threads)
    if backend != "auto" and backend not in BACKENDS:
        near = nearest(backend, BACKENDS, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RequestError(f"backend {backend!r} is not known; use auto, {', '.join(BACKENDS)}{hint}")
    graphs = bundle.manifest.encoder_members
    if backend != "auto":
        engine = BACKENDS[backend]
        if engine.target not in graphs:
            raise BackendError(
                f"{bundle.path}: backend {backend!r} runs {engine.target} graphs, and this bundle has "
                f"{' and '.join(graphs) or 'none'}; "
                f"convert it with --to {engine.target}, or use another backend"
            )
        return _load(engine, bundle, threads)
    failures: list[str] = []
    for name, engine in BACKENDS.items():
        if engine.target in graphs and _is_installed(engine):
            try:
                return _load(engine, bundle, threads)
            except BackendError as error:
                failures.append(f"{name}: {error}")
    if failures:
        raise BackendError("; ".join(failures))
    commands = " or ".join(f"pip install 'edge-rec[{engine.extra}]'" for engine in BACKENDS.values() if engine.target in graphs)
    graph = KINDS[bundle.manifest.kind].graph
    raise DependencyError(
        f"{bundle.path}: no engine for this bundle's {' and '.join(graphs) or 'missing'} {graph} is installed; "
        + (f"run: {commands}" if commands else "convert it again")
    )


def open_steps(bundle: Bundle, *, backend: str, threads: int = 1) -> Graph | None:
    """Load the graph by which a bundle's encoder goes on from what it remembers.

    Args:
        bundle: An open bundle.
        backend: The backend that its encoder was opened with.
        threads: Threads that the engine may use.

    Returns:
        The graph, or None where the bundle has none for this engine, or the engine cannot be trusted with it.

    Raises:
        BackendError: The engine cannot run it.
    """
    engine, steps = BACKENDS.get(backend), bundle.manifest.steps
    if engine is None or steps is None or engine.target not in steps.members or not engine.steps:
        return None
    member, encoder = steps.members[engine.target], bundle.manifest.encoder_members[engine.target]
    files = {} if member == encoder else {f"encoder.{engine.target}": bundle.read(encoder)}
    signature = Signature.of_steps(steps.state)
    return engine.load(bundle.read(member), signature, where=bundle.path, threads=threads, files=files)


def check_threads(threads: int) -> None:
    """Refuse fewer threads than one.

    Raises:
        RequestError: There are fewer.
    """
    if threads < 1:
        raise RequestError(f"threads is {threads}; an engine needs at least 1")


def _load(engine: Backend, bundle: Bundle, threads: int) -> Graph:
    graph = bundle.read(bundle.manifest.encoder_members[engine.target])
    return engine.load(graph, Signature.of(bundle.manifest), where=bundle.path, threads=threads)


def _is_installed(backend: Backend) -> bool:
    return importlib.util.find_spec(backend.package) is not None
