"""Answer requests from bundles and print the answers as JSON; for emulated processors, so nothing but the runtime is imported.

``python answer_requests.py REQUESTS``, a JSON object of path -> requests, each ``{"ids": [...], "context": ...}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edge_rec_runtime import Bundle, Ranker, Recommender


def main(path: Path) -> None:
    """Print, for each bundle, the engine and for each request ids with scores, best first."""
    wanted: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, requests in wanted.items():
        with Bundle.open(name) as bundle:
            opened: type[Ranker | Recommender] = Ranker if bundle.manifest.kind == "ranker" else Recommender
        with opened.open(name) as model:
            found[name] = {
                "backend": model.backend,
                "answers": [
                    [[one.id, one.score] for one in _answer(model, request["ids"], request["context"])] for request in requests
                ],
            }
    assert "torch" not in sys.modules
    sys.stdout.write(json.dumps(found) + "\n")


def _answer(model: Ranker | Recommender, ids: list[str], context: dict[str, Any] | None) -> Any:  # noqa: ANN401 - Recommendations
    return model.rank(ids, context) if isinstance(model, Ranker) else model.recommend(ids, context=context)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
