"""The compressed models that are measured: by which recipe, in which precision, and what was asked of them."""

from __future__ import annotations

__all__ = [
    "CURVES",
    "FURTHER",
    "MAIN",
    "PERCENTS",
    "TEACHER",
    "VARIANTS",
    "Goal",
    "Variant",
    "identity_of",
    "precision_of",
    "recipe_of",
]

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge_rec.compress import Recipe, describe_step, load_recipe, make_step

if TYPE_CHECKING:
    from edge_rec.compress import Step

PERCENTS = (50, 80, 90)
TEACHER = "fp32"
_FITTED = 20  # steps of a fit of item codes for each epoch that a step may train
_EPOCHS = 3  # of each point of a curve: the criteria are held against each other, not against the main rows
_RATE = 2e-3  # of their fine-tuning; at a quarter of it three epochs mend little


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a row is to reach.

    Attributes:
        size: The column that says how small it is.
        most: The largest value of it.
        kept: Least share of the teacher's NDCG@10.
        overlap: Least overlap@10, or None.
        network_latency: Largest ratio of the network's time to the teacher's, or None.
    """

    size: str
    most: float
    kept: float
    overlap: float | None = None
    network_latency: float | None = None


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to make the teacher smaller.

    Attributes:
        title: What is done, in words.
        recipe: Name of a shipped recipe; None where converting is all that is done.
        steps: Steps in one word each, where there is no recipe of that name.
        precision: Of the bundles; None for the recipe's own.
        goal: What it is to reach; None where it is only looked at.
    """

    title: str
    recipe: str | None = None
    steps: tuple[tuple[str, dict[str, object]], ...] = ()
    precision: str | None = None
    goal: Goal | None = None


def identity_of(variant: Variant, *, epochs: int | None = None) -> str:
    """Return what tells whether something was made by the variant as it is now, its recipe included.

    Args:
        variant: The variant.
        epochs: Of `recipe_of`.

    Raises:
        CompressionError: Its recipe is not shipped.
    """
    recipe = recipe_of(variant, epochs=epochs)
    steps = [] if recipe is None else [describe_step(step) for step in recipe.steps]
    return hashlib.sha256(json.dumps([steps, precision_of(variant)], sort_keys=True).encode()).hexdigest()[:16]


def precision_of(variant: Variant) -> str:
    """Return the precision of its bundles, in words of the grammar.

    Raises:
        CompressionError: Its recipe is not shipped.
    """
    if variant.precision is not None:
        return variant.precision
    recipe = recipe_of(variant)
    return "fp32" if recipe is None or recipe.bundles is None else recipe.bundles.precision.slug


def recipe_of(variant: Variant, *, epochs: int | None = None) -> Recipe | None:
    """Return the steps of a variant, or None where there are none.

    Args:
        variant: The variant.
        epochs: The most that any step may train, and with it the most of its other rounds; None for those of the recipe.

    Raises:
        CompressionError: Its recipe is not shipped.
    """
    if variant.recipe is not None:
        found = load_recipe(variant.recipe)
    elif variant.steps:
        steps = tuple(make_step(kind, options) for kind, options in variant.steps)
        found = Recipe(name="steps", description=variant.title, steps=steps)
    else:
        return None
    return found if epochs is None else replace(found, steps=tuple(_shortened(step, epochs) for step in found.steps))


def _shortened(step: Step, epochs: int) -> Step:
    """Return a step that trains no longer than ``epochs``; one that does not train still does not."""
    options: dict[str, Any] = describe_step(step)["options"]
    most = {"epochs": epochs, "gate_epochs": epochs, "fit": _FITTED * epochs}
    changed = {name: limit for name, limit in most.items() if options.get(name) is not None and options[name] > limit}
    if step.kind in {"distil", "prune"} and options["epochs"] is None:  # as many as are usual
        changed["epochs"] = epochs
    if options.get("criterion") != "l0":
        changed.pop("gate_epochs", None)
    return replace(step, **changed)  # type: ignore[type-var]  # every step is a dataclass


def _pruned(percent: int, most: float, kept: float) -> Variant:
    return Variant(
        title=f"{percent} % of all weights pruned, stored without their zeros",
        recipe=f"prune-{percent}",
        precision="fp32",
        goal=Goal(size="bytes_ratio", most=most, kept=kept),
    )


