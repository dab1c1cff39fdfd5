"""How much evidence is enough."""

from __future__ import annotations

__all__ = ["FED", "MOST_FITTED", "MOST_FITTED_EXAMPLES", "MOST_JUDGED", "MOST_JUDGED_EXAMPLES", "TIMED"]

MOST_JUDGED = 20_000  # users that a finished bundle is judged by: all of them, up to some minutes of work
MOST_FITTED = 2_000  # users that codes and ranges are fitted to; more change neither
MOST_JUDGED_EXAMPLES = 100_000  # examples that a ranker's bundle is judged by; an AUC is then known to some .002
MOST_FITTED_EXAMPLES = 4_000  # examples that the better of two networks is chosen on
FED = 512  # requests that ranges of activations are taken from
TIMED = 16  # requests that are timed, in turn
