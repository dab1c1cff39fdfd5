"""A recipe is followed once: what is done is kept, what was interrupted goes on, what cannot be is refused at once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from walking_log import walks

from edge_rec.compress import Given, Recipe, compress, make_step, parse_step, provenance
from edge_rec.compress.folders import identities
from edge_rec.compress.heldout import HeldOutEvents
from edge_rec.compress.prune import Prune
from edge_rec.metrics import held_out
from edge_rec.models import Network, load_run, read_config
from edge_rec.training import prepared
from edge_rec_converters import convert, prepare
from edge_rec_converters.metrics import ndcg_at_k, overlap_at_k
from edge_rec_runtime import Bundle, Precision, read_histories, write_histories
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.compress import Outcome
    from edge_rec.data import Dataset
    from edge_rec.models import Model, SASRec

HALF = parse_step("prune:unit=neighbours,sparsity=0.5")
THIRD = parse_step("prune:unit=neighbours,sparsity=0.67")
TUNED = parse_step("factorise:items=true,rank=4,weighted=true,epochs=1")


def _recipe(*words: object) -> Recipe:
    return Recipe(name="mine", steps=words)  # type: ignore[arg-type]  # steps


def _same(one: Model, other: Model) -> bool:
    mine, others = one.weights(), other.weights()
    return set(mine) == set(others) and all(np.array_equal(value, others[name]) for name, value in mine.items())


@pytest.fixture(scope="module")
def done(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a recipe of two steps, followed without a log."""
    output = tmp_path_factory.mktemp("compressed") / "out"
    compress(run, _recipe(HALF, THIRD), output)
    return output


def test_each_step_is_a_run_of_its_own(run: Path, done: Path) -> None:
    """Folders in order, the last the same as the result; records grow by one a step; nothing is left of the work."""
    steps = sorted((done / "steps").iterdir())
    assert [one.name for one in steps] == ["01-prune", "02-prune"]
    assert [len(read_config(one)["compression"]) for one in (*steps, done)] == [1, 2, 2]
    assert _same(load_run(steps[1]), load_run(done))
    assert not (done / "work").exists()
    config = read_config(done)
    assert config["dataset"] == read_config(run)["dataset"]
    assert config["recipe"]["name"] == "mine"
    for part in ("validation", "test"):
        assert (done / "heldout" / f"{part}.jsonl").read_bytes() == (run / "heldout" / f"{part}.jsonl").read_bytes()


def test_the_effect_is_what_the_models_give(run: Path, done: Path, log: Dataset) -> None:
    """Weights, quality and overlap of a record are those of the models; fewer weights are fewer bytes."""
    split, _ = prepared(log, core=5)
    start, small = load_run(run), load_run(done)
    before, after = (held_out(one.source(), split.train, split.validation, k=10) for one in (start, small))
    effect = read_config(done)["compression"][1]["effect"]
    assert effect["parameters"] == sum(value.size for value in small.weights().values())
    assert effect["nonzeros"] <= effect["parameters"]
    assert effect["ndcg_at_10"] == pytest.approx(ndcg_at_k(after.ranks).mean())
    assert effect["ndcg_kept"] == pytest.approx(ndcg_at_k(after.ranks).mean() / ndcg_at_k(before.ranks).mean())
    assert effect["overlap_at_10"] == pytest.approx(overlap_at_k(before.top, after.top).mean())
    first = read_config(done)["compression"][0]["effect"]
    assert effect["model_bytes"] < first["model_bytes"]
    assert first["bytes_ratio"] < 1
    assert effect["latency_ratio"] > 0


def test_a_share_of_nothing_is_null(run: Path, tmp_path: Path) -> None:
    """Where the start has NDCG@10 of 0, what is kept of it is no number: null in the file, and said; a bundle can be made."""
    start = tmp_path / "start"
    shutil.copytree(run, start)
    model, path = load_run(run), start / "heldout" / "validation.jsonl"
    known = HeldOutEvents.read(run, "validation", model.catalogue)
    top = [{model.catalogue.ids[row] for row in rows if row >= 0} for rows in known.ask(model).top]
    far = [min({*model.catalogue.ids} - near - {*one.events}) for one, near in zip(known.histories, top, strict=True)]
    write_histories(path, [replace(one, target=item) for one, item in zip(known.histories, far, strict=True)])
    config = compress(start, _recipe(HALF), tmp_path / "out")
    record = config["compression"][0]
    assert (record["effect"]["ndcg_kept"], record["effect"]["ndcg_kept_ci"]) == (None, [None, None])
    assert "NDCG@10 of 0 on the validation events" in record["outcome"]["remarks"][-1]
    text = (tmp_path / "out" / "config.json").read_text()
    assert "NaN" not in text
    json.dumps(provenance(config), allow_nan=False)


