"""What can be refused of a compression before any of it is done."""

from __future__ import annotations

__all__ = ["require_fitting", "split_of"]

from typing import TYPE_CHECKING, Any

from edge_rec.compress.composition import check_composition
from edge_rec.models import fingerprint
from edge_rec.training import prepared
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec.compress.recipe import Recipe
    from edge_rec.data import Dataset, Split
    from edge_rec.models import Model


def require_fitting(recipe: Recipe, model: Model, past: Sequence[Mapping[str, Any]], *, data: bool) -> None:
    """Refuse a recipe that cannot be followed from a model on.

    Args:
        recipe: What is asked for.
        model: The start.
        past: Records of the steps that the model has behind it.
        data: Whether there is a log to look at.

    Raises:
        CompressionError: It is for another model, its steps do not compose, or one of them looks at data and there are none.
    """
    if not recipe.steps:
        raise CompressionError("nothing to do: there is no step; give a recipe, or a step with --step")
    if recipe.model is not None and recipe.model != model.name:
        raise CompressionError(f"the recipe {recipe.name} is for {recipe.model}, and this is {model.name}; choose another recipe")
    if model.source().kind == "ranker":
        raise CompressionError(
            f"{model.name} is a ranker, and the steps are for models that search a catalogue; `edge-rec convert` makes it small"
        )
    forms = [str(one.get("form")) for one in past]
    check_composition([*forms, *(step.form for step in recipe.steps)], done=len(forms))
    if needing := [step.form for step in recipe.steps if step.needs_data and not data]:
        raise CompressionError(
            f"{needing[0]} looks at data, and none was given; name the log that the model was trained on with --dataset"
        )
    recipe.steps[0].requires(model)


def split_of(dataset: Dataset, config: Mapping[str, Any], model: Model) -> Split:
    """Return the log as the model was trained on it.

    Args:
        dataset: The log.
        config: The model's ``config.json``.
        model: The model.

    Raises:
        CompressionError: The log has other items, or it is not known how it was filtered.
    """
    data = config.get("dataset")
    core = data.get("core") if isinstance(data, dict) else None
    if type(core) is not int:
        raise CompressionError("config.json does not say how the log was filtered that the model was trained on; train it again")
    split, catalogue = prepared(dataset, core=core)
    if fingerprint(catalogue) != fingerprint(model.catalogue):
        raise CompressionError(
            f"{dataset.name} gives {len(catalogue)} items, the model has {len(model.catalogue)}, and their ids or order differ; "
            "give the log that it was trained on"
        )
    events = len(split.test_histories.items) + len(split.test)
    for name, count in (("users", len(split.test)), ("events", events)):
        if type(known := data.get(name)) is int and known != count:  # type: ignore[union-attr]  # a mapping, it has a core
            raise CompressionError(
                f"{dataset.name} gives {count:,} {name}, the model was trained on {known:,}; give the log that it was trained on"
            )
    return split
