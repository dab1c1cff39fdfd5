"""What teachers answered is what they would answer now, whoever they are and however often it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.data import Dataset, Split, leave_one_out
from edge_rec.models import GRU4Rec, GRU4RecOptions, Model, Popularity, SASRec, SASRecOptions
from edge_rec.training import TeacherOutputs, answers, teacher_outputs, teachers
from edge_rec.training.answers import stretches
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

USERS, EVENTS = 30, 24


@pytest.fixture
def split(circle: Callable[..., Dataset]) -> Split:
    """Return 30 users who walk two rounds of the circle."""
    return leave_one_out(circle(users=USERS, events=EVENTS + 2).interactions)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the work into many blocks and chunks, as a long log is."""
    monkeypatch.setattr(teachers, "_USERS", 7)
    monkeypatch.setattr(answers, "_CHUNK", 32)


def _sasrec(split: Split, *, seed: int = 0, max_length: int = 24) -> SASRec:
    shape = SASRecOptions(dims=8, blocks=1, heads=2, feed_forward=8, max_length=max_length, recency=1.0)
    return SASRec(shape, Catalogue(split.item_ids), seed=seed)


def _decoded(split: Split) -> SASRec:
    """Return one that sees its items through a hidden layer."""
    plain = _sasrec(split)
    return SASRec.built({**plain.describe(), "structure": {"item_rank": 6, "item_decoder": 5}}, plain.catalogue, seed=2)


def _after(model: Model, history: np.ndarray) -> Tensor:
    """Return the logits of all items after a history, by the model at the door."""
    source = model.source()
    assert source.kind == "retriever"
    assert isinstance(source.encoder, torch.nn.Module)
    table = torch.from_numpy(np.ascontiguousarray(source.item_table))
    vectors = table[torch.from_numpy(history[-source.max_length :].astype(np.int64))][None]
    query: Tensor = source.encoder(vectors, torch.ones(vectors.shape[:2]))
    return (query @ table.T)[0].detach()


