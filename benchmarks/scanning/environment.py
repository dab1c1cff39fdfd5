"""The peers' environment: their packages on top of this one's, so that torch and onnxruntime are there once."""

from __future__ import annotations

__all__ = ["VARIABLES", "packages_of", "peers_environment"]

import site
import subprocess
import sys
from pathlib import Path

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")

# One thread each, said before any of them is imported.
VARIABLES = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def peers_environment(folder: Path) -> Path:
    """Return the interpreter of the peers' environment, which is made where it is missing or of other versions."""
    python, stamp, wanted = folder / "bin" / "python", folder / "requirements.txt", _REQUIREMENTS.read_text()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing the peers into {folder} ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    inner = next((folder / "lib").glob("python*")) / "site-packages"
    shared = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (inner / "shared.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in shared))
    subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(_REQUIREMENTS)], check=True)
    stamp.write_text(wanted)
    return python


def packages_of(python: Path) -> dict[str, str]:
    """Return the version of each package that the peers' environment adds."""
    return dict(line.split("==") for line in (python.parents[1] / "requirements.txt").read_text().splitlines() if "==" in line)
