"""The device: an environment of the base install and one engine, built from the package index, serves every bundle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest

from edge_rec_converters import convert, prepare
from edge_rec_converters.targets import emitter
from edge_rec_runtime import Bundle, Catalogue, History, Precision, Ranker, Recommender, read_histories, write_histories

MakeBundle = Callable[..., Path]

ROOT = Path(__file__).parents[2]
ITEMS = 200
NETWORKS = {"onnx": ("fp32", "int8-static", "int8-dynamic"), "tflite": ("fp32", "int8-weights", "int8-dynamic")}
ENGINES = {"onnxruntime": ("onnx", "onnxruntime"), "ai-edge-litert": ("tflite", "litert")}

ANSWER = """
import importlib.util, json, sys
from edge_rec_runtime import Recommender, read_histories
backend, histories, *bundles = sys.argv[1:]
absent = ("torch", "onnx", "onnx_ir", "polars", "scipy", "safetensors", "pandas", "matplotlib")
answers = {}
for bundle in bundles:
    with Recommender.open(bundle, verify="full") as recommender:
        assert recommender.backend == backend, recommender.backend
        answers[bundle] = [list(map(list, recommender.recommend(one.events))) for one in read_histories(histories)]
print(json.dumps({"present": [name for name in absent if importlib.util.find_spec(name)], "answers": answers}))
"""


@dataclass(frozen=True)
class Served:
    """Bundles of one model, and the histories that they are asked about."""

    bundles: dict[str, dict[str, Path]]
    histories: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Convert a small SASRec with random weights for both targets, in every network."""
    from edge_rec.models.sasrec import SASRec, SASRecOptions  # noqa: PLC0415  # torch only where this slow test runs

    folder = tmp_path_factory.mktemp("bundles")
    catalogue = Catalogue(
        tuple(f"i{row}" for row in range(ITEMS)),
        tuple(f"Title {row}" for row in range(ITEMS)),
        None,
        np.arange(ITEMS, dtype=np.uint32),
    )
    source = SASRec(SASRecOptions(dims=32, blocks=1, feed_forward=64, max_length=40), catalogue, seed=3).source()
    draw = np.random.default_rng(0)
    histories = [History(tuple(f"i{row}" for row in draw.integers(0, ITEMS, length))) for length in (3, 12, 50, 20, 5, 33, 1, 9)]
    histories.append(History(("unknown",)))
    write_histories(folder / "histories.jsonl", histories)
    made = prepare(source, histories[:8])
    bundles: dict[str, dict[str, Path]] = {target: {} for target in NETWORKS}
    for target, networks in NETWORKS.items():
        for network in networks:
            path = folder / f"{target}-{network}.edgerec"
            precision = Precision(items="fp32" if network == "fp32" else "int8", network=network)
            convert(made, target=target, precision=precision, output=path, gate=0.0)
            bundles[target][network] = path
    return Served(bundles, folder / "histories.jsonl")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the distribution from a copy of the sources; skip where the index cannot be reached."""
    folder = tmp_path_factory.mktemp("wheel")
    probe = pip(sys.executable, "download", "--no-deps", "--dest", folder / "probe", "click")
    if probe.returncode:
        pytest.skip("the package index cannot be reached, so no environment can be built")
    unwanted = shutil.ignore_patterns(
        ".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "datasets", "demo", "runs", "build"
    )
    shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    built = pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, folder / "source")
    assert built.returncode == 0, built.stderr
    return next(folder.glob("edge_rec-*.whl"))


def pip(python: str | Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call pip of an interpreter."""
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def install(folder: Path, wheel: Path, *packages: str) -> Path:
    """Return the ``bin`` of a new environment with the wheel and packages."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installed = pip(folder / "bin" / "python", "install", wheel, *packages)
    assert installed.returncode == 0, installed.stderr
    return folder / "bin"


def ask(bin_folder: Path, backend: str, served: Served, bundles: dict[str, Path]) -> dict[str, list[list[tuple[str, float]]]]:
    """Return what bundles answer in an environment, by network; nothing of the host is installed there."""
    command = [bin_folder / "python", "-I", "-c", ANSWER, backend, served.histories, *bundles.values()]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["present"] == []
    return {network: said["answers"][str(path)] for network, path in bundles.items()}


def here(served: Served, path: Path, backend: str) -> list[list[tuple[str, float]]]:
    """Return what a bundle answers in this process."""
    with Recommender.open(path, backend=backend) as recommender:
        return [[tuple(item) for item in recommender.recommend(one.events)] for one in read_histories(served.histories)]


@pytest.fixture(scope="module", params=list(ENGINES))
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> tuple[str, Path]:
    """Return an engine and the ``bin`` of an environment that has the base install and this engine alone."""
    return request.param, install(tmp_path_factory.mktemp("device") / "device", wheel, request.param)


@pytest.mark.slow
def test_the_base_install_and_one_engine_serve(device: tuple[str, Path], served: Served) -> None:
    """Every network answers as it does on the host, and the device's commands work, without torch, onnx or polars."""
    engine, bin_folder = device
    target, backend = ENGINES[engine]
    for network, answers in ask(bin_folder, backend, served, served.bundles[target]).items():
        expected = here(served, served.bundles[target][network], backend)
        assert [[item for item, _ in one] for one in answers] == [[item for item, _ in one] for one in expected]
    bundle = str(served.bundles[target]["fp32"])
    for arguments in (["recommend", bundle, "--history", "i1"], ["similar", bundle, "i1"], ["inspect", bundle]):
        shown = subprocess.run([str(bin_folder / "edge-rec"), *arguments], capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
        assert len(shown.stdout.splitlines()) > 5
    other = str(next(iter(served.bundles["tflite" if target == "onnx" else "onnx"].values())))
    refused = subprocess.run(
        [str(bin_folder / "edge-rec"), "recommend", other, "--history", "i1"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 8
    assert "pip install" in refused.stderr


@pytest.mark.slow
def test_the_other_kinds_are_served_too(device: tuple[str, Path], make_ranker: MakeBundle, make_neighbours: MakeBundle) -> None:
    """A ranker ranks as on the host, and a table of neighbours recommends, with the base install and one engine."""
    engine, bin_folder = device
    target, backend = ENGINES[engine]
    with Bundle.open(make_ranker()) as bundle:
        graph = bundle.read("ranker.onnx")
    graphs = {"onnx": graph, "tflite": emitter("tflite")(onnx_ir.from_proto(onnx.load_from_string(graph)))}
    path, other = make_ranker(encoders={target: graphs[target]}), make_neighbours()
    candidates = ["i1", "i2", "i9", "i30"]
    with Ranker.open(path, backend=backend) as ranker:
        ranked = ranker.rank(candidates, {"age": "25", "history": ["i3"], "hour": 13}).ids
    with Recommender.open(other) as recommender:
        recommended = recommender.recommend(["i3", "i4"]).ids
    words = [word for one in candidates for word in ("--candidate", one)]
    context = ["--context", "age=25", "--context", "history=i3", "--context", "hour=13"]
    for arguments, expected in (
        (["rank", str(path), *words, *context], ranked),
        (["recommend", str(other), "--history", "i3", "--history", "i4"], recommended),
    ):
        command = [str(bin_folder / "edge-rec"), *arguments, "--json"]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
        assert tuple(one["id"] for one in json.loads(shown.stdout)["items"]) == expected


@pytest.fixture(scope="module")
def old_device(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Return the ``bin`` of an environment that has the old engine and numpy 1."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite-runtime has no wheel for Python 3.12 and later")
    return install(tmp_path_factory.mktemp("old") / "device", wheel, "tflite-runtime", "numpy<2")


@pytest.mark.slow
def test_tflite_runtime_computes_what_litert_computes(old_device: Path, served: Served) -> None:
    """Through changes of length the old engine gives the same ten items, where its arithmetic is the same.

    It is not for ``int8-dynamic``: the old engine rounds activations symmetrically, as ONNX Runtime's graph does, the newer one
    on a finer grid of its own. There scores differ by at most a hundredth of their range, and nearly all items agree.
    """
    for network, answers in ask(old_device, "tflite-runtime", served, served.bundles["tflite"]).items():
        least, tolerance = (9, 1e-2) if network == "int8-dynamic" else (10, 1e-5)
        for found, expected in zip(answers, here(served, served.bundles["tflite"][network], "litert"), strict=True):
            theirs, ours = dict(found), dict(expected)
            shared = theirs.keys() & ours.keys()
            assert len(shared) >= least
            span = max(map(abs, ours.values()))
            assert all(abs(theirs[item] - ours[item]) <= tolerance * span for item in shared)


@pytest.mark.slow
def test_tflite_runtime_with_numpy_2_is_refused(old_device: Path, served: Served, tmp_path: Path) -> None:
    """The engine cannot be loaded there, which is one sentence with the command to run, not a crash."""
    assert pip(old_device / "python", "install", "--target", tmp_path, "numpy>=2").returncode == 0
    result = subprocess.run(
        [str(old_device / "edge-rec"), "recommend", str(served.bundles["tflite"]["fp32"]), "--history", "i1"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 8, result.stderr
    assert "pip install 'edge-rec[tflite-runtime]'" in result.stderr
    assert "Traceback" not in result.stderr
