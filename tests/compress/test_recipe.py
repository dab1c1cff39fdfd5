"""Recipes are read as they are written, or refused in one sentence before any work."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.compress import check_composition, load_recipe, make_step, parse_recipe, shipped_recipes
from edge_rec.compress.steps import describe_step
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import CompressionError, EdgeRecError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '[recipe]\nname = "mine"\n'
STEP = '[[step]]\nkind = "factorise"\nitems = true\nrank = 4\n'


def test_all_parts_are_read() -> None:
    """Head, steps in order, bundles, and what was achieved."""
    recipe = parse_recipe(
        HEAD
        + 'description = "Two steps."\nmodel = "sasrec"\ndataset = "ml-1m"\n'
        + '[[step]]\nkind = "factorise"\nlayers = "encoder.*"\nenergy = 0.9\n'
        + STEP
        + '[convert]\nto = ["tflite", "onnx", "tflite"]\nprecision = "binary"\n'
        + '[[achieved]]\ndataset = "ml-1m"\nndcg_kept = 0.97\n'
    )
    assert [step.form for step in recipe.steps] == ["factorise:layers", "factorise:items"]
    assert (recipe.name, recipe.model, recipe.dataset) == ("mine", "sasrec", "ml-1m")
    assert recipe.bundles is not None
    assert recipe.bundles.targets == ("tflite", "onnx")
    assert recipe.bundles.precision == Precision.parse("binary")
    assert recipe.achieved == ({"dataset": "ml-1m", "ndcg_kept": 0.97},)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe = [", "not TOML"),
        (STEP, "needs a table [recipe]"),
        ("recipe = 3\n" + STEP, "needs a table [recipe]; found 3"),
        ("[recipe]\n" + STEP, "has no name"),
        ("[recipe]\nname = 3\n" + STEP, "name=3 is not a text"),
        ('[recipe]\nname = "a"\nauthor = "b"\n' + STEP, "[recipe] has no option 'author'"),
        (HEAD, "[[step]], at least one"),
        (HEAD + 'step = "prune"\n', "has no option 'step'"),
        (HEAD + "[step]\nkind = 3\n", "as tables [[step]]"),
        (HEAD + "[[steps]]\nkind = 3\n", "a recipe has no option 'steps'; did you mean 'step'?"),
        (HEAD + "[[step]]\nrank = 3\n", "step 1 has no kind"),
        (HEAD + STEP + '[[step]]\nkind = "factorize"\n', "step 2: there is no step 'factorize'; did you mean 'factorise'?"),
        (HEAD + STEP + "rnak = 3\n", "step 1: factorise has no option 'rnak'; did you mean 'rank'?"),
        (HEAD + STEP + "epochs = 1.5\n", "step 1: factorise: epochs=1.5"),
        (HEAD + STEP + '[convert]\nto = "onnx"\n', "is not a list of targets"),
        (HEAD + STEP + '[convert]\nto = ["onx"]\n', "there is no target 'onx'; did you mean 'onnx'?"),
        (HEAD + STEP + '[convert]\nprecision = "int9"\n', "int9"),
        (HEAD + STEP + "[convert]\nprecision = 8\n", "precision=8 is not a text"),
        (HEAD + STEP + "[convert]\nprecison = 8\n", "did you mean 'precision'?"),
        (HEAD + STEP + "[[achieved]]\nndcg = 1\n", "[[achieved]] has no option 'ndcg'"),
    ],
)
def test_what_cannot_be_followed_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """The message names the file, the step, the word, and the nearest known one."""
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(CompressionError) as caught:
        load_recipe(str(tmp_path / "mine.toml"))
    assert str(caught.value).startswith(f"{tmp_path / 'mine.toml'}: ")
    assert said in str(caught.value)


@given(st.text(max_size=80))
def test_any_text_is_a_recipe_or_one_of_our_errors(text: str) -> None:
    """Nothing that a file may hold ends in another error."""
    with contextlib.suppress(EdgeRecError):
        parse_recipe(HEAD + text)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "not UTF-8"), (b"#" * (2 << 20), "larger than 1 MiB"), (b"a = " + b"[" * 100_000, "not TOML")],
)
def test_hostile_files_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    """Whatever the bytes, one sentence."""
    (tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(CompressionError, match=said):
        load_recipe(str(tmp_path / "mine.toml"))


def test_a_byte_order_mark_is_no_part_of_a_recipe(tmp_path: Path) -> None:
    """Some editors begin every file with one."""
    text = '[recipe]\nname = "mine"\n[[step]]\nkind = "prune"\nsparsity = 0.5\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8-sig")
    assert load_recipe(str(tmp_path / "mine.toml")).name == "mine"


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    """A path is told as a path, a name as a name with the nearest one."""
    with pytest.raises(CompressionError, match="No such file"):
        load_recipe(str(tmp_path / "none.toml"))
    with pytest.raises(CompressionError, match="did you mean 'low-rank'"):
        load_recipe("low-rank-item")
    with pytest.raises(CompressionError, match="directory"):
        load_recipe(str(tmp_path))


def test_shipped_recipes_can_be_followed() -> None:
    """Each is named as its file, says what it does, composes, and its steps can be made of what is recorded of them."""
    found = shipped_recipes()
    assert found
    for name, recipe in found.items():
        assert recipe.name == name
        assert recipe.description
        check_composition([describe_step(step) for step in recipe.steps])
        for step in recipe.steps:
            described = describe_step(step)
            assert make_step(described["kind"], described["options"]) == step
