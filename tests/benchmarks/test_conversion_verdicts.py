"""Comparisons with other tools: nothing that is worse is called equal, and nothing that is worse goes without a cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from conversion.causes import CAUSES, Cause, NoCauseError, cause_of
from conversion.page import loss_lines, page, table_lines
from conversion.verdicts import AUC_NOISE, TIME_NOISE, comparisons, twins
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conversion.verdicts import Row

MACHINE = {"cpu": "A processor", "kernel": "Linux", "packages": {"numpy": "2"}}


def row(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of JSON
    """Return a row of ours."""
    plain = {
        "subject": "sasrec@ml-100k",
        "model": "sasrec",
        "metric": "ndcg_at_10",
        "fp32_score": 0.1,
        "target": "tflite",
        "precision": "int8",
        "tool": "edge-rec",
        "model_bytes": 1000,
        "overlap_at_10": 0.99,
        "overlap_at_10_ci": [0.987, 0.993],
        "latency_ms_b1": 1.0,
        "latency_ms_b32": 10.0,
        "correct": True,
        "cause": "",
    }
    return plain | changed


def peer(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of JSON
    """Return a row of a peer that is like ours."""
    return row(tool="a-peer") | changed


def outcomes(*rows: Row) -> dict[str, str]:
    """Return the outcome of each column of the only comparison."""
    return {one.measure: one.outcome for one in comparisons(rows)}


def test_equal_files_are_equal() -> None:
    """The same figures are neither better nor worse, in any column."""
    assert set(outcomes(row(), peer()).values()) == {"equal"}


@pytest.mark.parametrize(
    ("theirs", "measure", "outcome"),
    [
        ({"model_bytes": 999}, "model_bytes", "worse"),
        ({"model_bytes": 1001}, "model_bytes", "better"),
        ({"overlap_at_10": 0.994}, "overlap_at_10", "equal"),  # both half widths are .003, together .0042
        ({"overlap_at_10": 0.995}, "overlap_at_10", "worse"),
        ({"overlap_at_10": 0.985}, "overlap_at_10", "better"),
        ({"latency_ms_b1": 0.92}, "latency_ms_b1", "equal"),
        ({"latency_ms_b1": 0.9}, "latency_ms_b1", "worse"),
        ({"latency_ms_b32": 12.0}, "latency_ms_b32", "better"),
    ],
)
def test_a_difference_beyond_the_noise_is_one(theirs: dict[str, float], measure: str, outcome: str) -> None:
    """Each column is judged by its own noise and in its own direction, and only that column changes."""
    found = outcomes(row(), peer(**theirs))
    assert found.pop(measure) == outcome
    assert set(found.values()) == {"equal"}


@given(st.floats(-0.1, 0.1))
def test_auc_is_worse_exactly_beyond_its_noise(delta: float) -> None:
    """A ranker that lost more AUC than the peer by more than the noise is worse, whatever the sign."""
    ours, theirs = ({"auc_delta": value, "overlap_at_10": None} for value in (delta, 0.0))
    expected = "worse" if -delta > AUC_NOISE else "better" if delta > AUC_NOISE else "equal"
    assert outcomes(row(**ours), peer(**theirs))["auc_delta"] == expected


def test_only_correct_peers_of_the_same_kind_are_compared() -> None:
    """Another model, another target, another precision and an incorrect peer are left out; our variants are compared too."""
    others = [peer(subject="mf@ml-1m"), peer(target="onnx"), peer(precision="fp32"), peer(correct=False)]
    assert comparisons([row(), *others]) == []
    variants = [row(precision=one) for one in ("int8", "int8.int8-dynamic", "int8.int8-weights", "int4.int8", "binary")]
    found = comparisons([*variants, peer()])
    assert list(dict.fromkeys(one.ours["precision"] for one in found)) == [one["precision"] for one in variants[:3]]
    assert {one.ours["precision"] for one in found if one.preset} == {"int8"}


def test_a_loss_without_a_cause_is_an_error() -> None:
    """The page and the lines name the loss and where to write its cause; without losses there is a page."""
    rows = [row(), peer(latency_ms_b1=0.5)]
    with pytest.raises(NoCauseError, match=r"no cause is written for sasrec@ml-100k, tflite: int8 has latency_ms_b1 2\.00x"):
        page({"rows": rows, "machine": MACHINE})
    assert "Nowhere beyond the noise" in page({"rows": [row(), peer()], "machine": MACHINE})


def test_a_cause_explains_what_fits_all_of_its_fields_and_no_more() -> None:
    """Another model, tool, target, column or precision, and a larger loss than was looked at, are not explained."""
    (loss,) = (one for one in comparisons([row(), peer(latency_ms_b1=0.5)]) if one.outcome == "worse")
    cause = Cause(target="tflite", peers=("a-*",), measures=("latency_ms_b1",), models=("sasrec",), most=2.5, text="because")
    assert cause_of(loss, [cause]) == "because"
    for other in (
        {"target": "onnx"},
        {"peers": ("b-*",)},
        {"measures": ("model_bytes",)},
        {"models": ("mf",)},
        {"precisions": ("fp32",)},
        {"most": 1.9},
    ):
        with pytest.raises(NoCauseError, match="a-peer"):
            cause_of(loss, [replace(cause, **other)])


def test_every_cause_can_explain_something() -> None:
    """Each allows for a loss that is beyond the noise; of a ratio it is above 1, of quality it is small."""
    for cause in CAUSES:
        assert cause.text
        timed = [measure for measure in cause.measures if measure.startswith("latency")]
        assert cause.most > (1 + TIME_NOISE if timed else 1 if "model_bytes" in cause.measures else 0)


def test_losses_of_one_cause_stand_together() -> None:
    """One line with the cause, one below it for each peer and column; the table marks what is worse and what is better."""
    rows = [row(tool="edge-rec", model="gru4rec"), peer(tool="ai-edge-quantizer.x", latency_ms_b32=6.0, model_bytes=2000)]
    found = comparisons(rows)
    first, second = loss_lines(one for one in found if one.outcome == "worse")
    assert first.startswith("- LiteRT: the recurrence is a loop")
    assert second == "  - int8 beside `ai-edge-quantizer.x`, batch of 32: sasrec@ml-100k 1.67x"
    header, line = table_lines(found)
    assert len(header) == len(line)
    assert line.split()[-4:] == ["0.500x+", "+0.0000", "1.00x", "1.67x!"]


def test_twins_tell_the_noise() -> None:
    """Two rows with the same bytes and answers tell by how much one run differs; other rows tell nothing."""
    same = [row(), row(precision="int8.int8-dynamic", latency_ms_b32=12.0), row(model_bytes=5), peer()]
    assert twins(same) == [0.0, pytest.approx(0.2)]


def test_a_look_up_outside_of_the_graph_counts() -> None:
    """A graph that begins behind the look-up is compared with it, not without; a peer's graph does its own."""
    ours = row(latency_ms_b1=0.9, lookup_ms_b1=0.3, latency_ms_b32=9.5, lookup_ms_b32=0.5)
    found = {one.measure: one for one in comparisons([ours, peer()])}
    assert found["latency_ms_b1"].difference == pytest.approx(1.2)
    assert found["latency_ms_b1"].outcome == "worse"
    assert found["latency_ms_b32"].outcome == "equal"
