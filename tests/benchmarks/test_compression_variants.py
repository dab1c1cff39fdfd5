"""What `benchmarks/compression.py` measures: variants that can be made, bytes as they are stored, answers of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from compressing.figures import kept_over_seeds
from compressing.scores import scored
from compressing.timing import beside
from compressing.variants import CURVES, FURTHER, MAIN, PERCENTS, VARIANTS, identity_of, recipe_of
from compressing.weights import weigh

from edge_rec.compress import describe_step, shipped_recipes
from edge_rec_converters.metrics import paired_ratio_interval
from edge_rec_runtime import Bundle, History, Precision, Recommender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeBundle = Callable[..., Path]


def test_every_point_of_a_curve_is_a_step() -> None:
    """Each criterion has its three shares, and chance stands beside them, of weights and of units."""
    for variant in CURVES.values():
        recipe = recipe_of(variant)
        assert recipe is not None
        (step,) = recipe.steps
        assert step.kind == "prune"
    names = {slug.removeprefix("curve-").rpartition("-")[0] for slug in CURVES}
    assert len(CURVES) == len(names) * len(PERCENTS)
    assert {"random", "random-neurons"} < names


@pytest.mark.parametrize("slug", MAIN)
def test_precisions_are_words_of_the_grammar(slug: str) -> None:
    """A precision that is no precision would be found out after hours; so would a recipe that cannot be read."""
    variant = VARIANTS[slug]
    if variant.precision is not None:
        Precision.parse(variant.precision).require("retriever")
    if variant.recipe in shipped_recipes():
        recipe = recipe_of(variant)
        assert recipe is not None
        assert variant.precision is not None or recipe.bundles is not None


@pytest.mark.parametrize("slug", [*FURTHER, *MAIN, "curve-l0-50"])
def test_the_short_form_trains_no_longer(slug: str) -> None:
    """The same steps with fewer epochs, rounds and fits, never with more; it is told apart from the whole."""
    whole, short = (recipe_of(VARIANTS[slug], epochs=epochs) for epochs in (None, 1))
    if whole is None or short is None:
        assert whole is short
        return
    assert identity_of(VARIANTS[slug]) != identity_of(VARIANTS[slug], epochs=1) or whole == short
    for before, after in zip(whole.steps, short.steps, strict=True):
        assert before.form == after.form
        had, has = describe_step(before)["options"], describe_step(after)["options"]
        rounds = {"epochs": 1, "gate_epochs": 1, "fit": 20}
        assert {name: value for name, value in has.items() if name not in rounds} == {
            name: value for name, value in had.items() if name not in rounds
        }
        for name in rounds.keys() & has.keys():
            unused = has[name] == had[name] == 4 and name == "gate_epochs"  # of other criteria than l0
            assert has[name] is None or has[name] <= rounds[name] or unused
            assert had[name] != 0 or has[name] == 0


def test_the_teacher_trained_on_is_whole() -> None:
    """It begins as the teacher, in its width, learns from the log or from itself, and has no goal."""
    for variant in FURTHER.values():
        recipe = recipe_of(variant)
        assert recipe is not None
        (step,) = recipe.steps
        options = describe_step(step)["options"]
        assert (options["student"], options["start"], options["teachers"]) == ("sasrec", "teacher", ())
        assert set(options["options"]) <= {"dropout"}
        assert (variant.goal, variant.precision) == (None, "fp32")


def test_a_teacher_of_nothing_gives_no_number() -> None:
    """What is kept of 0 is not known; resamples in which it is 0 are left out of the interval."""
    assert np.isnan(kept_over_seeds(np.ones((1, 5)), np.zeros((1, 5)))).all()
    ratio, low, high = kept_over_seeds(np.eye(1, 3) / 2, np.eye(1, 3))
    assert (ratio, low, high) == (0.5, 0.5, 0.5)


def test_one_seed_is_the_paired_ratio() -> None:
    """Averaging over one seed changes nothing; over two equal ones the interval stays, too."""
    rng = np.random.default_rng(1)
    before = rng.random(400)
    after = before * 0.9 + rng.random(400) * 0.05
    alone, twice = kept_over_seeds(after[None], before[None]), kept_over_seeds(np.stack([after] * 2), np.stack([before] * 2))
    assert alone == pytest.approx(twice, rel=1e-12)
    assert alone == pytest.approx(paired_ratio_interval(after, before), rel=2e-3)


def test_answers_are_those_of_the_bundle(make_bundle: MakeBundle) -> None:
    """The list is what `recommend` gives, the target allowed though it was seen; asked again, it comes from the disk."""
    bundle = make_bundle(precision="int8")
    with Recommender.open(bundle) as opened:
        ids = opened.catalogue.ids
        listed = [one.id for one in opened.recommend(ids[:3], k=10)]
        repeated = [one.id for one in opened.recommend(ids[:3], k=10, exclude_seen=False, exclude=ids[1:3])]
    histories = [History(ids[:3], listed[4]), History(ids[:3], ids[0]), History(ids[:3], (set(ids[3:]) - {*listed}).pop())]
    found = scored(bundle, histories)
    assert [[ids[row] for row in line] for line in found.top] == [listed, repeated, listed]
    assert found.ranks.tolist() == [4, repeated.index(ids[0]) if ids[0] in repeated else 10, 10]
    kept = bundle.with_suffix(".scores.safetensors")
    stamp = kept.stat().st_mtime_ns
    assert np.array_equal(scored(bundle, histories).top, found.top)
    assert kept.stat().st_mtime_ns == stamp
    scored(bundle, histories[:2])  # other users
    assert kept.stat().st_mtime_ns != stamp


def test_items_weigh_their_codes_and_scales(make_bundle: MakeBundle) -> None:
    """What is scanned is told from the graph and from the table that is only looked at afterwards, to the byte."""
    bundle = make_bundle(precision="binary")
    found = weigh(bundle)
    with Bundle.open(bundle) as opened:
        sizes = {role: sum(one.nbytes for one in opened.table(role).parts().values()) for role in ("items", "rescore")}
        assert (found.items + found.shared, found.rescore) == (sizes["items"], sizes["rescore"])
        assert found.shared == opened.table("items").parts()["projection"].nbytes
        assert found.each == found.items / opened.manifest.catalogue.items
        assert found.network == sum(opened.members[one.member] for one in opened.manifest.encoders)
        assert found.model == opened.manifest.model_bytes


def test_pairs_take_turns() -> None:
    """Who goes first changes with every pair, and the ratio is of neighbours."""
    calls: list[str] = []
    milliseconds, ratio = beside(lambda _: calls.append("a"), lambda _: calls.append("b"), [(1, 1)], seconds=0)
    assert "".join(calls[:8]) == "abbaabba"
    assert milliseconds > 0
    assert ratio > 0
