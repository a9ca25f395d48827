"""Files of any size, encoding and state of repair; what is broken costs no more than itself."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imported import all_of, written

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import CannotImport, ids, scan

MAP = {"input": "q", "id": "id", "time": "t"}
#: A time that every record tells: without one the file's own date counts.
T = 1772359200


def _record(n: int, said: str = "x") -> dict[str, Any]:
    return {"q": f"{said}{n}", "id": n, "t": T}


def _inputs(batch: Any) -> list[str]:
    return [arrived.span.attributes[a.INPUT] for arrived in batch.spans]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body,
        gzip.compress,
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.decode().encode("utf-16"),
        lambda body: b"\xfe\xff" + body.decode().encode("utf-16-be"),
        lambda body: body.replace(b"\n", b"\r\n"),
        lambda body: b"\n\n  \n" + body,
        lambda body: body.rstrip(b"\n"),
        lambda body: b"[" + b",".join(body.splitlines()) + b"]",
        lambda body: b"[\n  " + b"\n ,".join(body.splitlines()) + b"\n]\n",
        lambda body: b"\n".join(json.dumps(json.loads(x), indent=2).encode() for x in body.splitlines()),
    ],
)
def test_the_same_records_in_whatever_file(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    body = "".join(json.dumps(_record(n, 'ü"{[\\')) + "\n" for n in range(5)).encode()
    batch = all_of(written(tmp_path, "f.jsonl", change(body)), mapping=MAP)
    assert batch.aside == []
    assert _inputs(batch) == [f'ü"{{[\\{n}' for n in range(5)]


def test_bad_lines_are_set_aside_with_a_reason_and_the_others_are_read(tmp_path: Path) -> None:
    deep = b'{"q":' + b"[" * 3000 + b"]" * 3000 + b"}"
    lines = [
        json.dumps(_record(0)).encode(),
        b'{"q": "cut of',
        b'{"q": "\xff\xfe"}',
        b"[1, 2]",
        b"\x00\x01\x02",
        deep,
        b'{"q": NaN, "id": 6, "t": 1772359200}',
        b'{"q": "\\ud800", "id": 7, "t": 1772359200}',
        b'{"q": "\x1b[31mred\x1b]0;evil\x07", "z"}',
        json.dumps(_record(9)).encode(),
    ]
    batch = all_of(written(tmp_path, "f.jsonl", b"\n".join(lines)), mapping=MAP)
    assert [aside.place for aside in batch.aside] == [f"line {n}" for n in (2, 3, 4, 5, 6, 9)]
    assert "UTF-8" in batch.aside[1].why
    assert "no object" in batch.aside[2].why
    assert "nested" in batch.aside[4].why
    assert "\x1b" not in batch.aside[5].text
    assert _inputs(batch) == ["x0", "nan", "\ufffd", "x9"]


def test_a_line_of_50_mb_is_passed_over_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(json.dumps(_record(0)).encode() + b'\n{"q": "')
        for _ in range(50):
            file.write(b"y" * (1 << 20))
        file.write(b'"}\n' + json.dumps(_record(1)).encode() + b"\n")
    batch = all_of(str(path), mapping=MAP)
    assert _inputs(batch) == ["x0", "x1"]
    (aside,) = batch.aside
    assert (aside.place, "50 MiB" in aside.why, len(aside.text) < 1000) == ("line 2", True, True)


def test_a_record_of_50_mb_in_an_array_is_passed_over(tmp_path: Path) -> None:
    long = b'{"q": "' + b'\\"[{' * (13 << 20) + b'"}'
    body = (
        b"[" + json.dumps(_record(0)).encode() + b"," + long + b"," + json.dumps(_record(1)).encode() + b"]"
    )
    batch = all_of(written(tmp_path, "long.json", body), mapping=MAP)
    assert _inputs(batch) == ["x0", "x1"]
    assert ["52 MiB" in aside.why for aside in batch.aside] == [True]


READ = """
import resource, sys
from llmops_tui.tracing.importers import read_files
peaks = []
for path in sys.argv[1:]:
    count = sum(len(r.batch.spans) for r in read_files([path], mapping={"input": "q", "time": "t"}))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(count, peaks[1] - peaks[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is Linux's")
def test_an_array_is_not_held_as_a_whole(tmp_path: Path) -> None:
    paths = [tmp_path / "short.json", tmp_path / "long.json"]
    for path, count in zip(paths, (2_000, 20_000), strict=True):
        records = (json.dumps(_record(n, "z" * 3000)).encode() for n in range(count))
        path.write_bytes(b"[" + b",\n".join(records) + b"]")
    said = subprocess.check_output([sys.executable, "-c", READ, *map(str, paths)], text=True).split()
    assert int(said[0]) == 20_000
    assert int(said[1]) << 10 < paths[1].stat().st_size / 2


@pytest.mark.parametrize(
    "body", [b'[{"q": "a", "id": 1, "t": 1772359200}, {"q": "b', b'[{"q": "a", "id": 1, "t": 1772359200}, ']
)
def test_a_file_that_breaks_off_gives_what_is_whole(tmp_path: Path, body: bytes) -> None:
    batch = all_of(written(tmp_path, "cut.json", body), mapping=MAP)
    assert _inputs(batch) == ["a"]


def test_an_archive_that_is_damaged_gives_what_is_before_the_damage(tmp_path: Path) -> None:
    body = b"".join(json.dumps(_record(n, os.urandom(200).hex())).encode() + b"\n" for n in range(2000))
    packed = gzip.compress(body)
    batch = all_of(written(tmp_path, "cut.jsonl.gz", packed[: len(packed) // 2]), mapping=MAP)
    assert len(batch.spans) > 100
    assert "ends in the middle" in batch.aside[-1].why


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.gz"])
def test_rubbish_is_a_sentence(tmp_path: Path, name: str) -> None:
    for body in (
        b"",
        b"\n\n",
        b"\x00" * 5000,
        bytes(range(256)) * 40,
        b"%PDF-1.7\n\x80\x81",
        b"1\n2\n3\n",
        b'"text"',
    ):
        with pytest.raises(CannotImport):
            all_of(written(tmp_path, name, body))


@pytest.mark.parametrize("before", range(340, 400, 7))
def test_what_is_set_aside_is_not_cut_within_a_word(tmp_path: Path, before: int) -> None:
    record = {"run_type": "llm", "note": "x " * (before // 2), "mail": "anna.schmidt@example.org"}
    (aside,) = all_of(written(tmp_path, "runs.jsonl", [record])).aside
    assert len(aside.text) <= 400
    assert "anna.schmidt@example.org" in aside.text or "anna" not in aside.text


def test_a_damaged_archive_of_protobuf_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "traces.pb.gz"
    path.write_bytes(gzip.compress(os.urandom(5_000))[:300])
    (aside,) = all_of(str(path)).aside
    assert "ends in the middle" in aside.why


def test_what_is_not_there_and_what_is_not_known_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match="can't be read"):
        all_of(str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(CannotImport, match="can't be read"):
        all_of(str(tmp_path))
    with pytest.raises(CannotImport, match="did you mean 'langfuse'"):
        all_of(written(tmp_path, "f.jsonl", [{}]), format="langfus")
    with pytest.raises(CannotImport, match="its fields: question, answer"):
        all_of(written(tmp_path, "f.jsonl", [{"question": 1, "answer": 2}]))


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
    ),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_scan_finds_every_object_however_it_is_cut(values: list[Any], size: int, is_array: bool) -> None:
    body = json.dumps(values) if is_array else "\n".join(json.dumps(value, indent=1) for value in values)
    pieces = [body.encode()[n : n + size] for n in range(0, len(body.encode()), size)]
    found = list(scan.elements(lambda _size: pieces.pop(0) if pieces else b""))
    assert [json.loads(text or b"") for text, _ in found] == values


def test_a_scan_passes_over_what_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "LONGEST", 50)
    values = [{"a": "x" * 20}, {"a": 'y\\"' * 40}, {"b": ["z" * 30, "z" * 30]}, {"c": 1}]
    body = json.dumps(values).encode()
    for size in (1, 3, 7, 64, 1000):
        pieces = [body[n : n + size] for n in range(0, len(body), size)]
        found = [text for text, _ in scan.elements(lambda _size: pieces.pop(0) if pieces else b"")]  # noqa: B023
        assert [json.loads(text) if text else None for text in found] == [values[0], None, None, values[3]]


def test_times_in_their_many_forms_are_one() -> None:
    at = datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC).timestamp()
    for form in (
        at, at * 1e3, at * 1e6, int(at * 1e9), str(at), str(int(at * 1e3)),
        "2026-03-01T10:00:00.500Z", "2026-03-01T10:00:00.500000000Z", "2026-03-01 10:00:00.500",
        "2026-03-01T11:00:00.5+01:00", "2026-03-01 10:00:00,500", "20260301T100000500Zabc",
    ):  # fmt: skip
        assert ids.moment(form) == pytest.approx(at, abs=1e-3), form
    assert ids.moment("Sun, 01 Mar 2026 10:00:00 GMT") == at - 0.5
    for form in (None, "", "soon", True, float("nan"), -5, 0, 1e300, "9" * 70, [], {}):
        assert ids.moment(form) is None


@given(st.text())
def test_ids_are_hexadecimal_and_the_same_again(value: str) -> None:
    for make, length in ((ids.trace_id, 32), (ids.span_id, 16)):
        made = make(value)
        assert made == make(value)
        assert len(bytes.fromhex(made)) * 2 == length
        assert made.strip("0")


def test_ids_that_are_ids_already_stay() -> None:
    assert ids.trace_id("1B64098B-4ab7-43f6-afee-992304f198d8") == "1b64098b4ab743f6afee992304f198d8"
    assert ids.trace_id("a" * 32) == "a" * 32
    assert ids.span_id("1a2b3c4d5e6f7a8b") == "1a2b3c4d5e6f7a8b"
    assert ids.trace_id("0" * 32) != "0" * 32
