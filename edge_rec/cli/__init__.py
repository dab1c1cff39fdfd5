"""The ``edge-rec`` command: one module a subcommand, imported when it is called.

A device has only numpy, click and one engine; so nothing here may import a subcommand before it is asked for.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "main"]

import errno
import importlib
import sys

import click

from edge_rec import __version__
from edge_rec.cli._show import plain
from edge_rec_runtime import errors

# name -> (module, one line for the overview). The line stands here so that `edge-rec --help` imports no subcommand.
COMMANDS: dict[str, tuple[str, str]] = {
    "data": ("edge_rec.cli.data", "Fetch a public data set, or look at an interaction log."),
    "train": ("edge_rec.cli.train", "Train a recommender on an interaction log."),
    "compress": ("edge_rec.cli.compress", "Prune, distil, factorise or quantise a trained model."),
    "recipes": ("edge_rec.cli.recipes", "List the recipes of compression that are shipped."),
    "sensitivity": ("edge_rec.cli.sensitivity", "Show what each layer of a model can bear, and who pays for it."),
    "convert": ("edge_rec.cli.convert", "Turn a model into bundles, each verified before it is written."),
    "verify": ("edge_rec.cli.verify", "Compare a bundle with the model it came from."),
    "inspect": ("edge_rec.cli.inspect", "Show what is in a bundle, or in an .onnx or .tflite file; or what runs them here."),
    "graph": ("edge_rec.cli.graph", "Write out the graph of a bundle, for apps that have an engine alone."),
    "recommend": ("edge_rec.cli.recommend", "Recommend the next items after a history."),
    "rank": ("edge_rec.cli.rank", "Put candidates in order, best first."),
    "similar": ("edge_rec.cli.similar", "List the items most like one item."),
    "bench": ("edge_rec.cli.bench", "Measure a bundle on this machine."),
    "report": ("edge_rec.cli.report", "Turn bench results into one self-contained HTML page."),
    "demo": ("edge_rec.cli.demo", "Do the whole job on MovieLens-100K."),
}


class _Commands(click.Group):
    """A group that imports a subcommand when it is called, and turns our errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name][0])
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("edge_rec"):
                raise
            message = (
                f"edge-rec {cmd_name} needs the package '{error.name}', which is not installed; run: pip install 'edge-rec[host]'"
            )
            raise _Failure(errors.DependencyError(message)) from error
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except errors.EdgeRecError as error:
            raise _Failure(error) from error
        except BrokenPipeError:  # `edge-rec inspect ... | head -1`: click ends quietly, with exit code 1
            raise
        except OSError as error:
            raise _Failure(errors.EdgeRecError(_os_sentence(error))) from error
        except KeyboardInterrupt:
            click.echo("interrupted; the same command goes on from what was kept", err=True)
            sys.exit(130)


class _Failure(click.ClickException):
    """One of our errors, as click shows it."""

    def __init__(self, error: errors.EdgeRecError) -> None:
        super().__init__(plain(str(error)))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click reads it from the instance


def _os_sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "check that the path exists and may be read and written")
    return f"{where}{error.strerror or error}; {remedy}"


_REMEDIES = {
    errno.ENOSPC: "free some space or choose another place; nothing was left half-written",
    errno.EFBIG: "the system limits the size of files here; choose another place, nothing was left half-written",
    errno.EISDIR: "a file was expected there",
    errno.ENOTDIR: "a folder was expected there",
}


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="edge-rec")
def main() -> None:
    """Compress a trained recommender, convert it, serve it offline from one file.

    \b
    The whole job on MovieLens-100K:  edge-rec demo -o demo
    On a device, with a bundle:       edge-rec recommend movies.edgerec --history 50 --history 172

    Exit codes: 1 disk or system, 2 usage, 3 data, 4 model, 5 conversion, 6 failed gate, 7 bundle, 8 missing engine or
    package, 9 request, 10 measurement, 130 interrupted.
    """
