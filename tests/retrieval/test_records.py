"""Records on disk: what was written is read, whatever became of the writer."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.retrieval.records import Records

MB = 2**20


def key(n: int) -> bytes:
    return hashlib.sha256(str(n).encode()).digest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index" / "some.records"


def test_what_is_written_is_read_here_and_by_others(path: Path) -> None:
    one, other = Records(path, MB), Records(path, MB)
    assert one.read([key(1)]) == {}
    one.write({key(1): b"one", key(2): b""})
    assert other.read([key(1), key(2), key(3)]) == {key(1): b"one", key(2): b""}
    other.write({key(3): b"three", key(1): b"another"})
    assert one.read([key(1), key(3)]) == {key(1): b"one", key(3): b"three"}
    assert Records(path, MB).read([key(3)]) == {key(3): b"three"}


def test_nothing_is_written_twice(path: Path) -> None:
    Records(path, MB).write({key(1): b"one"})
    size = path.stat().st_size
    Records(path, MB).write({key(1): b"one"})
    assert path.stat().st_size == size


@given(st.integers(0, 400), st.binary(max_size=40))
def test_a_torn_tail_is_ignored_and_written_over(
    tmp_path_factory: pytest.TempPathFactory, cut: int, rubbish: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "some.records"
    Records(path, MB).write({key(1): b"a" * 100})
    whole = path.stat().st_size
    Records(path, MB).write({key(2): b"b" * 100})
    data = path.read_bytes()
    path.write_bytes(data[: min(whole + cut, len(data) - 1)] + rubbish * (cut % 2))
    found = Records(path, MB).read([key(1), key(2)])
    assert found[key(1)] == b"a" * 100
    assert found.get(key(2), b"b" * 100) == b"b" * 100
    again = Records(path, MB)
    again.read([key(2)])
    again.write({key(3): b"c"})
    again.write({key(2): b"b" * 100})
    fresh = Records(path, MB).read([key(1), key(2), key(3)])
    assert fresh == {key(1): b"a" * 100, key(2): b"b" * 100, key(3): b"c"}


@given(st.data())
def test_a_byte_that_was_damaged_gives_no_wrong_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "some.records"
    written = {key(n): bytes([n]) * (n * 7) for n in range(5)}
    Records(path, MB).write(written)
    whole = bytearray(path.read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    records = Records(path, MB)
    for k, value in records.read(list(written)).items():
        assert written[k] == value
    records.write(written)
    assert Records(path, MB).read(list(written)) == written


def test_beyond_the_limit_the_older_are_dropped_and_what_is_in_use_stays(path: Path) -> None:
    limit = 100_000
    for n in range(20):
        Records(path, limit).write({key(n): bytes(4_000)})
    mine = Records(path, limit)
    for n in range(20, 40):
        assert mine.read([key(0)])
        mine.write({key(n): bytes(4_000)})
        assert path.stat().st_size <= limit
    left = Records(path, limit).read([key(n) for n in range(40)])
    assert key(0) in left
    assert key(39) in left
    assert key(1) not in left
    assert not list(path.parent.glob("*.new"))


def test_a_reader_goes_on_after_the_file_was_made_anew(path: Path) -> None:
    reader, writer = Records(path, 20_000), Records(path, 20_000)
    writer.write({key(0): bytes(4_000)})
    assert reader.read([key(0)])
    for n in range(1, 12):
        writer.write({key(n): bytes([n]) * 4_000})
    assert reader.read([key(11)]) == {key(11): bytes([11]) * 4_000}
    path.unlink()
    assert reader.read([key(11)]) == {}
    reader.write({key(1): b"new"})
    assert writer.read([key(1)]) == {key(1): b"new"}


WRITER = """
import sys
from pathlib import Path
from llmops_tui.retrieval.records import Records
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
import hashlib
records = Records(path, 2**30)
for n in range(first, first + count):
    records.write({hashlib.sha256(str(n).encode()).digest(): str(n).encode() * 5_000})
    print(n, flush=True)
"""


def test_two_processes_write_at_once_and_nothing_is_lost(path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(first), "60"], stdout=subprocess.DEVNULL
        )
        for first in (100, 200)
    ]
    assert [process.wait() for process in running] == [0, 0]
    wanted = [n for first in (100, 200) for n in range(first, first + 60)]
    found = Records(path, MB).read([key(n) for n in wanted])
    assert found == {key(n): str(n).encode() * 5_000 for n in wanted}


def test_what_was_written_before_a_kill_is_there(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "0", "100000"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(20):
        told = process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    records = Records(path, 2**30)
    found = records.read([key(n) for n in range(int(told) + 1)])
    assert found == {key(n): str(n).encode() * 5_000 for n in range(int(told) + 1)}
    records.write({key(-1): b"after"})
    assert Records(path, MB).read([key(-1), key(0)])[key(-1)] == b"after"


def test_a_folder_that_can_not_be_written_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file", encoding="utf-8")
    records = Records(tmp_path / "index" / "some.records", MB)
    records.write({key(1): b"one"})
    assert records.read([key(1)]) == {}
