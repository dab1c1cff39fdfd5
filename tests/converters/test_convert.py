"""From a source to a verified bundle: every precision, the gate, the bytes."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec_converters import convert, verify
from edge_rec_converters.networks import NETWORKS, candidates
from edge_rec_converters.verification import overlap_gate
from edge_rec_runtime import Precision, Recommender
from edge_rec_runtime.errors import ConversionError, ModelError, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared

_ALL = ["fp32", "int8", "binary", "binary-only", *(f"items=int8,network={name}" for _, name in NETWORKS if name != "fp32")]


@pytest.mark.parametrize("precision", sorted(set(_ALL)))
def test_every_precision_passes_its_gate(prepared: Prepared, tmp_path: Path, precision: str) -> None:
    """The bundle is written, opens, answers, and is smaller than fp32 unless it is fp32."""
    path = tmp_path / "m.edgerec"
    asked = Precision.parse(precision)
    made = convert(prepared, target="onnx", precision=asked, output=path)
    assert made.verification.passed
    assert made.verification.overlap_at_10 >= overlap_gate(asked)
    assert made.verification.batch_drift < 1e-3
    assert made.precision.network != "int8"
    with Recommender.open(path, verify="full") as opened:
        assert opened.bundle.manifest.precision == made.precision
        assert len(opened.recommend(["i1", "i2"], k=5)) == 5
    if precision != "fp32":
        assert made.model_bytes < 0.6 * sum(part.nbytes for part in prepared.fit.table.parts().values()) + 20_000


def test_the_same_input_and_recipe_give_the_same_bytes(prepared: Prepared, tmp_path: Path) -> None:
    """Nothing of the time, the place or the order of hashing is in the file."""
    for name in ("a", "b"):
        convert(prepared, target="onnx", precision=Precision.parse("binary"), output=tmp_path / name, metadata={"seed": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_gate_leaves_what_was_there(prepared: Prepared, tmp_path: Path) -> None:
    """The sentence says what was measured and required; no file is left, and an older bundle stays."""
    path = tmp_path / "m.edgerec"
    with pytest.raises(VerificationError, match=r"overlap@10 with the source is 0\.\d+ and 0\.999 is required.*try"):
        convert(prepared, target="onnx", precision=Precision.parse("binary-only"), output=path, gate=0.999)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"older")
    with pytest.raises(VerificationError):
        convert(prepared, target="onnx", precision=Precision.parse("binary-only"), output=path, gate=0.999)
    assert path.read_bytes() == b"older"


def test_the_manifest_tells_the_making(prepared: Prepared, tmp_path: Path) -> None:
    """Metrics, verdict, tools and the source's hash are in it; no path is."""
    path = tmp_path / "m.edgerec"
    made = convert(prepared, target="onnx", precision=Precision.parse("int8"), output=path, metadata={"dataset": "none"})
    manifest = json.loads(zipfile.ZipFile(path).read("manifest.json"))
    assert manifest["metrics"]["overlap_at_10"] == round(made.verification.overlap_at_10, 6)
    assert manifest["verification"]["passed"] is True
    assert manifest["provenance"]["dataset"] == "none"
    assert len(manifest["provenance"]["source"]["sha256"]) == 64
    assert str(tmp_path) not in json.dumps(manifest)


@pytest.mark.parametrize(
    ("target", "network", "message"),
    [
        ("gguf", "fp32", "target 'gguf' is not known"),
        ("tflite", "int8-static", "network=int8-static has no tflite form; use one of int8, fp32"),
    ],
)
def test_a_target_without_the_network_is_refused_first(
    prepared: Prepared, tmp_path: Path, target: str, network: str, message: str
) -> None:
    """A pair of target and network that does not exist ends before any work."""
    with pytest.raises(ConversionError, match=message):
        convert(prepared, target=target, precision=Precision(network=network), output=tmp_path / "m")


@pytest.mark.parametrize("gate", [1.5, -0.1, float("nan")])
def test_a_gate_that_is_no_share_is_refused(prepared: Prepared, tmp_path: Path, gate: float) -> None:
    """NaN would pass nothing and say nothing."""
    with pytest.raises(ConversionError, match="is no share"):
        convert(prepared, target="onnx", precision=Precision(), output=tmp_path / "m", gate=gate)


def test_a_network_that_stays_float_is_called_so(prepared: Prepared, tmp_path: Path) -> None:
    """Where every weight is to stay float, int8 means the items; a network that was asked for by name is refused."""
    source = replace(prepared.source, float_weights=("*",))  # type: ignore[type-var]
    kept = replace(prepared, source=source)
    made = convert(kept, target="onnx", precision=Precision.parse("int8"), output=tmp_path / "m")
    assert made.precision == Precision(items="int8", network="fp32")
    with pytest.raises(ConversionError, match="no weight to store so"):
        convert(kept, target="onnx", precision=Precision.parse("items=int8,network=int8-dynamic"), output=tmp_path / "n")


def test_verify_judges_a_bundle_again(prepared: Prepared, tmp_path: Path) -> None:
    """The verdict is that of the conversion; another catalogue is refused."""
    path = tmp_path / "m.edgerec"
    made = convert(prepared, target="onnx", precision=Precision.parse("int8"), output=path)
    assert verify(path, prepared) == made.verification
    assert not verify(path, prepared, gate=1.0).passed
    turned = replace(prepared.source.catalogue, ids=prepared.source.catalogue.ids[::-1])
    other = replace(prepared, source=replace(prepared.source, catalogue=turned))  # type: ignore[type-var]
    with pytest.raises(ModelError, match="their ids or order differ"):
        verify(path, other)


def test_a_model_of_other_weights_fails(prepared: Prepared, tmp_path: Path) -> None:
    """A bundle whose source was trained on is no longer that source's bundle."""
    path = tmp_path / "m.edgerec"
    convert(prepared, target="onnx", precision=Precision.parse("fp32"), output=path)
    moved = np.roll(prepared.test.queries, 1, axis=0)
    found = verify(path, replace(prepared, test=replace(prepared.test, queries=moved)))
    assert not found.passed
    assert found.overlap_at_10 < 0.9


def test_candidates_of_int8_are_networks_of_their_target() -> None:
    """Whatever the preset may become exists."""
    for target in ("onnx", "tflite"):
        assert candidates(target, "fp32", None) == ("fp32",)  # type: ignore[arg-type]  # not looked at
