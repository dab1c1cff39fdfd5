"""The code of docs/apps.md and of the client's own page is what works."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from client_models import K
from client_packages import node, node_modules
from serving import served

from edge_rec_runtime import Recommender

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[3] / "docs" / "apps.md"
IDS = ("50", "172", "181")

pytestmark = pytest.mark.xdist_group("clients")


def test_the_snippet_recommends(node_home: Path, engines: Sequence[str], bundles: dict[str, Path]) -> None:
    """As printed, with the address of this machine's server; and with the other engine, where only the import differs."""
    path = bundles["int8"]
    (code,) = re.findall(r"```js\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert "http://localhost:8000/films.edgerec" in code
    with Recommender.open(path) as recommender:
        expected = recommender.recommend(IDS, k=K)
        titles = {one.id: recommender.catalogue.title(recommender.catalogue.row(one.id)) for one in expected}
    for engine in engines:
        with served(path) as (url, _):
            script = code.replace("http://localhost:8000/films.edgerec", url).replace("onnxruntime-web", engine)
            (node_home / "snippet.mjs").write_text(script + "process.exit(0);\n")
            command = [node(), "snippet.mjs"]
            done = subprocess.run(command, cwd=node_home, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        *items, last = done.stdout.splitlines()
        assert [line.rsplit(" ", 1)[0] for line in items] == [f"{one.id} {titles[one.id]}" for one in expected[:5]]
        assert [float(line.rsplit(" ", 1)[1]) for line in items] == pytest.approx([one.score for one in expected[:5]], rel=1e-4)
        assert last == "[] false"


def test_the_types_of_the_client_fit() -> None:
    """TypeScript finds nothing in the modules' JSDoc."""
    compiler = node_modules() / "typescript" / "bin" / "tsc"
    config = Path(__file__).parents[1] / "tsconfig.json"
    done = subprocess.run([node(), str(compiler), "-p", str(config)], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_client_needs_nothing() -> None:
    """It depends on no package, imports its own files only, and its package says so."""
    home = Path(__file__).parents[3] / "clients" / "js"
    package = json.loads((home / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "scripts"} & set(package)
    imports = {name for path in home.rglob("*.js") for name in re.findall(r'from "([^"]+)"', path.read_text())}
    assert imports
    assert all(name.startswith(("./", "../")) for name in imports)


def test_the_lock_file_names_no_registry() -> None:
    """Packages are fetched from wherever npm is told to; the lock file holds versions and checksums."""
    lock = json.loads((Path(__file__).parents[1] / "package-lock.json").read_text())
    assert all("integrity" in one and "resolved" not in one for name, one in lock["packages"].items() if name)