def _direct(models: list[Model], split: Split, event: int) -> Tensor:
    """Return the mean of the models' log-probabilities after an event of the log."""
    start = split.train.offsets[event // EVENTS]
    found = [torch.log_softmax(_after(one, split.train.items[start : event + 1]), dim=0) for one in models]
    return torch.stack(found).mean(dim=0)


def _same(found: TeacherOutputs, models: list[Model], split: Split) -> None:
    assert found.rows.shape == (USERS * EVENTS, 5)
    for event in range(0, USERS * EVENTS, 13):
        wanted = _direct(models, split, event)
        best = wanted.topk(5).values
        torch.testing.assert_close(wanted[torch.from_numpy(found.rows[event].astype(np.int64))], best, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(torch.from_numpy(found.logits[event].astype(np.float32)), best - best[0], rtol=2e-3, atol=2e-3)
        total = torch.logsumexp(wanted, dim=0) - best[0]
        torch.testing.assert_close(torch.tensor(found.totals[event]), total, rtol=1e-4, atol=1e-4)


def test_what_is_kept_is_what_the_teacher_says(split: Split, tmp_path: Path) -> None:
    """A network read all at once, one with a short window, counts, and an ensemble: each event's answer is the model's own."""
    popularity = Popularity.count(split, Catalogue(split.item_ids))
    gru = GRU4Rec(GRU4RecOptions(dims=4, hidden=5, max_length=24), Catalogue(split.item_ids), seed=3)
    several: list[list[Model]] = [
        [_sasrec(split)],
        [_decoded(split)],
        [_sasrec(split, max_length=3)],
        [popularity],
        [_sasrec(split), gru],
    ]
    for models in several:
        _same(teacher_outputs(models, split, folder=tmp_path, top=5), models, split)


def test_the_answers_before_an_event_are_those_that_foretold_it(split: Split, tmp_path: Path) -> None:
    """A position of the log is answered by what was known just before it."""
    found = teacher_outputs([_sasrec(split)], split, folder=tmp_path)
    rows, logits, totals = found.before(torch.tensor([1, 30]))
    np.testing.assert_array_equal(rows, found.rows[[0, 29]])
    assert (rows.dtype, logits.dtype, totals.dtype) == (torch.int64, torch.float32, torch.float32)
    assert found.rows.shape[1] == len(split.item_ids), "no more items are kept than there are"
    torch.testing.assert_close(torch.exp(logits - totals[:, None]).sum(dim=1), torch.ones(2), rtol=2e-3, atol=0)


def test_the_vectors_of_an_ensemble_have_its_mean_cosines(split: Split, tmp_path: Path) -> None:
    """Of two teachers of different width; and none where one has no vectors to compare."""
    first, second = _sasrec(split), GRU4Rec(GRU4RecOptions(dims=4, hidden=5), Catalogue(split.item_ids), seed=3)
    cosines = []
    for one in (first, second):
        vectors = torch.nn.functional.normalize(one.item_vectors().detach(), dim=1)
        cosines.append(vectors @ vectors.T)
    joined = teacher_outputs([first, second], split, folder=tmp_path).vectors
    assert joined is not None
    np.testing.assert_allclose(joined @ joined.T / 2, (cosines[0] + cosines[1]) / 2, atol=1e-6)


class _Interrupted(Exception):  # noqa: N818 - stands for Ctrl-C
    pass


def test_an_interrupted_teacher_is_not_asked_twice(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the third block, a damaged block: what is whole is kept, and the result is that of one go."""
    asked: list[int] = []
    best = teachers._best

    def counted(models: object, first: int, *rest: object) -> object:
        asked.append(first)
        return best(models, first, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(teachers, "_best", counted)

    def interrupt(done: int, total: int, note: str = "") -> None:
        if done == 14:
            raise _Interrupted

    with pytest.raises(_Interrupted):
        teacher_outputs([_sasrec(split)], split, folder=tmp_path, progress=interrupt)
    (damaged,) = tmp_path.glob("*/block-7.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    resumed = teacher_outputs([_sasrec(split)], split, folder=tmp_path)
    assert asked == [0, 7, 7, 14, 21, 28]
    again = teacher_outputs([_sasrec(split)], split, folder=tmp_path)
    assert len(asked) == 6, "finished answers are read"
    whole = teacher_outputs([_sasrec(split)], split, folder=tmp_path / "whole")
    for name in ("rows", "logits", "totals"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert [one.name for one in tmp_path.glob("teacher-*/*") if one.suffix != ".npy"] == [], "blocks are tidied up"


def test_another_teacher_answers_for_itself(split: Split, tmp_path: Path) -> None:
    """Other weights, another log or fewer items have their own folder; a finished file that was cut short is made again."""
    first = teacher_outputs([_sasrec(split)], split, folder=tmp_path)
    second = teacher_outputs([_sasrec(split, seed=1)], split, folder=tmp_path)
    assert first.fingerprint != second.fingerprint
    assert not np.array_equal(first.rows, second.rows)
    assert teacher_outputs([_sasrec(split)], split, folder=tmp_path, top=3).rows.shape[1] == 3
    rows = np.array(first.rows)
    path = tmp_path / f"teacher-{first.fingerprint[:16]}" / "rows.npy"
    path.write_bytes(path.read_bytes()[:200])
    np.testing.assert_array_equal(teacher_outputs([_sasrec(split)], split, folder=tmp_path).rows, rows)


def test_a_teacher_that_does_not_fit_is_refused(split: Split, tmp_path: Path) -> None:
    """None at all, another catalogue, a diverged one: each is an error that says so, and no folder is left as finished."""
    with pytest.raises(TrainingError, match="there is no teacher"):
        teacher_outputs([], split, folder=tmp_path)
    with pytest.raises(TrainingError, match="top=0 is not a whole number from 1 up"):
        teacher_outputs([_sasrec(split)], split, folder=tmp_path, top=0)
    other = SASRec(SASRecOptions(dims=8, blocks=1, heads=2), Catalogue(split.item_ids[::-1]))
    with pytest.raises(TrainingError, match="catalogue of 12 items that is not the log's of 12"):
        teacher_outputs([other], split, folder=tmp_path)
    broken = _sasrec(split)
    with torch.no_grad():
        broken.encoder.positions[0] = float("nan")
    with pytest.raises(TrainingError, match="not finite"):
        teacher_outputs([broken], split, folder=tmp_path)
    assert list(tmp_path.glob("*/*.npy")) == []


@given(st.integers(0, 5), st.integers(1, 200), st.integers(1, 40))
def test_every_event_is_answered_once(start: int, length: int, size: int) -> None:
    """Stretches follow one another without a gap, none longer than the window, each with half a window before its answers."""
    answered = start
    for user, first, end, new in stretches(9, start, start + length, size):
        assert user == 9
        assert new == answered
        assert first <= new < end
        assert end - first <= size
        assert first == start or new - first >= size // 2
        answered = end
    assert answered == start + length
