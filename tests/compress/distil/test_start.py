"""What a student begins with scores as its teacher does, as far as its width allows."""

from __future__ import annotations

import numpy as np
import torch

from edge_rec.compress.distil.start import started
from edge_rec.models import EASE, DeepMLP, DeepMLPOptions, EASEOptions, GRU4Rec, GRU4RecOptions, SASRec, SASRecOptions
from edge_rec_runtime import Catalogue

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(30)))


def _sasrec(*, dims: int = 16, blocks: int = 2, seed: int = 0) -> SASRec:
    return SASRec(SASRecOptions(dims=dims, blocks=blocks, heads=2, feed_forward=32, max_length=8), CATALOGUE, seed=seed)


def test_a_student_of_the_same_shape_begins_as_its_teacher() -> None:
    """Where every weight fits, nothing is left of what was drawn, and both are as they were."""
    student, teacher = _sasrec(seed=1), _sasrec(seed=2)
    drawn = student.table.detach().clone()
    found = started(student, [teacher])
    rows = torch.tensor([[3, 7, 1]])
    with torch.inference_mode():
        own, wanted = (one.eval().states(one.item_vectors()[rows]) for one in (found.model, teacher))
    torch.testing.assert_close(own, wanted, rtol=0, atol=0)
    assert set(found.taken) == set(teacher.weights())
    torch.testing.assert_close(student.table.detach(), drawn, rtol=0, atol=0)


def test_a_narrow_student_has_the_nearest_geometry() -> None:
    """Its item vectors have the inner products of the best approximation of that rank, larger by the ratio of the widths."""
    student, teacher = _sasrec(dims=6), _sasrec(dims=16, seed=2)
    found = started(student, [teacher])
    table = teacher.weights()["table"].astype(np.float64)
    left, values, right = np.linalg.svd(table, full_matrices=False)
    nearest = (left[:, :6] * values[:6]) @ right[:6]
    own = found.model.weights()["table"].astype(np.float64)
    np.testing.assert_allclose(own @ own.T, nearest @ nearest.T * 16 / 6, rtol=1e-4, atol=1e-6)
    assert found.taken == ("encoder.positions", "table")


def test_positions_move_along_with_the_items() -> None:
    """What a position adds to an item is, seen along the student's directions, what it adds in the teacher."""
    teacher = _sasrec(dims=16, seed=2)
    weights = {name: value.copy() for name, value in teacher.weights().items()}
    weights["encoder.positions"] = weights["table"][:8] * 2
    found = started(_sasrec(dims=6), [teacher.with_weights(weights)]).model.weights()
    np.testing.assert_allclose(found["encoder.positions"] * (16 / 6) ** 0.5, found["table"][:8] * 2, rtol=1e-4, atol=1e-6)


def test_several_teachers_are_seen_side_by_side() -> None:
    """The inner products are those of the mean of both teachers', where the student is wide enough for all directions."""
    teachers = [_sasrec(dims=4, seed=2), _sasrec(dims=4, seed=3)]
    found = started(_sasrec(dims=16), teachers)
    own, (one, other) = found.model.weights()["table"], (teacher.weights()["table"] for teacher in teachers)
    mean = (one @ one.T + other @ other.T) / 2
    np.testing.assert_allclose(own[:, :8] @ own[:, :8].T, mean * 4 / 16, rtol=1e-4, atol=1e-6)
    assert np.abs(own[:, 8:]).max() > 0  # what is left over stays as it was drawn


def test_a_shallow_student_takes_evenly_spaced_layers() -> None:
    """Of 20 residual layers a student of 4 has numbers 0, 5, 10 and 15, and all that is not numbered."""
    deep, shallow = (DeepMLP(DeepMLPOptions(dims=8, hidden=8, layers=depth), CATALOGUE, seed=depth) for depth in (22, 6))
    found = started(shallow, [deep]).model.weights()
    theirs = deep.weights()
    for own, wanted in enumerate((0, 5, 10, 15)):
        np.testing.assert_array_equal(
            found[f"encoder.layers.{own}.dense.weight"], theirs[f"encoder.layers.{wanted}.dense.weight"]
        )
    np.testing.assert_array_equal(found["encoder.expand.weight"], theirs["encoder.expand.weight"])


def test_a_student_of_another_kind_has_the_items_alone() -> None:
    """The layers of a recurrent network mean nothing to attention; a teacher without item vectors gives nothing."""
    recurrent = GRU4Rec(GRU4RecOptions(dims=16, hidden=8, max_length=8), CATALOGUE, seed=1)
    assert started(_sasrec(), [recurrent]).taken == ("table",)
    student = _sasrec()
    neighbours = EASE.strongest(EASEOptions(neighbours=2), CATALOGUE, np.eye(30, dtype=np.float32)[::-1].copy())
    assert started(student, [neighbours]).taken == ()
    assert started(student, [recurrent, neighbours]).model is student
