"""The example page in a real Chromium: what it shows is what the runtime recommends, in both engines, and nothing leaves it."""

from __future__ import annotations

import json
import struct
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from browser_films import LONGEST, film_bundles
from browser_visits import Browser, served
from client_packages import node, node_modules

from edge_rec_runtime import Recommender

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_TOP = 10
_ALIKE = 2e-3  # what one other rounding to 8 bits inside the network moves a score by
_WATCHED = [f"i{row}" for row in (3, 9, 15, 40, 3)]  # the last one a second time

# in one worker: a model is trained once, and one browser runs at a time
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the bundle of invented films for each target."""
    torch.set_num_threads(1)
    return film_bundles(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def url(bundles: dict[str, Path]) -> Iterator[str]:
    """Serve the page with both bundles."""
    with served(list(bundles.values())) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once."""
    started = Browser()
    yield started
    started.close()


def _is_the_runtimes(shown: list[str], bundle: Path, history: list[str]) -> bool:
    """Tell whether these are the runtime's items, in its order but for those that it scores alike."""
    with Recommender.open(bundle) as recommender:
        wanted = [item.id for item in recommender.recommend(history, k=_TOP)]
        if shown == wanted or not history:
            return shown == wanted
        exact, ours = (np.array(recommender.score(history, items)) for items in (wanted, shown))
        return len(set(shown) - set(history)) == _TOP and bool(np.allclose(ours, exact, rtol=_ALIKE, atol=0))


@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_films_shown_are_the_runtimes(browser: Browser, bundles: dict[str, Path], url: str, target: str) -> None:
    """After every click, with the network cut: before the first film, at one twice, and beyond the model's window."""
    longer = [f"i{row}" for row in range(60, 60 + LONGEST + 2)]
    films = [*_WATCHED, *longer]
    choose = ["click", f"#engines label:has(input[value={target}])"]
    seen = browser.visit(url, [choose, ["offline"], *(["watch", film] for film in films)])
    history: list[str] = []
    for film, step in zip(["", *films], seen.steps[2:], strict=True):
        history = [*(one for one in history if one != film), film] if film else []
        assert step["history"] == history
        assert _is_the_runtimes(step["picks"], bundles[target], history)
        assert _is_the_runtimes(step["similar"], bundles[target], [film]) if film else step["similar"] == []
        assert step["problem"] is None
    assert seen.errors == []


def test_nothing_is_asked_of_any_other_server_and_nothing_after_loading(browser: Browser, url: str) -> None:
    """Every request goes to the page's origin, none carries anything, and none follows once an engine is there."""
    seen = browser.visit(url, [["watch", "i3"], ["watch", "i9"], ["type", "comet paper"], ["click", "#films button"]])
    origins = {urlsplit(one["url"]).netloc for one in seen.requests if not one["url"].startswith("data:")}
    assert origins == {urlsplit(url).netloc}
    assert all("?" not in one["url"] for one in seen.requests)
    assert [one for one in seen.requests if one["step"] > 0] == []


def test_the_page_remembers_and_forgets(browser: Browser, bundles: dict[str, Path], url: str) -> None:
    """History and engine are there after a reload; a film can be taken out, and all of them."""
    remove, again = ["click", '#history [data-id="i9"]'], ["click", "#forget"]
    engine = ["evaluate", "document.querySelector('#engines :checked').value"]
    choose = ["click", "#engines label:has(input[value=tflite])"]
    seen = browser.visit(url, [["watch", "i3"], ["watch", "i9"], choose, ["reload"], engine, remove, again, ["reload"]])
    *_, reloaded, chosen, removed, emptied, at_last = seen.steps
    assert (reloaded["history"], chosen["value"]) == (["i3", "i9"], "tflite")
    assert _is_the_runtimes(reloaded["picks"], bundles["tflite"], ["i3", "i9"])
    assert _is_the_runtimes(reloaded["similar"], bundles["tflite"], ["i9"])
    assert removed["history"] == ["i3"]
    assert _is_the_runtimes(removed["picks"], bundles["tflite"], ["i3"])
    assert emptied["history"] == at_last["history"] == []
    assert seen.errors == []


