"""What the benchmark of a request times, and in which unit."""

from __future__ import annotations

import time

from requesting.rounds import rounds


def test_every_call_gets_every_input_and_its_own_time() -> None:
    """Calls take turns on the same inputs; one that sleeps takes time and no processor time."""
    seen: dict[str, list[int]] = {"quick": [], "slow": []}

    def slow(given: int) -> None:
        seen["slow"].append(given)
        time.sleep(0.002)

    found = rounds({"quick": seen["quick"].append, "slow": slow}, [1, 2, 3], seconds=0, beside="quick")
    assert seen["quick"] == seen["slow"]
    assert seen["quick"][-3:] == [1, 2, 3]
    assert found["slow"].calls == found["quick"].calls == 3
    assert found["slow"].p50_ms >= 2
    assert found["slow"].cpu_p50_ms < 2
    assert found["quick"].ratio == 1
