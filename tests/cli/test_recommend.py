"""``edge-rec recommend``, as a person or a script calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper

from edge_rec.cli import main
from edge_rec_runtime import Feature, History, Recommender, errors, write_histories

MakeBundle = Callable[..., Path]


def run(*args: str | Path) -> Result:
    """Call the command within this process."""
    return CliRunner().invoke(main, ["recommend", *map(str, args)])


def test_it_shows_titles_and_says_what_it_ignored(make_bundle: MakeBundle) -> None:
    """The table stands on standard output, the warning beside it on standard error."""
    path = make_bundle(precision="binary")
    result = run(path, "--history", "i3", "--history", "nope", "--history", "i4", "-k", "3")
    with Recommender.open(path) as recommender:
        expected = recommender.recommend(["i3", "i4"], k=3)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rank", "id", "title", "score"]
    assert [line.split()[1] for line in lines[1:]] == list(expected.ids)
    assert f"The {expected.ids[0][1:]}. film, a façade" in lines[1]
    assert result.stderr == "1 that the bundle does not know were ignored: nope\n"


def test_unknown_histories_fall_back_and_say_so(make_bundle: MakeBundle) -> None:
    """Nothing known is no failure: the most popular items, one plain warning, exit 0."""
    path = make_bundle()
    for history in ([], ["--history", "nope"]):
        result = run(path, *history)
        assert result.exit_code == 0
        assert "these are the most popular items" in result.stderr
        assert len(result.stdout.splitlines()) == 11


def test_json_holds_all_of_an_answer(make_bundle: MakeBundle) -> None:
    """A script reads items, scores, titles, what was ignored, and who answered; standard error stays empty."""
    result = run(make_bundle(), "--history", "i3", "--history", "nope", "-k", "2", "--json")
    record = json.loads(result.stdout)
    assert [set(item) for item in record["items"]] == [{"id", "title", "score"}] * 2
    assert (record["ignored"], record["fallback"], record["backend"]) == (["nope"], False, "onnxruntime")
    plain = json.loads(run(make_bundle(plain=True), "--history", "i3", "--json").stdout)
    assert set(plain["items"][0]) == {"id", "score"}


def test_ids_are_text_and_nothing_else(make_bundle: MakeBundle) -> None:
    """Line breaks, escapes, commas and a shell's characters in an id do nothing but be unknown, on one line."""
    result = run(make_bundle(), "--history", "a\nb", "--history", "\x1b[2J", "--history", "$(id), é", "-k", "1")
    assert result.exit_code == 0
    assert "were ignored: a\\nb, \\x1b[2J, $(id), é\n" in result.stderr


def test_filters_and_exclusions_reach_the_request(make_bundle: MakeBundle) -> None:
    """Values of one attribute are alternatives, attributes are all required, ids may hold commas, seen items may come again."""
    path = make_bundle()
    result = run(path, "--history", "i3", "--where", "genres=Comedy", "--where", "year=1991", "--where", "year=1992", "--json")
    ids = [item["id"] for item in json.loads(result.stdout)["items"]]
    assert ids
    assert all(int(one[1:]) % 3 == 1 and int(one[1:]) % 5 in (1, 2) for one in ids)
    again = json.loads(
        run(path, "--history", "i3", "--exclude", ids[0], "--exclude", "a, b", "--seen", "-k", "60", "--json").stdout
    )
    found = [item["id"] for item in again["items"]]
    assert "i3" in found
    assert ids[0] not in found
    assert len(found) == 59


def test_a_file_of_histories_gets_an_answer_each(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """One table, or one JSON list, in the order of the file."""
    write_histories(tmp_path / "users.jsonl", [History(("i1",), user="ann"), History(("nope",), user="bob")])
    arguments = (make_bundle(), "--history-file", tmp_path / "users.jsonl", "-k", "2")
    shown = run(*arguments)
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["user", "ann", "ann", "bob", "bob"]
    assert "user bob: nothing of the history is known" in shown.stderr
    records = json.loads(run(*arguments, "--json").stdout)
    assert [(one["user"], one["fallback"]) for one in records] == [("ann", False), ("bob", True)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-k", "0"], 2, "0 is not in the range"),
        (["--where", "Comedy"], 2, "NAME=VALUE"),
        (["--backend", "tpu"], 2, "tpu"),
        (["--history", "i1", "--history-file", "x.jsonl"], 2, "not both"),
        (["--history-file", "missing.jsonl"], errors.DataError.exit_code, "missing.jsonl: no such file"),
        (["--where", "genre=Comedy"], errors.RequestError.exit_code, "did you mean 'genres'"),
        (["--where", "genres=comedy"], errors.RequestError.exit_code, "did you mean 'Comedy'"),
        (["--backend", "litert"], errors.BackendError.exit_code, "--to tflite"),
    ],
)
def test_mistakes_are_one_sentence(make_bundle: MakeBundle, arguments: list[str], code: int, message: str) -> None:
    """Each mistake has its exit code, and the message says what to do."""
    result = run(make_bundle(), *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_context_reaches_the_model(make_bundle: MakeBundle, mean_graph: Callable[..., bytes], tmp_path: Path) -> None:
    """Words of --context, or of a file's lines, are what the model takes; the file may know more of a user than the model."""
    model = onnx.load_from_string(mean_graph(np.eye(16, dtype=np.float32)))
    query = model.graph.node[-1]
    query.output[0] = "plain"
    model.graph.node.append(helper.make_node("Mul", ["plain", "hour"], ["query"]))
    model.graph.input.extend(
        [
            helper.make_tensor_value_info("hour", TensorProto.FLOAT, ["batch"]),
            helper.make_tensor_value_info("tags", TensorProto.INT32, ["batch", "words"]),
        ]
    )
    features = (Feature("hour", "number", "context"), Feature("tags", "categories", "context", ("new", "old"), 4))
    path = make_bundle(encoders={"onnx": model.SerializeToString()}, features=features)
    with Recommender.open(path) as recommender:
        expected = recommender.recommend(["i3"], context={"hour": -2, "tags": ["old"]}, k=3)
    words = ("--context", "hour=-2", "--context", "tags=old", "--context", "tags=odd")
    result = run(path, "--history", "i3", *words, "-k", "3", "--json")
    record = json.loads(result.stdout)
    assert ([item["id"] for item in record["items"]], record["ignored"]) == (list(expected.ids), ["tags=odd"])
    histories = [
        History(("i3",), context={"hour": -2, "tags": ["old"], "age": 25}),
        History(("i3",), context={"hour": 2, "tags": []}),
    ]
    write_histories(tmp_path / "users.jsonl", histories)
    records = json.loads(run(path, "--history-file", tmp_path / "users.jsonl", "-k", "3", "--json").stdout)
    assert [item["id"] for item in records[0]["items"]] == list(expected.ids) != [item["id"] for item in records[1]["items"]]
    both = run(path, "--history-file", tmp_path / "users.jsonl", *words)
    assert (both.exit_code, "--context with --history" in both.stderr) == (2, True)
    assert "the context lacks hour, tags" in run(path, "--history", "i3").stderr


def test_a_damaged_bundle_recommends_nothing(make_bundle: MakeBundle) -> None:
    """A flipped bit in a table, a truncated file and a foreign file exit with the code for bundles."""
    path = make_bundle()
    whole = path.read_bytes()
    middle = whole.index(b"\x93NUMPY") + 500
    for content in (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], whole[:-100], b"PK", b""):
        path.write_bytes(content)
        result = run(path, "--history", "i1")
        assert result.exit_code == errors.BundleError.exit_code
        assert str(path) in result.stderr
        assert result.stdout == ""
