"""Deep to shallow: a residual MLP of 102 layers on MovieLens-100K, and a tenth of its layers, taught by it or not.

    python benchmarks/depth.py --json benchmarks/results/depth-ml-100k.json

Everything is trained for the same number of epochs by the same recipe; the shallow network learns from the log alone, then
also from the deep one's answers, then also begins with its item vectors. What is there in ``--output`` is taken as it is.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from compressing.depth import depth_rows
from compressing.files import Place

from edge_rec_devices.environment import describe
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASET = "ml-100k"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows, write and show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/depth-ml-100k.json"), help="where the rows go")
    parser.add_argument("--seeds", type=int, default=3, help="of every network")
    parser.add_argument("--epochs", type=int, default=40, help="of every training")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--output", type=Path, default=Path("runs/compression"), help="where networks are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    place = Place(dataset=DATASET, data=asked.data, teachers=asked.output, output=asked.output)
    rows = depth_rows(place, seeds=asked.seeds, epochs=asked.epochs)
    command = f"python benchmarks/depth.py --seeds {asked.seeds} --epochs {asked.epochs} --json {asked.json}"
    machine = asdict(describe(packages=("numpy", "torch", "onnxruntime")))
    text = json.dumps({"schema": 1, "command": command, "machine": machine, "rows": rows}, indent=1) + "\n"
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    replace_file(asked.json, lambda stream: stream.writelines([text.encode()]))
    print(f"{'variant':12} {'layers':>6} {'weights':>8} {'bytes':>8} {'NDCG@10':>8} {'95 %':15} {'over alone':>10} 95 %")
    for row in rows:
        (low, high), (least, most) = row["ndcg_at_10_ci"], row["over_alone_ci"]
        print(
            f"{row['variant']:12} {row['layers']:6} {row['parameters']:8} {row['model_bytes']:8} {row['ndcg_at_10']:8.4f} "
            f"{low:.4f} - {high:.4f} {row['over_alone']:10.3f} {least:.3f} - {most:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
