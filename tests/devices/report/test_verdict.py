"""Sentences: they say what the figures say, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge_rec_devices import Measurement
from edge_rec_devices.report.verdict import caution, headline, names, verdicts
from edge_rec_devices.report.wording import clean, megabytes, milliseconds, percent, short, times

Make = Callable[..., Measurement]


def kept(result: Measurement, share: float, low: float, high: float) -> Measurement:
    """Give a result the manifest's paired comparison with fp32."""
    quality = replace(result.subject.quality, ndcg_kept=share, ndcg_kept_ci=(low, high))
    return replace(result, subject=replace(result.subject, quality=quality))


def test_sizes_and_speeds_are_held_against_fp32_of_the_same_target(make: Make) -> None:
    """A smaller and faster bundle is called so, with the ratio; a slower one is called slower."""
    fp32 = [make(precision="fp32", target=target, size=1_000_000, p50=0.4) for target in ("onnx", "tflite")]
    fast, slow = make(size=250_000, p50=0.2), make(target="tflite", size=250_000, p50=0.8)
    *_, first, second = verdicts([*fp32, fast, slow])
    assert first.text.startswith("4× smaller than fp32, answers 2")
    assert "faster" in first.text
    assert "slower" in second.text


@pytest.mark.parametrize(
    ("paired", "overlap", "badge"),
    [
        ((0.999, 0.99, 1.01), 0.98, "quality kept"),
        ((0.995, 0.993, 0.997), 0.98, "quality kept"),  # surely a loss, and surely too small to matter
        ((0.95, 0.93, 0.97), 0.98, "quality lost"),
        ((0.99, 0.90, 1.05), 0.60, "other items"),
    ],
)
def test_quality_is_judged_by_the_paired_comparison(
    make: Make, paired: tuple[float, float, float], overlap: float, badge: str
) -> None:
    """Within noise or below 1 % is kept; beyond is lost; as good with other items is neither."""
    _, verdict = verdicts([make(precision="fp32", overlap=1.0), kept(make(overlap=overlap), *paired)])
    assert verdict.badge == badge
    assert f"{100 * paired[0]:.1f} %" in verdict.text


@pytest.mark.parametrize(
    ("auc", "badge", "words"),
    [
        (0.74, "quality kept", "keeps its AUC"),
        (0.741, "quality kept", "keeps its AUC"),  # better than fp32 is no loss
        (0.7393, "quality kept", "loses 0.0007 of its AUC"),
        (0.738, "quality lost", "loses 0.0020 of its AUC: more than 0.001"),
    ],
)
def test_rankers_are_judged_by_the_auc_that_they_lose(make: Make, auc: float, badge: str, words: str) -> None:
    """Up to the loss that a conversion lets through it is kept; the fp32 ranker is told by its AUC."""
    reference = make(precision="fp32", ndcg=None, overlap=None, auc=0.74)
    first, second = verdicts([reference, make(ndcg=None, overlap=None, auc=auc)])
    assert "AUC is 0.7400" in first.text
    assert (second.badge, words in second.text) == (badge, True), second.text


def test_without_a_paired_comparison_the_interval_of_fp32_decides(make: Make) -> None:
    """Bundles whose manifest lacks it are judged by fp32's own interval, 0.09 to 0.11 here."""
    reference = make(precision="fp32", ndcg=0.1)
    assert [verdicts([reference, make(ndcg=score)])[1].kind for score in (0.095, 0.08)] == ["kept", "lost"]


def test_no_reference_or_no_figures_leaves_it_open(make: Make) -> None:
    """Nothing is claimed about a bundle without fp32 beside it, on another machine, or without quality figures."""
    assert verdicts([make()])[0].kind == "open"
    assert verdicts([make(precision="fp32", cpu="Another"), make()])[1].kind == "open"
    assert "was not measured" in verdicts([make(precision="fp32", ndcg=None), make(ndcg=None)])[1].text


def test_the_headline_names_the_smallest_that_kept_its_quality(make: Make) -> None:
    """A still smaller bundle that lost quality is not recommended."""
    results = [
        make(precision="fp32", size=1_000_000),
        kept(make(size=300_000), 1.0, 0.99, 1.01),
        kept(make(precision="binary-only", size=100_000), 0.5, 0.4, 0.6),
    ]
    assert "quality of fp32 is int8 · onnx: 0.300 MB instead of 1.00 MB" in headline(results)
    assert "within" in headline(results[:1])
    assert headline([make(ndcg=None, size=300_000), make(ndcg=None, precision="fp32", size=900_000)]).startswith(
        "The smallest is int8"
    )


def test_a_busy_machine_is_owned_up_to(make: Make) -> None:
    """Requests that waited for the processor bring a caution that says how much; undisturbed ones bring none."""
    assert caution([make(), make(share=0.95)]) is None
    assert "up to 40.0 % of the time" in (caution([make(), make(share=0.6)]) or "")


def test_names_tell_results_apart(make: Make) -> None:
    """Several models, several int8 networks and repeated measurements each get a name of their own."""
    assert names([make(), make(target="tflite")]) == ("int8 · onnx", "int8 · tflite")
    assert names([make(), make(model="mf")]) == ("sasrec int8 · onnx", "mf int8 · onnx")
    static = make()
    static = replace(static, subject=replace(static.subject, network="int8-static"))
    assert names([make(), static]) == ("int8 (int8) · onnx", "int8 (int8-static) · onnx")
    assert len(set(names([make()] * 3))) == 3


def test_numbers_have_three_digits_and_a_unit() -> None:
    """Readers see 0.312 ms and 1.24 MB, and a dash where nothing is known."""
    assert [milliseconds(value) for value in (0.31234, 1.2345, 148.4, None)] == ["0.312 ms", "1.23 ms", "148 ms", "–"]
    assert [megabytes(value) for value in (0, 999, 123_456, 1_240_000, 25.3e9)] == [
        "0 kB",
        "0.999 kB",
        "0.123 MB",
        "1.24 MB",
        "25.3 GB",
    ]
    assert (percent(0.98612), times(3.44), times(12.4)) == ("98.6 %", "3.4×", "12×")


def test_names_are_cleaned_of_what_could_reorder_or_break_the_page() -> None:
    """Control and direction marks are dropped; a long name loses its middle."""
    assert clean("a\u202eb\x00c\nd\u2066") == "abcd"
    assert short("x" * 10 + "y" * 90, longest=12) == "xxxxxxx…yyyy"