def test_search_finds_titles_as_people_write_them(browser: Browser, url: str) -> None:
    """Without accents and in any order; genres and years count; what nobody made is said."""
    texts = ("cafe paper", "the signal of north", "Documentary", "no such film", "")
    seen = browser.visit(url, [["type", text] for text in texts])
    cafe, signal, documentary, nothing, everything = (step["listed"] for step in seen.steps[1:])
    assert cafe == ["i55"]
    assert signal == ["i0"]  # in the catalogue: "Signal of the North, The"
    assert {int(one[1:]) % 6 for one in documentary} == {5}
    assert (nothing, len(everything)) == ([], 30)


def test_the_keyboard_is_enough(browser: Browser, url: str) -> None:
    """Tab goes from the search to what was found, Enter watches, and the focus stays on a film; arrows choose the engine."""
    engines = ["evaluate", "document.querySelector('#engines :checked').focus()"]
    steps = [["type", "alibi"], ["press", "Tab", "Enter"], engines, ["press", "ArrowRight"]]
    steps.append(["evaluate", "document.querySelector('#engines :checked').value"])
    _, typed, entered, _, _, chosen = browser.visit(url, steps).steps
    assert entered["history"] == typed["listed"][:1]
    assert entered["focus"] in {"picks-heading", *entered["history"]}
    assert (chosen["value"], chosen["problem"]) == ("tflite", None)


def test_everything_that_can_be_operated_has_a_name(browser: Browser, url: str) -> None:
    """Buttons, inputs and lists say what they are to those who hear the page."""
    named = """[...document.querySelectorAll("button, input, section, [role=radiogroup]")].filter((one) => {
      const labels = [...(one.labels ?? [])].map((label) => label.textContent);
      const by = document.getElementById(one.getAttribute("aria-labelledby") ?? "")?.textContent;
      const own = one.matches("button") ? one.textContent : "";
      return ![one.getAttribute("aria-label"), by, own, ...labels].some((text) => text?.trim());
    }).map((one) => one.outerHTML)"""
    assert browser.visit(url, [["watch", "i3"], ["evaluate", named]]).steps[-1]["value"] == []


def test_it_fits_the_screen(browser: Browser, url: str, tmp_path: Path) -> None:
    """Nothing reaches over the side of a phone or of a desk's screen, in either scheme, and there are pictures to look at."""
    screens = [(scheme, size) for scheme in ("light", "dark") for size in ((360, 740), (390, 844), (1280, 900))]
    steps, over = [["watch", "i3"], ["watch", "i40"]], "document.documentElement.scrollWidth - innerWidth"
    for scheme, (width, height) in screens:
        picture = tmp_path / f"{width}-{scheme}.png"
        steps += [["screen", scheme, str(width), str(height)], ["evaluate", over], ["picture", str(picture)]]
    seen = browser.visit(url, steps)
    assert [step["value"] for step in seen.steps if "value" in step] == [0] * len(screens)
    for scheme, size in screens:
        assert struct.unpack(">II", (tmp_path / f"{size[0]}-{scheme}.png").read_bytes()[16:24]) == size
    assert seen.errors == []