def test_held_out_events_are_missed_before_any_work(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test events are needed at the end, and asked for at the start."""
    start = tmp_path / "start"
    shutil.copytree(run, start)
    (start / "heldout" / "test.jsonl").unlink()
    monkeypatch.setattr(Prune, "run", _interrupted)
    with pytest.raises(DataError, match=r"heldout/test\.jsonl: no such file"):
        compress(start, _recipe(HALF), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_finished_compression_is_taken_as_it_is(run: Path, done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same recipe computes nothing again; another one, another seed or another model is refused."""
    monkeypatch.setattr(Prune, "run", _interrupted)
    assert compress(run, _recipe(HALF, THIRD), done) == read_config(done)
    with pytest.raises(CompressionError, match="another model, recipe or log"):
        compress(run, _recipe(HALF), done)
    with pytest.raises(CompressionError, match="another model, recipe or log"):
        compress(run, _recipe(HALF, THIRD), done, seed=1)


def _interrupted(step: Prune, model: Model, given: Given) -> Outcome:
    raise KeyboardInterrupt


def test_an_interrupted_recipe_goes_on(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: Path) -> None:
    """The steps that were done are not done again, and the result is that of a run without a break."""
    whole, ran = Prune.run, []

    def once(step: Prune, model: Model, given: Given) -> Outcome:
        ran.append(step)
        if len(ran) == 2:
            raise KeyboardInterrupt
        return whole(step, model, given)

    monkeypatch.setattr(Prune, "run", once)
    with pytest.raises(KeyboardInterrupt):
        compress(run, _recipe(HALF, THIRD), tmp_path / "out")
    assert not (tmp_path / "out" / "config.json").exists()
    compress(run, _recipe(HALF, THIRD), tmp_path / "out")
    assert ran == [HALF, THIRD, THIRD]
    assert _same(load_run(tmp_path / "out"), load_run(done))


def test_a_changed_step_is_done_again_with_all_after_it(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options, and what comes before, decide whether a step that is there may be taken."""
    output, whole, ran = tmp_path / "out", Prune.run, []
    compress(run, _recipe(HALF, THIRD), output)
    first = load_run(output)
    (output / "config.json").unlink()

    def counted(step: Prune, model: Model, given: Given) -> Outcome:
        ran.append(step)
        return whole(step, model, given)

    monkeypatch.setattr(Prune, "run", counted)
    other = replace(HALF, sparsity=0.25)  # type: ignore[type-var]  # a dataclass
    compress(run, _recipe(other, THIRD), output)
    assert ran == [other, THIRD]
    assert not _same(load_run(output), first)


def test_teachers_count_by_what_they_hold(trained_run: Path, tmp_path: Path) -> None:
    """Where a teacher's folder holds another model by now, what was learnt from the first is not taken."""
    teacher, config = tmp_path / "teacher", read_config(trained_run)
    shutil.copytree(trained_run, teacher)
    step = make_step("distil", {"teachers": [str(teacher)]})
    first, again = (identities([HALF, step], trained_run, config, seed=0, split=None) for _ in range(2))
    assert first == again
    with (teacher / "weights.safetensors").open("ab") as stream:
        stream.write(b" ")
    other = identities([HALF, step], trained_run, config, seed=0, split=None)
    assert (other[0] == first[0], other[1] == first[1]) == (True, False)


def test_with_a_log_a_step_may_train(trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """The record has its epochs; a later compression starts from the result and has its records behind it."""
    config = compress(trained_run, _recipe(TUNED), tmp_path / "one", dataset=log)
    assert [one["epoch"] for one in config["compression"][0]["outcome"]["epochs"]] == [0, 1]
    config = compress(tmp_path / "one", _recipe(parse_step("factorise:items=true,rank=2")), tmp_path / "two")
    assert [one["form"] for one in config["compression"]] == ["factorise:items", "factorise:items"]


def test_a_bundle_says_what_was_done(done: Path, tmp_path: Path) -> None:
    """The command that converts it hands the records over, and the bundle answers as the model does."""
    test, config = read_histories(done / "heldout" / "test.jsonl"), read_config(done)
    made = prepare(load_run(done).source(), test)
    path, metadata = tmp_path / "small.edgerec", provenance(config)
    found = convert(made, target="onnx", precision=Precision(), output=path, metadata=metadata)
    assert found.verification.passed
    with Bundle.open(path) as bundle:
        assert bundle.manifest.provenance["compression"] == metadata["compression"]
    assert [one["form"] for one in metadata["compression"]] == ["prune:weights", "prune:weights"]


def test_nothing_is_begun_that_cannot_be_finished(run: Path, trained_run: Path, tmp_path: Path) -> None:
    """No folder is made where the log is missing or another, steps do not compose, or the model is not meant."""
    output = tmp_path / "out"
    cases = [
        (_recipe(HALF), walks(items=20), "ids or order differ"),
        (_recipe(HALF), walks(users=39), "gives 39 users, the model was trained on 40"),
        (_recipe(HALF), walks(events=9), "gives 360 events, the model was trained on 400"),
        (_recipe(), None, "there is no step"),
        (replace(_recipe(HALF), model="gru4rec"), None, "is for gru4rec, and this is item-item"),
        (_recipe(parse_step("factorise:items=true,rank=2")), None, "item-item is no network"),
    ]
    for recipe, dataset, said in cases:
        with pytest.raises(CompressionError, match=said):
            compress(run, recipe, output, dataset=dataset)
        assert not output.exists()
    with pytest.raises(CompressionError, match="factorise:items looks at data, and none was given"):
        compress(trained_run, _recipe(TUNED), output)
    assert not output.exists()


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("factorise:items=true,rank=4", "quantise:to=pq,pieces=9"), "step 2, quantise:pq, after those before it: .*pieces=9"),
        (("distil:student=sasrec,options={dims=8},epochs=1", "factorise:items=true,rank=12"), "step 2, .* rank=12 is above"),
        (("distil:student=gru4rec,options={dims=8},epochs=1", "prune:unit=heads,sparsity=0.5"), "step 2, .* is for SASRec"),
        (("factorise:items=true,rank=15", "prune:sparsity=0.5"), "step 1, factorise:items: .* no fewer weights"),
        (("quantise:to=pq,fit=9", "quantise:to=int8"), "step 2, quantise:int8-items, cannot come after step 1, quantise:pq"),
        (("prune:sparsity=0.5", "distil:teachers=['nobody'],epochs=1"), "step 2, distil, cannot come after"),
        (("distil:epochs=1", "distil:teachers=['nobody'],epochs=1"), "step 2, distil, after those before it: nobody"),
    ],
)
def test_a_later_step_is_refused_before_the_first(
    trained_run: Path, log: Dataset, tmp_path: Path, steps: tuple[str, ...], said: str
) -> None:
    """What the form of the model decides is known before anything is trained: no folder is made."""
    with pytest.raises(CompressionError, match=said):
        compress(trained_run, _recipe(*map(parse_step, steps)), tmp_path / "out", dataset=log)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    [
        "distil:student=sasrec,options={dims=8,heads=2},weight=0",
        "factorise:items=true,rank=4,weighted=true,epochs=2,distil=0.5,dropout=0.1",
        "factorise:layers=encoder.*,share=0.5",
        "prune:unit=neurons+heads,scope=layer,sparsity=0.5,criterion=gradient",
        "prune:unit=dims,sparsity=0.5",
        "prune:unit=rows,sparsity=0.2",
        "quantise:to=int8,epochs=2,dropout=0.1",
        "quantise:to=int4",
        "quantise:to=pq,pieces=4",
        "quantise:to=binary-items,bits=24",
        "quantise:to=binary-items,rescore=true",
        "quantise:to=binary-items,rescore=true,rotate=true",
        "quantise:to=binary-network",
        "quantise:to=fixed-point,bits=8",
    ],
)
def test_an_outline_has_the_form_of_the_result(model: SASRec, log: Dataset, tmp_path: Path, text: str) -> None:
    """Shapes, structure and codes are those that the step leaves, once it has looked at data; nothing is written."""
    split, _ = prepared(log, core=5)
    given = Given(split=split, dataset=log.name, catalogue=model.catalogue, seed=0, folder=tmp_path / "none")
    step = parse_step(text)
    outline = step.outline(model, given)
    assert isinstance(outline, Network)
    assert not given.folder.exists()
    short = {name: 1 for name in ("epochs", "fit") if getattr(step, name, None)}
    made = replace(step, **short).run(model, replace(given, folder=tmp_path)).model  # type: ignore[type-var]  # a dataclass
    assert {name: one.shape for name, one in outline.weights().items()} == {
        name: one.shape for name, one in made.weights().items()
    }
    assert (outline.name, list(outline.tables)) == (made.name, list(made.tables))
    assert (outline.structure.item_rank, outline.structure.ranks) == (made.structure.item_rank, made.structure.ranks)


