"""One new event, ten new recommendations: a session that goes on, and the same answered from the whole history.

The ways take turns, as everywhere; sessions are timed once more alone.
"""

from __future__ import annotations

__all__ = ["event_rows"]

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from requesting.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edge_rec_runtime import Recommender

    Event = tuple[int, int]  # whose, and which of the history

_USERS, _EVENTS = 40, 12


def event_rows(
    recommenders: Mapping[str, Recommender],
    peers: Mapping[str, Callable[[Sequence[str]], object]],
    histories: Sequence[Sequence[str]],
) -> list[dict[str, Any]]:
    """Return a row each.

    Args:
        recommenders: Ours by name; each is asked both ways.
        peers: What else takes a whole history.
        histories: Those are taken whose last events all lie inside the window.
    """
    longest = next(iter(recommenders.values())).bundle.manifest.max_length
    chosen = [history for history in histories if 2 * _EVENTS <= len(history) <= longest][:_USERS]
    inputs = [(user, len(chosen[user]) - left) for left in range(_EVENTS, 0, -1) for user in range(len(chosen))]
    whole = {name: _whole(answer, chosen) for name, answer in peers.items()}
    whole |= {f"{name}, whole history": _whole(one.recommend, chosen) for name, one in recommenders.items()}
    kept = {f"{name}, session": _agreement(one, chosen) for name, one in recommenders.items()}
    sessions = dict(_sessions(recommenders, chosen))
    first = next(iter(sessions))
    turns = rounds(whole | sessions, inputs, seconds=0, beside=first)
    # A device answers nothing between two events but the next one; the others' turns empty the processor's caches.
    alone = {name: rounds({name: call}, inputs, seconds=0, beside=name)[name] for name, call in _sessions(recommenders, chosen)}
    return [
        {"case": case, "way": name, "k": 10, "overlap_with_whole": kept.get(name), **asdict(found)}
        for case, times in (("event", turns), ("event alone", alone))
        for name, found in times.items()
    ]


def _sessions(
    recommenders: Mapping[str, Recommender], histories: Sequence[Sequence[str]]
) -> Iterator[tuple[str, Callable[[Event], object]]]:
    for name, one in recommenders.items():
        yield f"{name}, session", _going_on(one, histories)


def _whole(answer: Callable[[Sequence[str]], object], histories: Sequence[Sequence[str]]) -> Callable[[Event], object]:
    return lambda event: answer(histories[event[0]][: event[1] + 1])


def _going_on(recommender: Recommender, histories: Sequence[Sequence[str]]) -> Callable[[Event], object]:
    sessions = [recommender.session(history[:-_EVENTS]) for history in histories]
    for session in sessions:
        session.query()  # what came before is taken in here, and not at the first event

    def answer(event: Event) -> object:
        session = sessions[event[0]]
        session.add(histories[event[0]][event[1]])
        return session.recommend()

    return answer


def _agreement(recommender: Recommender, histories: Sequence[Sequence[str]]) -> float:
    """Return the share of the ten items that a session and the whole history have in common, over all events."""
    shared = []
    for history in histories:
        session = recommender.session(history[:-_EVENTS])
        for place in range(len(history) - _EVENTS, len(history)):
            session.add(history[place])
            shared.append(len(set(session.recommend().ids) & set(recommender.recommend(history[: place + 1]).ids)) / 10)
    return sum(shared) / len(shared)
