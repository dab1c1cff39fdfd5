"""The JSON file that carries measurements, written whole, and read as what strangers may have changed."""

from __future__ import annotations

__all__ = ["MAX_BYTES", "SCHEMA", "load_results", "save_results"]

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_devices._files import write_whole
from edge_rec_devices._schema import decode
from edge_rec_devices.result import Measurement  # noqa: TC001 - a field type, read back when a file is decoded
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = 1
# A result is about 6 KB; what is a thousand times larger is no result file.
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class _File:
    schema: int
    results: tuple[Measurement, ...]


def load_results(path: Path | str) -> tuple[Measurement, ...]:
    """Read and check a result file.

    Raises:
        MeasurementError: Missing, too large, not JSON, of a newer schema, or not what a measurement writes.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MeasurementError(f"{path} has {size} bytes, a result file at most {MAX_BYTES}; give a file that bench wrote")
        content = json.loads(path.read_bytes(), parse_constant=_no_constant)
    except OSError as error:
        raise MeasurementError(f"{path}: {error.strerror or error}; give a file that 'edge-rec bench' wrote") from error
    except (ValueError, RecursionError) as error:
        raise MeasurementError(f"{path} is not JSON ({_short(error)}); give a file that 'edge-rec bench' wrote") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise MeasurementError(f"{path} has no 'schema' number; give a file that 'edge-rec bench' wrote")
    if schema > SCHEMA:
        raise MeasurementError(f"{path} has schema {schema}, this release reads up to {SCHEMA}; upgrade edge-rec")
    results = decode(content, _File, where=str(path)).results
    if not results:
        raise MeasurementError(f"{path} holds no result; measure a bundle with 'edge-rec bench'")
    return results


def save_results(path: Path | str, results: Sequence[Measurement]) -> None:
    """Write measurements as one file, whole or not at all."""
    content = {"schema": SCHEMA, "results": [asdict(result) for result in results]}
    write_whole(Path(path), json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _short(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 80 else f"{text[:77]}..."