def test_no_outline_where_the_weights_decide(model: SASRec, tmp_path: Path) -> None:
    """How many units which layer loses, and the rank for an energy, are known when their turn comes."""
    given = Given(split=None, dataset="", catalogue=model.catalogue, seed=0, folder=tmp_path)
    for text in ("prune:unit=neurons,sparsity=0.5", "factorise:items=true,energy=0.9", "factorise:layers=encoder.*,bytes=4000"):
        assert parse_step(text).outline(model, given) is None


def test_a_step_that_finds_nothing_to_do_leaves_no_folder(trained_run: Path, tmp_path: Path) -> None:
    """What only the work itself shows to be impossible leaves things as they were; an empty folder of somebody's stays."""
    (tmp_path / "mine").mkdir()
    for name in ("out", "mine"):
        with pytest.raises(CompressionError, match="no fewer weights"):
            compress(trained_run, _recipe(parse_step("factorise:items=true,rank=15")), tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_what_a_killed_process_left_half_written_is_no_hindrance(run: Path, tmp_path: Path, done: Path) -> None:
    """A file under the name that it had while it was written is removed, at the top and in the steps; the result is the same."""
    output = tmp_path / "out"
    compress(run, _recipe(HALF, THIRD), output)
    half = [output / ".config.json.0123abcd.part", output / "steps" / "02-prune" / ".weights.safetensors.89abcdef.part"]
    for path in half:
        path.write_bytes(b"half")
        (path.parent / "config.json").unlink()
    compress(run, _recipe(HALF, THIRD), output)
    assert not any(path.exists() for path in half)
    assert _same(load_run(output), load_run(done))


def test_steps_that_do_not_compose_are_refused_by_what_the_model_has_behind_it(run: Path, tmp_path: Path) -> None:
    """An earlier compression counts, whoever did it."""
    start = tmp_path / "start"
    shutil.copytree(run, start)
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps(config | {"compression": [{"form": "quantise:pq"}]}))
    with pytest.raises(CompressionError, match="cannot come after quantise:pq, which the model has behind it"):
        compress(start, _recipe(HALF), tmp_path / "out")


