"""The page: complete, alone, the same every time, and safe with hostile names."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from edge_rec_devices import Measurement, load_results, save_results, write_report
from edge_rec_devices.report.charts import CHARTS
from edge_rec_devices.report.page import render

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., Measurement]
HOSTILE = "</svg></style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}$\\frac{1}{2}$&\u202e#010001"


class Tags(HTMLParser):
    """Collects what a browser would build."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def six(make: Make) -> list[Measurement]:
    """Give the results of a whole comparison."""
    return [
        make(precision=precision, target=target, size=size, p50=p50)
        for target in ("onnx", "tflite")
        for precision, size, p50 in (("fp32", 1_350_000, 0.4), ("int8", 400_000, 0.3), ("binary", 480_000, 0.35))
    ]


def test_the_page_needs_nothing_from_elsewhere(six: list[Measurement]) -> None:
    """No script, no link, no image, no import: nothing that would be fetched, and no address at all."""
    page = render(six)
    tags = Tags(page).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "embed", "image", "base"}
    references = [value for _, attributes in tags for name, value in attributes.items() if name.endswith(("href", "src"))]
    assert all(value is not None and value.startswith("#") for value in references)
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"@import|url\((?!#)", page)


def test_every_chart_is_there_with_a_description(six: list[Measurement]) -> None:
    """Each chart is an inline drawing that says in words what it shows; the table has a caption."""
    page = render(six)
    drawings = [attributes for tag, attributes in Tags(page).tags if tag == "svg"]
    assert len(drawings) == len(CHARTS)
    assert all(drawing["role"] == "img" and "int8 · onnx" in (drawing["aria-label"] or "") for drawing in drawings)
    assert all(f'id="chart-{name}"' in page for name in CHARTS)
    assert page.count("<caption>") == page.count("<table>") == 3


def test_ids_are_unique_and_references_find_them(six: list[Measurement]) -> None:
    """Six drawings in one page do not borrow each other's clips and markers."""
    page = render(six)
    ids = [attributes["id"] for _, attributes in Tags(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^")]+)', page))
    assert wanted
    assert wanted <= set(ids)


def test_colours_and_fonts_are_the_pages(six: list[Measurement]) -> None:
    """Every colour of a drawing is a variable that the style sheet defines for light and for dark; no font is named."""
    page = render(six)
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", page))
    for scheme in re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:2]:
        assert used <= set(re.findall(r"--([a-z0-9-]+):", scheme))
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "#0100" not in drawings
    assert "font-family" not in drawings
    assert not re.search(r"(?:fill|stroke): #", drawings)


def test_a_hostile_name_is_shown_and_does_nothing(make: Make) -> None:
    """Names, targets and versions from files are text: they open no tag, run nothing and break no drawing."""
    result = make(model=HOSTILE, precision=HOSTILE, target=HOSTILE, cpu=HOSTILE)
    result = replace(result, environment=replace(result.environment, packages={HOSTILE: HOSTILE}, governor=HOSTILE))
    page = render([result, make()])
    plain = render([make(), make()])
    assert {tag for tag, _ in Tags(page).tags} == {tag for tag, _ in Tags(plain).tags}
    assert not any(name.startswith("on") for _, attributes in Tags(page).tags for name in attributes)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert len([tag for tag, _ in Tags(page).tags if tag == "svg"]) == len(CHARTS)


def test_the_same_results_give_the_same_bytes(tmp_path: Path, six: list[Measurement]) -> None:
    """In this process and in another: no date, no random id."""
    save_results(tmp_path / "r.json", six)
    write_report(six, tmp_path / "a.html")
    write = "from edge_rec_devices import *; write_report(load_results(Path('r.json')), Path('b.html'))"
    subprocess.run([sys.executable, "-c", f"from pathlib import Path; {write}"], cwd=tmp_path, check=True)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_results_without_quality_are_reported(make: Make) -> None:
    """Charts that have nothing to show say so; the others stand."""
    page = render([make(ndcg=None, overlap=None), make(ndcg=None, overlap=None, target="tflite")])
    assert page.count("carry no quality figures") == 2
    assert page.count("<svg") == len(CHARTS) - 2


def test_rankers_have_their_figures(make: Make) -> None:
    """Their AUC stands in the table and in the charts, their requests in the environment; a page without rankers has neither."""
    ranker = make(ndcg=None, overlap=None, auc=0.7412)
    ranker = replace(ranker, setup=replace(ranker.setup, mean_events=None, mean_candidates=100.0))
    page = render([ranker])
    assert '<td class="n">0.7412</td>' in page
    assert "AUC against model size" in page
    assert "64 requests of 100 candidates" in page
    assert page.count("<svg") == len(CHARTS)
    assert "AUC" not in render([make()])


@pytest.mark.parametrize("figure", [0.0, 5e-324, 1e18])
def test_absurd_figures_do_not_break_the_page(tmp_path: Path, make: Make, figure: float) -> None:
    """A file that is well-formed but says nonsense, every duration and score at once, still becomes a page."""
    save_results(tmp_path / "r.json", [make(), make(precision="fp32")])
    text = re.sub(
        r'"(\w+_ms|share|ndcg\w*|overlap\w*|mean_events|seconds)": \d[\d.e-]*',
        rf'"\1": {figure}',
        (tmp_path / "r.json").read_text(),
    )
    (tmp_path / "r.json").write_text(text)
    assert render(load_results(tmp_path / "r.json")).count("<svg") == len(CHARTS)


def test_one_result_and_many_are_reported(make: Make) -> None:
    """A single bundle, and twenty of several models and machines, fit the page."""
    assert "<svg" in render([make()])
    many = [make(model=f"model-{n % 4}", size=10 ** (4 + n % 4), p50=0.1 * 3 ** (n % 5), cpu=f"CPU {n % 2}") for n in range(20)]
    page = render(many)
    assert page.count('class="place"') == 2


def test_importing_the_package_draws_in_no_drawing_library() -> None:
    """A device that only measures has neither matplotlib nor jinja2."""
    code = "import sys, edge_rec_devices; print(*[name for name in ('matplotlib', 'jinja2') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