MAIN: dict[str, Variant] = {
    "int8": Variant(
        title="everything int8, after training",
        precision="int8",
        goal=Goal(size="bytes_ratio", most=0.30, kept=0.997, overlap=0.985),
    ),
    "int4-items": Variant(
        title="items int4, after training",
        precision="items=int4",
        goal=Goal(size="item_bytes_ratio", most=0.15, kept=0.99, overlap=0.92),
    ),
    "binary-only": Variant(
        title="items in trained binary codes, nothing beside them",
        recipe="binary-items",
        precision="items=binary",
        goal=Goal(size="item_bytes_each", most=12, kept=0.95),
    ),
    "binary": Variant(
        title="items scanned in binary codes, the best 100 scored again in int8",
        recipe="binary-rescored",
        precision="items=binary,rescore=int8",
        goal=Goal(size="item_bytes_each", most=12, kept=0.997, overlap=0.99),
    ),
    "pq-items": Variant(
        title="items in trained product codes",
        recipe="pq-items",
        precision="items=pq",
        goal=Goal(size="item_bytes_each", most=8, kept=0.94),
    ),
    "prune-50": _pruned(50, 0.60, 0.98),
    "prune-80": _pruned(80, 0.35, 0.93),
    "prune-90": _pruned(90, 0.22, 0.85),
    "prune-structured": Variant(
        title="neurons and heads cut out of the network",
        recipe="prune-structured",
        precision="fp32",
        goal=Goal(size="network_bytes_ratio", most=0.55, kept=0.97, network_latency=0.7),
    ),
    "distil": Variant(
        title="a smaller student, taught by the teacher",
        recipe="distil",
        goal=Goal(size="bytes_ratio", most=1 / 8, kept=0.95),
    ),
    "low-rank": Variant(
        title="the item table as a product of two, at a quarter of the width",
        recipe="low-rank",
        precision="fp32",
        goal=Goal(size="item_bytes_ratio", most=0.25, kept=0.92),
    ),
    "stacked": Variant(
        title="several steps after one another",
        recipe="tiny-sasrec",
        precision="items=int4,network=int8",
        goal=Goal(size="bytes_ratio", most=1 / 16, kept=0.93),
    ),
}


def _further(words: str, **options: object) -> Variant:
    """Return the teacher trained on: a student that begins with all of its weights."""
    return Variant(
        title=f"the teacher trained on {words}, nothing made smaller",
        steps=(("distil", {"student": "sasrec", **options}),),
        precision="fp32",
    )


# What variants would gain by their training alone: the teacher has as much of it; the best epoch counts, by validation.
FURTHER: dict[str, Variant] = {
    "fp32-further": _further("for 8 epochs at the rate of most recipes", weight=0, epochs=8, learning_rate=2e-3),
    "fp32-further-usual": _further("for 8 epochs at the rate of its own training", weight=0, epochs=8),
    "fp32-further-taught": _further(
        "as most recipes do it, for 10 epochs with its own answers for a teacher",
        weight=0.8,
        epochs=10,
        learning_rate=3e-3,
        options={"dropout": 0.1},
    ),
}

# Criteria of single weights, all else alike: at one stroke, then the same short fine-tuning.
_WEIGHTS = ("random", "magnitude", "gradient", "sensitivity", "weight-change", "l0")
# Those of whole units, and the same control beside them.
_UNITS = {
    "variance": ("variance", "neurons"),
    "mutual-information": ("mutual-information", "neurons"),
    "random-neurons": ("random", "neurons"),
}


def _curve(criterion: str, unit: str, percent: int) -> Variant:
    options = {
        "criterion": criterion,
        "unit": unit,
        "sparsity": percent / 100,
        "epochs": _EPOCHS,
        "learning_rate": _RATE,
    }
    what = "all weights" if unit == "weights" else f"the {unit}"
    return Variant(title=f"{percent} % of {what} pruned by {criterion}", steps=(("prune", options),), precision="fp32")


CURVES: dict[str, Variant] = {
    f"curve-{name}-{percent}": _curve(criterion, unit, percent)
    for name, (criterion, unit) in ({one: (one, "weights") for one in _WEIGHTS} | _UNITS).items()
    for percent in PERCENTS
}

VARIANTS: dict[str, Variant] = {TEACHER: Variant(title="the teacher itself", precision="fp32")} | FURTHER | MAIN | CURVES
