"""Result files: what is written is read back as it was; what is not a result is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec_devices import Measurement, load_results, save_results
from edge_rec_devices.result import quality_of
from edge_rec_devices.result_file import MAX_BYTES
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., Measurement]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, one in inner for place in places(one, (*path, key))]


def put(document: Any, path: tuple[Any, ...], value: object) -> None:  # noqa: ANN401 - any JSON
    """Replace one value inside a document."""
    *way, last = path
    for key in way:
        document = document[key]
    document[last] = value


def test_what_is_written_is_read_back(tmp_path: Path, make: Make) -> None:
    """Every figure survives the file, to the bit, with and without quality figures."""
    results = (make(precision="fp32"), make(ndcg=None, overlap=None), make(cpu="Zoë's “board” \u202e"))
    save_results(tmp_path / "r.json", results)
    assert load_results(tmp_path / "r.json") == results
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_results_of_an_older_release_are_read(tmp_path: Path, make: Make) -> None:
    """Files written before there were kinds and rankers lack those keys; they are of retrievers."""
    path = tmp_path / "r.json"
    save_results(path, [make()])
    document = json.loads(path.read_text())
    (result,) = document["results"]
    del result["subject"]["kind"], result["setup"]["mean_candidates"]
    for name in ("examples", "auc", "log_loss"):
        del result["subject"]["quality"][name]
    path.write_text(json.dumps(document))
    assert load_results(path) == (make(),)


def test_a_newer_schema_says_to_upgrade(tmp_path: Path, make: Make) -> None:
    """A file of a later release is not misread."""
    path = tmp_path / "r.json"
    save_results(path, [make()])
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 2}))
    with pytest.raises(MeasurementError, match="schema 2, this release reads up to 1; upgrade"):
        load_results(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        "9" * 5_000,
        '{"schema": true}',
        '{"schema": 0}',
        '{"schema": NaN}',
        '{"schema": 1}',
        '{"schema": 1, "results": []}',
        '{"schema": 1, "results": [{}]}',
        '{"schema": 1, "results": 1e999}',
    ],
)
def test_what_is_no_result_file_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence that names the file, whatever stands in it."""
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(MeasurementError, match=r"r\.json"):
        load_results(path)


def test_missing_binary_and_huge_files_are_refused(tmp_path: Path) -> None:
    """No file, bytes that are no text, and a file that is too large are told apart."""
    with pytest.raises(MeasurementError, match="No such file"):
        load_results(tmp_path / "nowhere.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(MeasurementError, match="is not JSON"):
        load_results(tmp_path / "b.json")
    with (tmp_path / "h.json").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(MeasurementError, match="at most"):
        load_results(tmp_path / "h.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(data=st.data())
def test_any_changed_value_is_accepted_whole_or_refused(tmp_path: Path, make: Make, data: st.DataObject) -> None:
    """A file with any value replaced by any other gives results or a MeasurementError, never another exception."""
    path = tmp_path / "r.json"
    save_results(path, [make()])
    document = json.loads(path.read_text())
    put(document, data.draw(st.sampled_from(places(document)[1:])), data.draw(JSON))
    path.write_text(json.dumps(document))
    try:
        results = load_results(path)
    except MeasurementError as error:
        said = str(error)
    else:
        save_results(path, results)
        said = "r.json" if load_results(path) == results else "read back otherwise"
    assert "r.json" in said


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails while the new file is synced costs neither the old file nor leaves a part of the new one."""
    path = tmp_path / "r.json"
    save_results(path, [make()])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_results(path, [make(precision="fp32")])
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["r.json"]


def test_quality_is_what_the_manifest_says() -> None:
    """Known figures are taken, others left; a figure that is none is refused with the bundle's name."""
    found = quality_of({"users": 5, "ndcg_at_10": 0.5, "ndcg_at_10_ci": [0.4, 0.6], "mrr_at_10": 0.1}, where="a.edgerec")
    assert (found.users, found.ndcg_at_10, found.ndcg_at_10_ci, found.overlap_at_10) == (5, 0.5, (0.4, 0.6), None)
    assert quality_of({}, where="a.edgerec").ndcg_at_10 is None
    with pytest.raises(MeasurementError, match=r"a\.edgerec: metrics\.ndcg_at_10 has 'high'"):
        quality_of({"ndcg_at_10": "high"}, where="a.edgerec")
