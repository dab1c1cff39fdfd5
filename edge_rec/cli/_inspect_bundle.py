"""``edge-rec inspect`` for bundles: what is in one, and whether it is whole."""

from __future__ import annotations

__all__ = ["show_bundle"]

from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._show import show_json, show_table
from edge_rec_runtime import Bundle
from edge_rec_runtime.backends import BACKENDS, installed
from edge_rec_runtime.bundle import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_rec_runtime import Feature
    from edge_rec_runtime.bundle import RetrieverMember


def show_bundle(bundle: Path, *, as_json: bool) -> None:
    """Print what is in a bundle; every byte of it is checked first.

    Raises:
        BundleError: It is no bundle, damaged, or was changed.
    """
    with Bundle.open(bundle, verify="full") as opened:
        record = _record(opened)
    if as_json:
        show_json(record)
        return
    show_table([{"bundle": name, "value": _text(value)} for name, value in _summary(record).items()])
    steps, graphs = _steps(record["provenance"]), _graphs(record["verification"])
    apart = {"verification": "retriever" if graphs else None, "provenance": "compression" if steps else None}
    for title in ("metrics", "verification", "provenance"):
        values = {name: value for name, value in record[title].items() if name != apart.get(title)}
        if values:
            click.echo()
            show_table([{title: name, "value": _text(value)} for name, value in _with_intervals(values).items()])
    for target, verdict in graphs.items():
        click.echo()
        show_table([{f"{target} graph": name, "value": _text(value)} for name, value in _with_intervals(verdict).items()])
    if steps:
        click.echo()
        show_table(steps)
    click.echo()
    show_table(record["members"])


def _record(bundle: Bundle) -> dict[str, Any]:
    """Return all there is to show, as plain values."""
    manifest, catalogue = bundle.manifest, bundle.catalogue
    return {
        "name": manifest.name,
        "kind": manifest.kind,
        "integrity": "every byte is as it was written",
        "precision": manifest.precision.asked.slug,
        "network": manifest.precision.network,
        "items": len(catalogue),
        "dims": manifest.dims or None,
        "max_length": manifest.max_length or None,
        "bytes": bundle.nbytes,
        "model_bytes": manifest.model_bytes,
        "encoders": list(manifest.encoder_members),
        "tables": manifest.layouts,
        **({} if manifest.retriever is None else {"retriever": _whole(bundle, manifest.retriever)}),
        "features": {feature.name: _described(feature) for feature in bundle.features},
        "titles": catalogue.titles is not None,
        "attributes": list(catalogue.attributes or {}),
        "popularity": catalogue.popularity is not None,
        "engines": {name: metadata.version(BACKENDS[name].package.replace("_", "-")) for name in installed()},
        "runs_here": [name for name in installed() if BACKENDS[name].target in manifest.encoder_members]
        if KINDS[manifest.kind].graph
        else ["numpy"],
        "metrics": dict(manifest.metrics),
        "verification": dict(manifest.verification),
        "provenance": dict(manifest.provenance),
        "members": [{"member": name, "bytes": size} for name, size in bundle.members.items()],
    }


def _whole(bundle: Bundle, retriever: RetrieverMember) -> dict[str, Any]:
    """Return what there is to say of retriever graphs: items of an answer, and the bytes of each."""
    return {"k": retriever.k, "graphs": {target: bundle.members[name] for target, name in retriever.members.items()}}


def _described(feature: Feature) -> str:
    """Return a feature in a few words, like ``category of item, 18 words``."""
    words = f", {len(feature.vocabulary):,} words" if feature.vocabulary else ""
    return f"{feature.kind} of {feature.of}{words}" + (f", at most {feature.longest}" if feature.longest > 1 else "")


def _summary(record: Mapping[str, Any]) -> dict[str, object]:
    """Return the record without what is shown in tables of its own."""
    apart = ("metrics", "verification", "provenance", "members")
    return {name: value for name, value in record.items() if name not in apart}


def _graphs(verification: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the verdict on the retriever graph of each target; what is not understood is left out."""
    told = verification.get("retriever")
    return {name: one for name, one in told.items() if isinstance(one, dict) and one} if isinstance(told, dict) else {}


def _steps(provenance: Mapping[str, Any]) -> list[dict[str, object]]:
    """Return a row for each step of compression; a bundle may hold anything there, and what is not understood is left out."""
    told = provenance.get("compression")
    rows: list[dict[str, object]] = []
    for step in told if isinstance(told, list) else []:
        effect = step.get("effect") if isinstance(step, dict) else None
        if isinstance(effect, dict):
            figures = {title: _text(effect.get(name)) for title, name in _EFFECT.items()}
            rows.append({"compressed by": str(step.get("form")), **figures})
    return rows


_EFFECT = {
    "weights": "parameters",
    "not zero": "nonzeros",
    "model bytes": "model_bytes",
    "NDCG@10 kept": "ndcg_kept",
    "overlap@10": "overlap_at_10",
}


def _with_intervals(values: Mapping[str, Any]) -> dict[str, object]:
    """Put each ``x_ci`` behind its ``x``."""
    shown: dict[str, object] = {}
    for name, value in values.items():
        if name.endswith("_ci") and name.removesuffix("_ci") in values:
            continue
        interval = values.get(f"{name}_ci")
        shown[name] = f"{_text(value)} [{', '.join(map(_text, interval))}]" if isinstance(interval, list) else value
    return shown


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
