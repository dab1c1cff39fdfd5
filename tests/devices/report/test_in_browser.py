"""A real browser builds the page as we meant it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from edge_rec_devices import Measurement, write_report
from edge_rec_devices.report.charts import CHARTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
# Asks the browser where each drawing and each of its texts came to lie, and writes the answer into the page.
PROBE = """<script>
addEventListener("load", () => {
  const lines = [...document.querySelectorAll("svg.chart")].map(svg => {
    const box = svg.getBoundingClientRect();
    const out = [...svg.querySelectorAll("text")].filter(text => {
      const inner = text.getBoundingClientRect();
      return inner.left < box.left - 1 || inner.right > box.right + 1;
    });
    return `${Math.round(box.width)}x${Math.round(box.height)} ${svg.querySelectorAll("text").length} ${out.length}`;
  });
  const wide = document.documentElement.scrollWidth - innerWidth;
  document.body.insertAdjacentHTML("beforeend", `<pre id="probe">${lines.join("\\n")}\\nwide ${wide}</pre>`);
});
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 420])
def test_charts_are_rendered(tmp_path: Path, make: Callable[..., Measurement], width: int) -> None:
    """Every chart has a size and texts, no text leaves its drawing, and the page does not scroll sideways, wide or narrow."""
    write_report([make(precision="fp32"), make(), make(target="tflite", size=380_000)], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    (tmp_path / "probed.html").write_text(page.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update", f"--window-size={width},2000"]
    command = [BROWSER or "", *options, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path}/probed.html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    # The first match is the script's own text.
    found = re.findall(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    *charts, wide = found[-1].splitlines()
    assert len(charts) == len(CHARTS)
    for line in charts:
        size, texts, outside = line.split()
        across, down = map(int, size.split("x"))
        assert across > 250
        assert down > 80
        assert int(texts) > 5
        assert outside == "0"
    assert int(wide.removeprefix("wide ")) <= 0
