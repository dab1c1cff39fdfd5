"""A drawn log in which something can be learned, and a short training of each model of the zoo on it."""

from __future__ import annotations

__all__ = ["LONGEST", "REQUESTS", "drawn_log"]

import numpy as np

from edge_rec.data import Dataset, Interactions, Items, Users
from edge_rec.training import Request

USERS, ITEMS, EVENTS, GENRES = 160, 120, 32, 6
LONGEST = 12  # window of every model, in events; histories are longer


def drawn_log() -> Dataset:
    """Return users of a taste: two genres of six. Most events go on to the next item of a genre's circle.

    A quarter of the events are of any genre. An event of the user's taste is rated 5, another 1, but for 5 in 100.
    """
    rng = np.random.default_rng(3)
    tastes = np.array([rng.choice(GENRES, 2, replace=False) for _ in range(USERS)])
    items = np.zeros((USERS, EVENTS), np.int64)
    for user, taste in enumerate(tastes):
        items[user] = _walk(taste, rng)
    liked = (items[:, :, None] % GENRES == tastes[:, None, :]).any(axis=2) != (rng.random(items.shape) < 0.05)
    steps, users = np.meshgrid(np.arange(EVENTS), np.arange(USERS))
    return Dataset(
        name="drawn",
        interactions=Interactions(
            users=users.ravel().astype(np.int32),
            items=items.ravel().astype(np.int32),
            timestamps=(steps * USERS + users).ravel().astype(np.int64) * 1_800,
            user_ids=tuple(f"u{row}" for row in range(USERS)),
            item_ids=tuple(f"i{row}" for row in range(ITEMS)),
            ratings=np.where(liked, 5, 1).ravel().astype(np.float32),
        ),
        items=Items(
            titles={f"i{row}": f"Film {row} of the {row % GENRES}. kind ({1970 + row % 40})" for row in range(ITEMS)},
            attributes={"genres": {f"i{row}": (f"g{row % GENRES}", f"h{row % 4}") for row in range(ITEMS)}},
        ),
        users=Users(
            attributes={
                "gender": {f"u{row}": "FM"[row % 2] for row in range(USERS - 9)},  # the last are not in the file
                "age": {f"u{row}": str((1, 18, 25, 35)[tastes[row, 0] % 4]) for row in range(USERS - 9)},
            }
        ),
    )


def _walk(taste: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Return distinct items, each after the first mostly the next of its genre."""
    found = [int(rng.integers(ITEMS // GENRES) * GENRES + taste[0])]
    while len(found) < EVENTS:
        draw = rng.random()
        if draw < 0.25:
            item = int(rng.integers(ITEMS))
        elif draw < 0.40:
            item = int(rng.integers(ITEMS // GENRES) * GENRES + rng.choice(taste))
        else:
            item = (found[-1] + GENRES) % ITEMS
        while item in found:
            item = (item + GENRES) % ITEMS if draw >= 0.25 else int(rng.integers(ITEMS))
            draw = 0.0 if rng.random() < 0.2 else draw  # a circle may have been walked to its end
        found.append(item)
    return found


_QUICK = {"epochs": 12, "evaluate_every": 12, "batch_users": 16, "warmup_steps": 10, "averaging": 0.9, "learning_rate": 5e-3}
_CLICKS = {"epochs": 6, "patience": 6, "batch": 128, "learning_rate": 5e-3}
_RANKER = {"dims": 16, "hidden": (48, 24), "max_length": LONGEST}

# model -> how it is trained here: wide enough that every precision has something to round, in a second or two
REQUESTS = {
    one.model: one
    for one in (
        Request(model="mf", shape={"dims": 32}, training={"epochs": 6}),
        Request(model="sasrec", shape={"dims": 32, "feed_forward": 64, "max_length": LONGEST, "dropout": 0.1}, training=_QUICK),
        Request(model="gru4rec", shape={"dims": 32, "hidden": 48, "max_length": LONGEST, "dropout": 0.1}, training=_QUICK),
        Request(model="nrms", shape={"dims": 32, "max_length": LONGEST, "dropout": 0.1}, training=_QUICK),
        Request(model="two-tower", shape={"dims": 32, "hidden": 64, "max_length": LONGEST, "dropout": 0.1}, training=_QUICK),
        Request(
            model="deep-mlp",
            shape={"dims": 32, "hidden": 48, "layers": 6, "max_length": LONGEST, "dropout": 0.1},
            training=_QUICK,
        ),
        Request(model="lightgcn", shape={"dims": 32, "max_length": LONGEST}, training=_QUICK),
        Request(model="ease", shape={"regularisation": 50.0, "neighbours": 60, "max_length": LONGEST}),
        Request(model="item-item", shape={"shrinkage": 10.0, "neighbours": 60, "max_length": LONGEST}),
        *(
            Request(model=name, shape={**_RANKER, "dropout": 0.0}, training=_CLICKS)
            for name in ("neumf", "wide-deep", "deepfm", "dlrm", "dcnv2", "din")
        ),
    )
}
