"""The zoo, trained in seconds on a drawn log; models, graphs and bundles are made when a test first asks for them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch
from combinations import Made, grammar
from zoo_log import REQUESTS, drawn_log

from edge_rec.models import load_run
from edge_rec.training import train_run
from edge_rec_converters import Examples, prepare
from edge_rec_converters.kinds import Order
from edge_rec_runtime import Precision, read_histories, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared
    from edge_rec_converters.protocol import Source


class Zoo:
    """Models, what was made ready of them, and their bundles, each made once a session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.run = cache(self._run)
        self.prepared = cache(self._prepared)
        self.bundle = cache(self._bundle)

    def source(self, model: str) -> Source:
        """Return a trained model at the door."""
        return self.prepared(model).source

    def examples(self, model: str) -> Examples:
        """Return a ranker's held-out examples."""
        return Examples.load(self.run(model) / "heldout" / "test.safetensors")

    def _run(self, model: str) -> Path:
        train_run(drawn_log(), self._folder / model, request=REQUESTS[model])
        return self._folder / model

    def _prepared(self, model: str) -> Prepared:
        """Fit to the validation part, as conversions should."""
        source, heldout = load_run(self.run(model)).source(), self.run(model) / "heldout"
        if source.kind == "ranker":
            fitted = Examples.load(heldout / "validation.safetensors")
            return prepare(source, examples=self.examples(model), calibration=fitted)
        return prepare(source, read_histories(heldout / "test.jsonl"), calibration=read_histories(heldout / "validation.jsonl"))

    def _bundle(self, made: Made) -> Path:
        """Write what ``convert`` would judge; a bundle is wanted here whether or not it would pass."""
        order = Order(target=made.target, precision=Precision.parse(grammar(made)))
        ready = self.prepared(made.model)
        ready.require(order)
        path = self._folder / f"{'-'.join(made)}.edgerec"
        write_bundle(path, ready.drafts(order)[0])
        return path


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Return the zoo, on one thread."""
    torch.set_num_threads(1)
    return Zoo(tmp_path_factory.mktemp("zoo"))
