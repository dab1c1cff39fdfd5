"""``edge-rec rank``, as a person or a script calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_rec.cli import main
from edge_rec_runtime import Ranker, errors

MakeBundle = Callable[..., Path]
CONTEXT = ("--context", "age=25", "--context", "history=i3", "--context", "history=i7", "--context", "hour=13")


def run(*args: str | Path) -> Result:
    """Call the command within this process."""
    return CliRunner().invoke(main, ["rank", *map(str, args)])


def test_it_shows_candidates_best_first(make_ranker: MakeBundle) -> None:
    """Words, repeated words and numbers of --context reach the model; what is unknown is said on standard error."""
    path = make_ranker()
    result = run(path, "--candidate", "i1", "--candidate", "nope", "--candidate", "i2", "--candidate", "i9", *CONTEXT)
    with Ranker.open(path) as ranker:
        expected = ranker.rank(["i1", "i2", "i9"], {"age": "25", "history": ["i3", "i7"], "hour": 13})
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rank", "id", "title", "score"]
    assert [line.split()[1] for line in lines[1:]] == list(expected.ids)
    assert result.stderr == "1 that the bundle does not know were ignored: nope\n"


def test_json_holds_all_of_an_answer(make_ranker: MakeBundle) -> None:
    """A script reads items, scores, what was ignored, and who answered; NAME= is a list of nothing."""
    arguments = (
        "--candidate",
        "i1",
        "--candidate",
        "i2",
        "--context",
        "age=99",
        "--context",
        "history=",
        "--context",
        "hour=1e0",
    )
    record = json.loads(run(make_ranker(), *arguments, "-k", "1", "--json").stdout)
    assert [set(item) for item in record["items"]] == [{"id", "title", "score"}]
    assert (record["ignored"], record["backend"]) == (["age=99"], "onnxruntime")


def test_a_file_of_requests_gets_an_answer_each(make_ranker: MakeBundle, tmp_path: Path) -> None:
    """One list in the order of the file; what else a file knows of a user is not the model's business."""
    context = {"age": "25", "history": ["i3"], "hour": 2, "zip": "94110"}
    lines = [
        {"candidates": ["i1", "i2"], "context": context, "user": "ann"},
        {"candidates": ["i9"], "context": context | {"hour": 3.5}},
    ]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    records = json.loads(run(make_ranker(), "--request-file", tmp_path / "r.jsonl", "--json").stdout)
    assert [(one["user"], len(one["items"])) for one in records] == [("ann", 2), (None, 1)]
    shown = run(make_ranker(), "--request-file", tmp_path / "r.jsonl")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["user", "ann", "ann", "-"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give --candidate"),
        (("--candidate", "i1", "--request-file", "r.jsonl"), 2, "--request-file alone"),
        (("--request-file", "r.jsonl", *CONTEXT), 2, "--request-file alone"),
        (("--candidate", "i1", "--context", "age"), 2, "NAME=VALUE"),
        (("--candidate", "i1", *CONTEXT, "--context", "age=18"), 2, "age stands 2 times and takes one value"),
        (("--candidate", "i1", *CONTEXT[:-1], "hour=noon"), 2, "hour=noon is no number"),
        (("--candidate", "i1", *CONTEXT[:-1], "hour=nan"), errors.RequestError.exit_code, "expected a finite number"),
        (("--candidate", "i1", *CONTEXT, "--context", "agee=1"), errors.RequestError.exit_code, "did you mean 'age'"),
        (("--candidate", "i1"), errors.RequestError.exit_code, "the context lacks age, history, hour"),
        (("--request-file", "missing.jsonl"), errors.DataError.exit_code, "missing.jsonl: no such file"),
    ],
)
def test_mistakes_are_one_sentence(make_ranker: MakeBundle, arguments: tuple[str, ...], code: int, message: str) -> None:
    """Each mistake has its exit code, and the message says what to do."""
    result = run(make_ranker(), *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"candidates": "i1"}', "no list of ids under 'candidates'"),
        ('{"history": ["i1"]}', "no list of ids under 'candidates'"),
        ('{"candidates": ["i1"], "context": ["age"]}', "expected values by name"),
        ('{"candidates": ["i1"], "context": {"age": {"a": 1}}}', "expected values by name"),
        ('{"candidates": ["i1"], "user": 3}', "user is 3"),
        ("[]", "is no object"),
        ("", "holds no request"),
    ],
)
def test_a_line_that_is_no_request_is_named(make_ranker: MakeBundle, tmp_path: Path, line: str, message: str) -> None:
    """A broken file is refused in one sentence."""
    (tmp_path / "r.jsonl").write_text(line)
    result = run(make_ranker(), "--request-file", tmp_path / "r.jsonl")
    assert result.exit_code == errors.DataError.exit_code
    assert message in result.stderr


def test_bundles_of_other_kinds_say_what_opens_them(
    make_ranker: MakeBundle, make_bundle: MakeBundle, make_neighbours: MakeBundle
) -> None:
    """The message names the command that fits; the device's other commands take a table of neighbours as they take vectors."""
    for other in (make_bundle(), make_neighbours()):
        result = run(other, "--candidate", "i1")
        assert (result.exit_code, "edge-rec recommend" in result.stderr) == (errors.RequestError.exit_code, True)
    refused = CliRunner().invoke(main, ["recommend", str(make_ranker()), "--history", "i1"])
    assert (refused.exit_code, "edge-rec rank" in refused.stderr) == (errors.RequestError.exit_code, True)
    for command in (["recommend", "--history", "i3"], ["similar", "i3"], ["inspect"]):
        shown = CliRunner().invoke(main, [command[0], str(make_neighbours()), *command[1:]])
        assert shown.exit_code == 0, shown.stderr
        assert len(shown.stdout.splitlines()) >= 5


def test_inspect_shows_the_features(make_ranker: MakeBundle) -> None:
    """Kind, features and vocabularies of a ranker stand beside its sizes."""
    path = make_ranker()
    record = json.loads(CliRunner().invoke(main, ["inspect", str(path), "--json"]).stdout)
    assert (record["kind"], record["dims"], record["encoders"], record["runs_here"]) == (
        "ranker",
        None,
        ["onnx"],
        ["onnxruntime"],
    )
    assert record["features"]["tags"] == "categories of item, 3 words, at most 3"
    assert record["features"]["hour"] == "number of context"
    assert "hour number of context" in CliRunner().invoke(main, ["inspect", str(path)]).stdout
