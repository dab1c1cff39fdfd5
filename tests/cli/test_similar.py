"""``edge-rec similar``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec_runtime import Recommender, errors

MakeBundle = Callable[..., Path]


def test_it_lists_what_the_recommender_finds(make_bundle: MakeBundle) -> None:
    """The table and the JSON hold the same items, titles beside them."""
    path = make_bundle(precision="int8")
    with Recommender.open(path) as recommender:
        expected = list(recommender.similar("i5", 3).ids)
    shown = CliRunner().invoke(main, ["similar", str(path), "i5", "-k", "3"]).stdout.splitlines()
    assert shown[0].split() == ["id", "title", "similarity"]
    assert [line.split()[0] for line in shown[1:]] == expected
    record = json.loads(CliRunner().invoke(main, ["similar", str(path), "i5", "-k", "3", "--json"]).stdout)
    assert (record["item"], [item["id"] for item in record["items"]]) == ("i5", expected)


def test_an_unknown_item_names_the_nearest(make_bundle: MakeBundle) -> None:
    """A title typed as an id leads to the id."""
    result = CliRunner().invoke(main, ["similar", str(make_bundle()), "the 17. film"])
    assert result.exit_code == errors.RequestError.exit_code
    assert "'i17' (The 17. film, a façade)" in result.stderr
