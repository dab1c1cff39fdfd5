"""Recipes: which steps, in which order, and what becomes of the model then; TOML files, some of them shipped.

[recipe]
name = "low-rank"
description = "Item vectors at half the width."
dataset = "ml-1m"          # what it was made for; a hint for people

[[step]]
kind = "factorise"
items = true
rank = 32

[convert]                  # unless this is left out, bundles are made at the end
to = ["onnx", "tflite"]
precision = "int8"

[[achieved]]               # what it reached, and the command that shows it
dataset = "ml-1m"
bytes_ratio = 0.5
ndcg_kept = 0.97
command = "..."
"""

from __future__ import annotations

__all__ = ["Bundles", "Recipe", "load_recipe", "parse_recipe", "shipped_recipes"]

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec.compress.options import nearest, refuse_unknown
from edge_rec.compress.steps import make_step
from edge_rec_converters.targets import EMITTERS
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import CompressionError, EdgeRecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.compress.step import Step

_MOST_BYTES = 1 << 20
_PARTS = ("recipe", "step", "convert", "achieved")
_HEAD = ("name", "description", "model", "dataset")
_ACHIEVED = ("dataset", "bytes_ratio", "ndcg_kept", "overlap_at_10", "latency_ratio", "command")


@dataclass(frozen=True, kw_only=True)
class Bundles:
    """What is converted at the end.

    Attributes:
        targets: Keys of the converters' targets.
        precision: Of all bundles.
    """

    targets: tuple[str, ...]
    precision: Precision


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Steps in order.

    Attributes:
        name: Short, for lists and records.
        description: One or two sentences for people.
        steps: What is done, at least one.
        model: The model of the zoo that it is for, or None for any.
        dataset: The data set that it was made for, or None; it works with others.
        bundles: What is converted at the end, or None.
        achieved: What it reached, one record a data set.
    """

    name: str
    description: str = ""
    steps: tuple[Step, ...]
    model: str | None = None
    dataset: str | None = None
    bundles: Bundles | None = None
    achieved: tuple[Mapping[str, Any], ...] = ()


def shipped_recipes() -> dict[str, Recipe]:
    """Return the recipes that come with this package, by name."""
    files = sorted(one.name for one in _folder().iterdir() if one.name.endswith(".toml"))
    return {name.removesuffix(".toml"): load_recipe(name.removesuffix(".toml")) for name in files}


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe file, or one that comes with this package, by its name.

    Raises:
        CompressionError: There is no such recipe, or it cannot be followed; the message names the file.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.exists():
        try:
            with path.open("rb") as stream:
                content = stream.read(_MOST_BYTES + 1)
        except OSError as error:
            raise CompressionError(f"{path}: {error.strerror or error}; give the path of a recipe, or the name of one") from None
    else:
        known = [one.name.removesuffix(".toml") for one in _folder().iterdir() if one.name.endswith(".toml")]
        if name_or_path not in known:
            raise CompressionError(f"there is no recipe {name_or_path!r}; {nearest(name_or_path, sorted(known))}")
        content = (_folder() / f"{name_or_path}.toml").read_bytes()
    if len(content) > _MOST_BYTES:
        raise CompressionError(f"{path}: is larger than 1 MiB, so it is no recipe; give the path of a TOML file")
    try:
        return parse_recipe(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CompressionError(f"{path}: is not UTF-8 ({error}); give the path of a TOML file") from error
    except EdgeRecError as error:
        raise CompressionError(f"{path}: {error}") from error


def parse_recipe(text: str) -> Recipe:
    """Read a recipe from TOML.

    Raises:
        CompressionError: It is no TOML, has a key that means nothing, no step, or a step that cannot be made.
    """
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CompressionError(f"not TOML: {error}; mend that line") from error
    refuse_unknown("a recipe", read, _PARTS)
    head = _table(read, "recipe")
    refuse_unknown("[recipe]", head, _HEAD)
    for key, value in head.items():
        if not isinstance(value, str):
            raise CompressionError(f"[recipe]: {key}={value!r} is not a text; put it in quotes")
    if not head.get("name"):
        raise CompressionError("[recipe] has no name; give it one")
    return Recipe(
        steps=tuple(_step(number, table) for number, table in enumerate(_tables(read, "step", needed=True), 1)),
        bundles=_bundles(_table(read, "convert")) if "convert" in read else None,
        achieved=tuple(_achieved(table) for table in _tables(read, "achieved")),
        **head,
    )


def _step(number: int, table: Mapping[str, Any]) -> Step:
    if "kind" not in table:
        raise CompressionError(f'step {number} has no kind; add one, like kind = "prune"')
    try:
        return make_step(table["kind"], {name: value for name, value in table.items() if name != "kind"})
    except CompressionError as error:
        raise CompressionError(f"step {number}: {error}") from error


def _bundles(table: Mapping[str, Any]) -> Bundles:
    refuse_unknown("[convert]", table, ("to", "precision"))
    targets, precision = table.get("to", ["onnx"]), table.get("precision", "int8")
    if not isinstance(targets, list) or not targets or not all(isinstance(one, str) for one in targets):
        raise CompressionError(f'[convert]: to={targets!r} is not a list of targets, like ["onnx", "tflite"]')
    for target in targets:
        if target not in EMITTERS:
            raise CompressionError(f"[convert]: there is no target {target!r}; {nearest(target, EMITTERS)}")
    if not isinstance(precision, str):
        raise CompressionError(f'[convert]: precision={precision!r} is not a text, like "int8"')
    return Bundles(targets=tuple(dict.fromkeys(targets)), precision=Precision.parse(precision))


def _achieved(table: Mapping[str, Any]) -> Mapping[str, Any]:
    refuse_unknown("[[achieved]]", table, _ACHIEVED)
    return table


def _table(read: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = read.get(name)
    if not isinstance(table, dict):
        raise CompressionError(f"a recipe needs a table [{name}]; found {table!r:.60}")
    return table


def _tables(read: Mapping[str, Any], name: str, *, needed: bool = False) -> list[dict[str, Any]]:
    tables = read.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables) or (needed and not tables):
        raise CompressionError(f"a recipe has its {name}s as tables [[{name}]], {'at least one' if needed else 'or none'}")
    return tables


def _folder() -> Any:  # noqa: ANN401 - a path, or what stands for one inside an archive
    return resources.files("edge_rec.recipes")