@pytest.mark.parametrize("records", [3, {"form": "prune"}, ["prune"], [{"effect": 1}], [{"outcome": []}]])
def test_records_that_are_none_are_refused(run: Path, tmp_path: Path, records: object) -> None:
    """A configuration that was edited by hand ends in one sentence, for the next step and for a bundle."""
    start = tmp_path / "start"
    shutil.copytree(run, start)
    config = json.loads((start / "config.json").read_text()) | {"compression": records}
    (start / "config.json").write_text(json.dumps(config))
    with pytest.raises(CompressionError, match="expected a record a step"):
        compress(start, _recipe(HALF), tmp_path / "out")
    with pytest.raises(CompressionError, match="expected a record a step"):
        provenance(config)


def test_folders_of_others_are_left_alone(run: Path, tmp_path: Path, done: Path) -> None:
    """Neither the model's own folder nor one with anybody's files, nor a step's, is written to."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(CompressionError, match=r"holds a\.txt"):
        compress(run, _recipe(HALF), tmp_path / "notes")
    with pytest.raises(CompressionError, match="another model, recipe or log"):
        compress(run, _recipe(HALF), run)
    with pytest.raises(CompressionError, match="holds a step of a compression"):
        compress(run, _recipe(HALF), done / "steps" / "01-prune")
