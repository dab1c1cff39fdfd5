"""What a fresh process runs: ``python -I _fresh_program.py TASK``; a script, so it imports nothing that it does not time.

For the task ``answer`` standard input holds JSON: ``roots``, ``opener``, ``bundle``, ``backend``, ``threads``, ``k``,
``requests``. Standard output gets one JSON line. Times are nanoseconds of the system's monotonic clock, which the parent
process shares.
"""

import time

STARTED = time.monotonic_ns()

import sys  # noqa: E402 - the first thing that this file does is to look at the clock

__all__ = ["main"]


def main(task: str) -> None:
    """Do one task and print what it took."""
    reply: dict[str, object] = {}
    if task == "answer":
        reply = _answer()
    elif task != "python":
        __import__("numpy")
        __import__(task, fromlist=["_"])
    done = time.monotonic_ns()
    import json  # noqa: PLC0415 - after the clock was read

    print(json.dumps({"started": STARTED, "done": done, **_memory(), **reply}))  # noqa: T201 - the reply to the parent


def _answer() -> dict[str, object]:
    import json  # noqa: PLC0415 - the runtime needs it as well, to read a manifest: no cost that it would not have

    asked = json.load(sys.stdin)
    sys.path[:0] = [root for root in asked["roots"] if root not in sys.path]
    import edge_rec_runtime  # noqa: PLC0415 - this import is what is timed

    opener = getattr(edge_rec_runtime, asked["opener"])  # loads the class's module
    imported = time.monotonic_ns()
    with opener.open(asked["bundle"], backend=asked["backend"], threads=asked["threads"]) as serving:
        opened = time.monotonic_ns()
        answer = serving.rank if asked["opener"] == "Ranker" else serving.recommend
        answer(**asked["requests"][0], k=asked["k"])
        answered = time.monotonic_ns()
        first = _memory()["peak_rss"]
        for request in asked["requests"][1:]:
            answer(**request, k=asked["k"])
        mapped = _mapped(asked["bundle"])
    return {
        "imported": imported,
        "opened": opened,
        "answered": answered,
        "first_answer_rss": first,
        "mapped": mapped,
    }


def _memory() -> dict[str, int | None]:
    """Return VmHWM, the peak of this very process; ru_maxrss would carry over what the parent used before exec."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 - pathlib costs 5 ms
            for line in status:
                if line.startswith("VmHWM:"):
                    return {"peak_rss": int(line.split()[1]) * 1024}
    except OSError:
        pass
    return {"peak_rss": None}


def _mapped(bundle: str) -> int | None:
    """Return how much address space maps the bundle."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:  # noqa: PTH123 - as above
            spans = [line.split()[0].split("-") for line in maps if line.rstrip("\n").endswith(bundle)]
    except OSError:
        return None
    return sum(int(end, 16) - int(start, 16) for start, end in spans)


if __name__ == "__main__":
    main(sys.argv[1])
