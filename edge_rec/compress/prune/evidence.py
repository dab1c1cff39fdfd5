"""What a criterion may look at: a sample of the training log, the same one whenever it is asked.

Nothing here sees a held-out event: what is pruned is chosen by the training part alone.
"""

from __future__ import annotations

__all__ = ["Evidence"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec.models.network import keep_all
from edge_rec.training.losses import full_cross_entropy
from edge_rec.training.objective import NextItem
from edge_rec_runtime import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec.data import Split
    from edge_rec.models.network import Network
    from edge_rec.training.windows import Window

_BATCH = 16  # users whose gradient is one sample: over all users it is nearly 0 in a model that has converged
_KEPT = 4096  # events whose activations are kept


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A sample of users.

    Attributes:
        split: The log.
        seed: Decides the sample.
        users: How many are looked at; all where there are fewer.
        initial_seed: The seed that the model's first weights were drawn with.
        dataset: The name of the log, for recipes that depend on it.
        folder: For scans that are kept, or None.
        progress: Told about each scan.
    """

    split: Split
    seed: int
    users: int = 256
    initial_seed: int = 0
    dataset: str = ""
    folder: Path | None = None
    progress: Progress = field(default=silent)

    def loss(self, model: Network) -> float:
        """Return the mean cross-entropy of the next item over the sample."""
        total, count = 0.0, 0
        with torch.no_grad():
            objective = self._objective(model)
            shared = objective.shared(model)
            for part in (part for batch in self._batches(objective) for part in batch):
                states = objective.states(model, part, shared, drop=keep_all)
                total += float(full_cross_entropy(states, shared[0], part.targets))
                count += len(part.targets)
        return total / count

    def gradients(self, model: Network) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Yield the gradient of the mean loss of each few users, by the name of the parameter."""
        objective = self._objective(model)
        for batch in self._batches(objective):
            model.zero_grad()
            shared, total, count = objective.shared(model), torch.zeros(()), 0
            for part in batch:
                states = objective.states(model, part, shared, drop=keep_all)
                total = total + full_cross_entropy(states, shared[0], part.targets)
                count += len(part.targets)
            (total / count).backward()  # type: ignore[no-untyped-call]  # torch types it so
            yield {name: value.grad.numpy() for name, value in model.named_parameters() if value.grad is not None}
        model.zero_grad()

    def inputs(self, model: Network) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
        """Return what goes into each dense layer at some events, and the items that followed.

        Returns:
            By the name of the layer's weight [events, width]; under ``table`` the queries, which the item table multiplies.
            The targets are [events] item rows.
        """
        seen: dict[str, list[Tensor]] = {}
        now: dict[str, Tensor] = {}
        hooks = [
            layer.register_forward_pre_hook(_keep(now, f"{path}.weight"))
            for path, layer in model.named_modules()
            if isinstance(layer, nn.Linear)
        ]
        found: list[Tensor] = []
        objective, rng = self._objective(model), np.random.default_rng([self.seed, 1])
        batches = list(self._batches(objective))
        share = _KEPT / max(sum(len(part.targets) for batch in batches for part in batch), _KEPT)
        try:
            with torch.no_grad():
                shared = objective.shared(model)
                for part in (part for batch in batches for part in batch):
                    now.clear()
                    queries = objective.states(model, part, shared, drop=keep_all)
                    chosen = torch.from_numpy(rng.random(len(part.targets)) < share)
                    found.append(part.targets[chosen])
                    seen.setdefault("table", []).append(queries[chosen])
                    for name, values in now.items():
                        if values.shape[:2] == part.events.shape:  # layers that see something else than events are left out
                            seen.setdefault(name, []).append(values[part.events][chosen])
        finally:
            for hook in hooks:
                hook.remove()
        return {name: torch.cat(values).numpy() for name, values in seen.items()}, torch.cat(found).numpy()

    def _objective(self, model: Network) -> NextItem:
        model.eval()
        unknown = [""] * len(self.split.train)
        context = [one.encode(self.split.user_attributes.get(one.name, unknown)) for one in model.context]
        return NextItem(self.split, max_length=model.options.max_length, users=_BATCH, context=context)

    def _batches(self, objective: NextItem) -> Iterator[list[Window]]:
        for number, batch in enumerate(objective.batches(np.random.default_rng([self.seed, 0]))):
            if number * _BATCH >= self.users:
                return
            yield batch


def _keep(now: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        now[name] = given[0]

    return keep
