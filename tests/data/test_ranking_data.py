"""Features of users, items and moments, as the device would encode them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from edge_rec.data import Dataset, Interactions, Items, Users
from edge_rec.data.ranking import RankingData, ranking_data
from edge_rec_runtime.errors import DataError

USERS, ITEMS, EVENTS = 6, 9, 240


def made(*, unit: int = 1) -> Dataset:
    """Return a random log of the year 2000; the last user and the last item are met at its end only."""
    rng = np.random.default_rng(3)
    users, items = rng.integers(0, USERS - 1, EVENTS), rng.integers(0, ITEMS - 1, EVENTS)
    users[-20::2], items[-20::3] = USERS - 1, ITEMS - 1
    times = (946_684_800 + np.sort(rng.integers(0, 360, EVENTS)) * 86_400 + rng.integers(0, 86_400)) * unit
    return Dataset(
        name="made",
        interactions=Interactions(
            users=users.astype(np.int32),
            items=items.astype(np.int32),
            timestamps=times.astype(np.int64),
            user_ids=tuple(f"u{row}" for row in range(USERS)),
            item_ids=tuple(f"i{row}" for row in range(ITEMS)),
            ratings=rng.integers(1, 6, EVENTS).astype(np.float32),
        ),
        items=Items(
            attributes={
                "genres": {f"i{row}": tuple("abc"[: row % 4]) for row in range(ITEMS)},
                "year": {f"i{row}": (str(1990 + row % 2),) for row in range(ITEMS - 2)},
            }
        ),
        users=Users(attributes={"gender": {"u0": "F", "u1": "M"}, "age": {"u0": "24", "u1": "25", "u2": "70", "u5": "5"}}),
    )


@pytest.fixture(scope="module")
def data() -> RankingData:
    """Return the features of the log; histories of 4."""
    return ranking_data(made(), longest=4)


def words(data: RankingData, name: str, rows: np.ndarray) -> list[object]:
    """Return the words that a category's inputs stand for, None for index 0."""
    feature = next(one for one in data.inputs.features if one.name == name)
    return [feature.vocabulary[index - 1] if index else None for index in data.encoded([feature], rows)[name]]


def test_every_input_fits_its_feature(data: RankingData) -> None:
    """Types, shapes and indexes are what a graph is promised, for all events and for the whole catalogue."""
    rows = np.arange(EVENTS)
    examples = data.examples(data.inputs.features, rows)
    for feature in data.inputs.features:
        assert feature.misfit(examples.inputs[feature.name], rows=EVENTS) == ""
    for name, values in data.inputs.item_values.items():
        feature = next(one for one in data.inputs.features if one.name == name)
        assert feature.of == "item"
        assert feature.misfit(values, rows=len(data.inputs.catalogue)) == ""
    assert {one.name for one in data.inputs.features if one.of == "item"} == set(data.inputs.item_values)


def test_an_events_item_features_are_the_catalogues(data: RankingData) -> None:
    """What training saw of an item is what the bundle will hold of it."""
    rows = np.arange(EVENTS)
    inputs = data.encoded(data.inputs.features, rows)
    at = inputs["item"] - 1
    for name, values in data.inputs.item_values.items():
        np.testing.assert_array_equal(inputs[name][at >= 0], values[at[at >= 0]])


def test_who_came_late_is_unknown_but_not_what_is_known_of_them(data: RankingData) -> None:
    """A user and an item that training never met have the index 0; attributes with words of the training stay."""
    rows = np.flatnonzero(data.clicks.users == USERS - 1)
    assert set(words(data, "user", rows)) == {None}
    assert set(words(data, "age", rows)) == {None}  # nobody of that age was in training
    late = np.flatnonzero(data.clicks.items == ITEMS - 1)
    assert set(words(data, "item", late)) == {None}
    assert f"i{ITEMS - 1}" not in data.inputs.catalogue.ids
    assert set(words(data, "user", data.clicks.train)) == {f"u{row}" for row in range(USERS - 1)}


def test_ages_are_put_into_groups(data: RankingData) -> None:
    """24 is of the group from 18, 25 opens the next, 70 is of the last; one unknown stays unknown."""
    found = dict(zip(data.clicks.users.tolist(), words(data, "age", np.arange(EVENTS)), strict=True))
    assert (found[0], found[1], found[2], found[3]) == ("18", "25", "56", None)


def test_the_moment_is_told_in_utc(data: RankingData) -> None:
    """Hour and weekday are those of the standard library, whatever the log's unit is."""
    rows = np.arange(EVENTS)
    moments = [datetime.fromtimestamp(int(second), tz=UTC) for second in data.clicks.timestamps]
    assert words(data, "hour", rows) == [str(one.hour) for one in moments]
    assert words(data, "weekday", rows) == [str(one.weekday()) for one in moments]
    fine = ranking_data(made(unit=1000), longest=4)
    assert words(fine, "weekday", rows) == words(data, "weekday", rows)


def test_a_history_is_what_the_device_would_encode(data: RankingData) -> None:
    """The ids of all older clicks, given to `Feature.encode`, become the same indexes."""
    feature = next(one for one in data.inputs.features if one.name == "history")
    rows = np.arange(EVENTS)
    events = data.clicks
    told = [
        [
            f"i{events.items[at]}"
            for at in range(EVENTS)
            if events.users[at] == events.users[row] and events.clicked[at] and events.timestamps[at] < events.timestamps[row]
        ]
        for row in rows
    ]
    np.testing.assert_array_equal(data.encoded([feature], rows)["history"], feature.encode(told))


def test_activity_and_liking_count_older_events_only(data: RankingData) -> None:
    """log(1 + events) and the smoothed share of clicks among them; a first event has neither."""
    numbers = [one for one in data.inputs.features if one.name in {"activity", "liking"}]
    found = data.encoded(numbers, np.arange(EVENTS))
    np.testing.assert_allclose(found["activity"], np.log1p(data.clicks.past.events), rtol=1e-6)
    assert found["liking"][0] == 0.5
    assert ((found["liking"] > 0) & (found["liking"] < 1)).all()


def test_rare_items_are_not_told_apart() -> None:
    """Items below the core are no candidates; where none reaches it, that is said."""
    counts = np.bincount(made().interactions.items[:191], minlength=ITEMS)
    kept = ranking_data(made(), core=int(np.sort(counts)[-3])).inputs.catalogue
    assert set(kept.ids) == {f"i{row}" for row in np.flatnonzero(counts >= np.sort(counts)[-3])}
    with pytest.raises(DataError, match="no item has 1000 events among the 191 for training"):
        ranking_data(made(), core=1000)


def test_a_feature_that_the_data_lack_is_named(data: RankingData) -> None:
    """The message lists those that there are."""
    with pytest.raises(DataError, match="the data have no feature 'zip'; they give history, user, gender, age"):
        data.inputs.only(["item", "zip"])
