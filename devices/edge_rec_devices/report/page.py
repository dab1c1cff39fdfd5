"""The page: what the template shows, as plain words; the template escapes them all, charts are the only markup."""

from __future__ import annotations

__all__ = ["render"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec_devices.report.charts import CHARTS
from edge_rec_devices.report.verdict import caution, headline, names, verdicts
from edge_rec_devices.report.wording import NOT_KNOWN, clean, megabytes, milliseconds, percent, quality
from edge_rec_runtime.errors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.environment import Environment
    from edge_rec_devices.result import Measurement, Setup

_HERE = Path(__file__).parent
_TINTS = ("fp32", "int8", "binary", "binary-only")


def render(results: Sequence[Measurement]) -> str:
    """Return the report as one HTML document that needs nothing else.

    Raises:
        DependencyError: jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", extra="host", purpose="writing a report")
    markup = require("markupsafe", extra="host", purpose="writing a report").Markup
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    charts = []
    for name, chart in CHARTS.items():
        drawn = chart.draw(results)
        charts.append(
            {"name": name, "title": chart.title, "note": chart.note, "nothing": chart.nothing, "svg": drawn and markup(drawn)}
        )
    page: str = environment.get_template("report.html.jinja").render(
        title=_title(results),
        where=_where(results),
        style=markup((_HERE / "report.css").read_text(encoding="utf-8")),
        headline=headline(results),
        caution=caution(results),
        lines=_lines(results),
        ranks=any(result.subject.quality.auc is not None for result in results),
        charts=charts,
        places=_places(results),
        footer=_footer(results),
    )
    return page


def _title(results: Sequence[Measurement]) -> str:
    models = list(dict.fromkeys(clean(result.subject.model) for result in results))
    shown = ", ".join(models[:3]) + (" and others" if len(models) > 3 else "")
    return f"{shown}: {len(results)} bundle{'s' if len(results) > 1 else ''} measured"


def _where(results: Sequence[Measurement]) -> str:
    machines = list(dict.fromkeys(_machine(result.environment) for result in results))
    days = sorted({clean(result.measured_at)[:10] for result in results})
    return f"{'; '.join(machines)} — {' to '.join(dict.fromkeys((days[0], days[-1])))}"


def _machine(environment: Environment) -> str:
    cores = f", {len(environment.affinity)} of {environment.cores} cores" if environment.affinity and environment.cores else ""
    return f"{clean(environment.cpu or environment.machine)}{cores}, {clean(environment.kernel)}"


def _lines(results: Sequence[Measurement]) -> list[dict[str, Any]]:
    return [
        {"name": name, "verdict": verdict, **_cells(result)}
        for name, verdict, result in zip(names(results), verdicts(results), results, strict=True)
    ]


def _cells(result: Measurement) -> dict[str, Any]:
    subject, request = result.subject, result.request
    figures, start, memory = subject.quality, result.cold_start, result.memory
    interval = figures.ndcg_at_10_ci
    whole = (request.min_ms, request.mean_ms, request.p50_ms, request.p90_ms, request.p95_ms, request.p99_ms, request.max_ms)
    compared = (start.open_ms, start.bare_python_ms, start.numpy_ms, start.engine_ms)
    resident = (memory.idle_rss_bytes, memory.first_answer_rss_bytes, memory.peak_rss_bytes, memory.mapped_bytes)
    return {
        "tint": subject.precision if subject.precision in _TINTS else "other",
        "file": clean(subject.file),
        "target": clean(subject.target),
        "precision": clean(subject.precision),
        "sha256": clean(subject.sha256),
        "bytes": megabytes(subject.bytes),
        "model_bytes": megabytes(subject.model_bytes),
        "ndcg": quality(figures.ndcg_at_10),
        "interval": f"{interval[0]:.4f} – {interval[1]:.4f}" if interval else "",
        "overlap": percent(figures.overlap_at_10),
        "auc": quality(figures.auc),
        "p50": milliseconds(request.p50_ms),
        "p99": milliseconds(request.p99_ms),
        "cold": milliseconds(start.median_ms),
        "peak": megabytes(memory.peak_rss_bytes),
        "times": [
            f"{request.count:,}",
            f"{request.per_second:,.0f}",
            *(milliseconds(value).removesuffix(" ms") for value in whole),
            f"{result.stages.sum_ratio:.2f}" + ("" if result.stages.agrees else " (!)"),
        ],
        "starts": [
            milliseconds(start.median_ms),
            f"{min(start.samples_ms):.0f} – {max(start.samples_ms):.0f} ms",
            *(milliseconds(value) for value in compared),
            *(megabytes(value) for value in resident),
        ],
    }


def _places(results: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Describe each machine once, with the widest of what its measurements differ in."""
    machines: dict[tuple[object, ...], list[Measurement]] = {}
    for result in results:
        place = result.environment
        key = (_machine(place), place.affinity, place.flags, place.python, place.memory_bytes)
        machines.setdefault(key, []).append(result)
    return [{"title": _machine(group[0].environment), "facts": _facts(group)} for group in machines.values()]


def _facts(group: Sequence[Measurement]) -> list[tuple[str, str]]:
    place = group[0].environment
    packages = {name: version for result in group for name, version in result.environment.packages.items()}
    loads = sorted(load for result in group if (load := result.environment.load_average) is not None)
    engines = sorted({f"{one.setup.backend} on {one.setup.threads} thread{'s' * (one.setup.threads > 1)}" for one in group})
    replayed = sorted({_replayed(one.setup) for one in group})

    def known(value: object, name: str, unit: str = "") -> str:
        return f"{value}{unit}" if value is not None else f"{NOT_KNOWN} ({place.missing.get(name, 'not recorded')})"

    facts = [
        ("Processor", known(place.cpu, "cpu")),
        ("Instruction sets", " ".join(place.flags) or NOT_KNOWN),
        ("Cores", f"{known(place.cores, 'cores')}, used: {', '.join(map(str, place.affinity or ())) or NOT_KNOWN}"),
        ("Governor", known(place.governor, "governor")),
        ("Frequency", known(place.frequency_mhz and round(place.frequency_mhz), "frequency_mhz", " MHz")),
        ("Load before", f"{loads[0]} to {loads[-1]} processes" if loads else known(None, "load_average")),
        ("Memory", megabytes(place.memory_bytes) if place.memory_bytes else known(None, "memory_bytes")),
        ("System", f"{place.kernel}, {place.machine}"),
        ("Python", place.python),
        ("Packages", ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))),
        ("Engine", "; ".join(engines)),
        ("Replayed", f"{'; '.join(replayed)}, top {group[0].setup.k} asked for"),
    ]
    return [(term, clean(value)) for term, value in facts]


def _replayed(setup: Setup) -> str:
    if setup.mean_candidates is not None:
        return f"{setup.histories:,} requests of {setup.mean_candidates:.0f} candidates"
    return f"{setup.histories:,} histories" + ("" if setup.mean_events is None else f" of {setup.mean_events:.0f} events")


def _footer(results: Sequence[Measurement]) -> str:
    rounds = max(result.setup.rounds for result in results)
    return (
        f"Timed in {rounds} rounds; before each round the garbage collector was run, then left on, as in an app. "
        "Frequency scaling was left as it was. Nothing on this page is loaded from elsewhere."
    )
