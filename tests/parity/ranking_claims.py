"""What holds of every ranker on the device; each function asserts one claim."""

from __future__ import annotations

__all__ = ["both_targets_rank_the_same", "foresees_as_many_clicks", "ranks_as_torch_does"]

from typing import TYPE_CHECKING, Any

import bounds
import numpy as np
import torch_answers
from combinations import Case, Made
from drawn_requests import ranking

from edge_rec_converters.metrics import auc
from edge_rec_runtime import Ranker

if TYPE_CHECKING:
    from conftest import Zoo
    from numpy.typing import NDArray


def ranks_as_torch_does(zoo: Zoo, case: Case) -> None:
    """Logits and ranks: within their bound of what the source computes, and the same whoever else is asked about."""
    source: Any = zoo.source(case.model)
    request = ranking(source, case.given, case.batch, seed=1)
    fed = torch_answers.inputs(source, request)
    wanted, spread = torch_answers.logits(source, fed), torch_answers.logits(source, zoo.examples(case.model).inputs).std()
    with Ranker.open(zoo.bundle(Made(*case[:3]))) as opened:
        found = opened.logits(fed)
        assert np.isfinite(found).all()
        error = np.abs(found - wanted).max() / spread
        assert error <= bounds.logit_error(case.precision), error
        ranked = opened.rank(request.ids, request.context)
        assert ranked.ignored == request.unknown
        by_id = {one.id: one.score for one in ranked}
        scores = [by_id[source.catalogue.ids[row]] for row in request.rows]
        np.testing.assert_allclose(scores, 1 / (1 + np.exp(-found.astype(np.float64))), rtol=1e-9)
        assert [one.score for one in ranked] == sorted(scores, reverse=True)
        others = torch_answers.inputs(source, ranking(source, case.given, case.batch, seed=2))
        mixed = {name: np.concatenate([values[:1], _like(values, others[name])[1:]]) for name, values in fed.items()}
        assert opened.logits(mixed)[0] == found[0]
        alone = [opened.logits({name: values[[row]] for name, values in fed.items()})[0] for row in range(len(found))]
        drift = np.abs(alone - found).max() / spread
        assert drift <= bounds.drift(case.precision), drift


def _like(values: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return others in the width of values, words that do not fit left out."""
    return others if values.ndim == 1 else np.pad(others, ((0, 0), (0, values.shape[1])))[:, : values.shape[1]]


def foresees_as_many_clicks(zoo: Zoo, of: Made) -> None:
    """On held-out examples the AUC falls by no more than the precision may cost, and the logits differ."""
    source: Any = zoo.source(of.model)
    examples = zoo.examples(of.model)
    assert examples.labels is not None
    wanted = torch_answers.logits(source, examples.inputs)
    with Ranker.open(zoo.bundle(of), verify="full") as opened:
        found = opened.logits(examples.inputs)
    lost = auc(examples.labels, wanted) - auc(examples.labels, found)
    assert lost <= bounds.auc_loss(of), lost
    assert len(np.unique(found)) > len(found) / 4
    assert np.corrcoef(found, wanted)[0, 1] > 0.5


def both_targets_rank_the_same(zoo: Zoo, model: str, precision: str) -> None:
    """ONNX and TFLite hold the same numbers: logits within 1e-4 of their spread, or .02 on average where inputs are rounded."""
    inputs, found = zoo.examples(model).inputs, []
    for target in ("onnx", "tflite"):
        with Ranker.open(zoo.bundle(Made(model, target, precision))) as opened:
            found.append(opened.logits(inputs))
    apart = np.abs(found[0] - found[1]) / found[0].std()
    if precision in bounds.FLOAT:
        assert apart.max() <= 1e-4, apart.max()
    assert apart.mean() <= 0.02, apart.mean()
