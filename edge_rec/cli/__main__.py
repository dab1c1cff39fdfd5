"""``python -m edge_rec.cli``: the same as the ``edge-rec`` command."""

from edge_rec.cli import main

main()
