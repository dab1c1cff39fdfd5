"""``edge-rec sensitivity``: what each layer of a model can bear, and who pays for it."""

from __future__ import annotations

__all__ = ["sensitivity"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._log import known_log, load_log, log_options
from edge_rec.cli._output import require_writable
from edge_rec.cli._show import Bar, json_option, say, show_json, show_table
from edge_rec.compress.changes import ALONE
from edge_rec.compress.sensitivity import sensitivity as find
from edge_rec.compress.sensitivity_plot import draw_sensitivity
from edge_rec.models import load_run, read_config
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.compress.sensitivity import GroupLoss, Sensitivity


@click.command()
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path, file_okay=False))
@click.option("--plot", metavar="FILE.svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw both tables, too.")
@click.option(
    "--users", default=2000, show_default=True, type=click.IntRange(min=1), help="Sample that the layers are judged by."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Draws the sample.")
@log_options
@json_option
def sensitivity(
    model: Path,
    *,
    plot: Path | None,
    users: int,
    dataset: str | None,
    folder: Path,
    seed: int,
    as_json: bool,
    **columns: Any,  # noqa: ANN401 - the options that name columns
) -> None:
    """Show what each layer of MODEL, a run directory, loses when it alone is pruned or rounded, and who pays when all are.

    Nothing is trained on, and all is judged by the validation events. The first table has the share of NDCG@10 that is kept, and
    after the bar the overlap@10. The second has it for groups of users and for items of more and less popularity; a group that
    surely keeps less than everybody does is marked with "pays". What is known of users, such as their age, is in the log.

    \b
    Examples: edge-rec sensitivity runs/films
              edge-rec sensitivity runs/films --plot sensitivity.svg --users 500
    """
    if plot is not None:
        require_writable(plot.parent)
    name = known_log(dataset, read_config(model))
    attributes: Mapping[str, Mapping[str, str]] = {}
    if name is not None:
        attributes = load_log(name, folder, columns).users.attributes
    found = find(load_run(model), model, attributes=attributes, users=users, seed=seed, progress=Bar("Changing layers"))
    if plot is not None:
        drawn = draw_sensitivity(found).encode()
        replace_file(plot, lambda stream: stream.writelines([drawn]))
    if as_json:
        show_json(found.record())
        return
    show_table(_layers(found))
    click.echo()
    show_table([_group(row) for row in found.groups])
    say(f"The first table is of {found.users:,} users, whose NDCG@10 is {found.ndcg_at_10:.4f} as the model is.")


def _layers(found: Sensitivity) -> list[dict[str, object]]:
    """Return one line a layer: NDCG@10 kept, and overlap@10, under each change."""
    rows: dict[str, dict[str, object]] = {}
    for one in found.layers:
        cells = rows.setdefault(one.layer, {"layer": one.layer, "values": one.values} | dict.fromkeys(ALONE))
        cells[one.change] = f"{one.ndcg_kept:.3f} | {one.overlap_at_10:.3f}"
    return list(rows.values())


def _group(one: GroupLoss) -> dict[str, object]:
    return {
        "all layers": one.change,
        "by": one.by,
        "group": one.group,
        "users": one.users,
        "NDCG@10": f"{one.ndcg_before:.4f} -> {one.ndcg_at_10:.4f}",
        "kept": f"{one.ndcg_kept:.3f}",
        "95%": "{:.3f} - {:.3f}".format(*one.ndcg_kept_ci),
        "overlap@10": f"{one.overlap_at_10:.3f}",
        "": "pays" if one.pays else "",
    }