def test_a_damaged_bundle_is_a_sentence(browser: Browser, bundles: dict[str, Path], url: str, tmp_path: Path) -> None:
    """It names the file and what to do; what was open goes on; a whole file is then taken."""
    whole = bundles["onnx"].read_bytes()
    flipped, cut, text = (tmp_path / f"{name}.edgerec" for name in ("flipped", "cut", "text"))
    place = whole.index(b"i64\n") if b"i64\n" in whole else len(whole) // 3
    flipped.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    cut.write_bytes(whole[:-40])
    text.write_text("not a bundle")
    damaged = [flipped, cut, text]
    steps = [["watch", "i3"], *(["files", str(one)] for one in damaged), ["watch", "i9"], ["files", str(bundles["tflite"])]]
    seen = browser.visit(url, steps)
    for file, step in zip(damaged, seen.steps[2:], strict=False):
        assert step["problem"].startswith(file.name)
        assert len(step["problem"]) < 400
        assert step["history"] == ["i3"]
    for target, step in zip(("onnx", "tflite"), seen.steps[-2:], strict=True):
        assert step["problem"] is None
        assert _is_the_runtimes(step["picks"], bundles[target], ["i3", "i9"])
    assert seen.errors == []


def test_a_damaged_bundle_at_the_start_is_a_sentence(browser: Browser, bundles: dict[str, Path], tmp_path: Path) -> None:
    """The page says what is wrong, and opens a file that is chosen then."""
    broken = tmp_path / "broken.edgerec"
    broken.write_bytes(bundles["onnx"].read_bytes()[:5_000])
    with served([broken]) as address:
        seen = browser.visit(address, [["files", str(bundles["onnx"])]])
    start, mended = seen.steps
    assert start["problem"].startswith("broken.edgerec")
    assert (start["picks"], start["listed"]) == ([], [])
    assert mended["problem"] is None
    assert _is_the_runtimes(mended["picks"], bundles["onnx"], [])
    assert seen.errors == []


def test_a_bundle_of_another_kind_is_a_sentence(browser: Browser, url: str) -> None:
    """It says the kind, and does not send its owner to make a graph that there cannot be."""
    neighbours = _ROOT / "tests/runtime/golden/v1-neighbours.edgerec"
    seen = browser.visit(url, [["files", str(neighbours)]])
    assert seen.steps[-1]["problem"] == "v1-neighbours.edgerec: its kind is neighbours; this page takes retrievers"


def test_opened_as_a_file_it_names_the_server(browser: Browser) -> None:
    """Browsers load no module from a file, so the page would stay empty without a word."""
    seen = browser.visit((_ROOT / "examples/browser/index.html").as_uri())
    assert "node examples/browser/serve.js" in (seen.steps[0]["problem"] or "")


def test_its_types_hold_together(tmp_path: Path) -> None:
    """What the comments say of types is true of the page, its engines and its server."""
    modules, types = node_modules(), {"edgerec": _ROOT / "clients" / "js" / "edgerec.js"}
    types["@litertjs/core"] = modules / "@litertjs" / "core"
    options = json.loads((Path(__file__).with_name("tsconfig.json")).read_text())["compilerOptions"]
    options |= {"module": "esnext", "moduleResolution": "bundler", "types": ["node"], "typeRoots": [str(modules / "@types")]}
    options["paths"] = {name: [str(path)] for name, path in types.items()}
    pages = str(_ROOT / "examples" / "browser" / "**" / "*.js")
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": [pages]}))
    command = [node(), str(modules / "typescript" / "bin" / "tsc"), "-p", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_server_refuses_what_it_does_not_know() -> None:
    """An option that there is not, or that lacks its value, is one sentence with the usage."""
    for words in (["--prot", "1"], ["--port"]):
        command = [node(), str(_ROOT / "examples" / "browser" / "serve.js"), *words]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (found.returncode, found.stdout, len(found.stderr.splitlines())) == (1, "", 1)
        assert words[0] in found.stderr
        assert "use serve.js [BUNDLE...] [--port 8000] [--modules FOLDER]" in found.stderr


def test_the_server_gives_out_its_own_folders_and_nothing_else(url: str) -> None:
    """A path that climbs out of them is not found."""
    for path in (
        "..%2f..%2fpyproject.toml",
        "edgerec/..%2f..%2f..%2fpyproject.toml",
        "bundles/..%2fserve.js",
        "node_modules/",
        "%ff",
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + path, timeout=20)  # noqa: S310 - the address of our own server
        assert refused.value.code in {400, 404}
