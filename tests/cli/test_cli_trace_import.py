"""`trace import`: into the live database, twice and still once, with what was set aside told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from llmops_tui.cli.main import main
from llmops_tui.cli.shell import Shell
from llmops_tui.cli.trace_import import trace_import
from llmops_tui.store.live import LIVE_DATABASE, LiveStore
from llmops_tui.tracing.importers import CannotImport


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "ws" / "configs").mkdir(parents=True)
    return tmp_path / "ws"


def run(root: Path, *arguments: str, as_json: bool = False) -> Result:
    shell = Shell(lambda *_: 0, as_json=as_json)
    return CliRunner().invoke(
        trace_import, [*arguments, "--workspace", str(root)], obj=shell, standalone_mode=False
    )


def counts(root: Path) -> dict[str, int]:
    with LiveStore.open(root / LIVE_DATABASE) as store:
        return store.counts()


def runs_file(folder: Path) -> str:
    trace = "1b64098b-4ab7-43f6-afee-992304f198d8"
    run_ = {"id": trace, "trace_id": trace, "name": "answer", "run_type": "chain", "inputs": {"q": "x"}}
    times = {"start_time": "2026-03-01T10:00:00", "end_time": "2026-03-01T10:00:01"}
    feedback = {"id": "f", "run_id": trace, "trace_id": trace, "key": "user_score", "score": 1}
    lines = [
        json.dumps({**run_, **times}),
        "{broken",
        json.dumps({**feedback, "created_at": "2026-03-01T11:00:00"}),
    ]
    path = folder / "runs.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def test_an_import_tells_what_came_of_it_and_again_adds_nothing(root: Path, tmp_path: Path) -> None:
    path = runs_file(tmp_path)
    first = run(root, path, "--feature", "refunds")
    assert first.return_value == 0
    assert "read as runs of LangSmith" in first.stderr
    assert "imported 1 new span, 0 known already, 1 signal from 2 records" in first.stdout
    assert "runs.jsonl, line 2: it is no JSON" in first.stdout
    before = counts(root)
    again = run(root, path, "--feature", "refunds")
    assert "imported 0 new spans, 1 known already from 2 records" in again.stdout
    assert counts(root) == before
    with LiveStore.open(root / LIVE_DATABASE) as store:
        request = store.requests.find("1b64098b4ab743f6afee992304f198d8")
        assert request is not None
        assert request.request.feature == "refunds"


def test_a_dry_run_writes_nothing(root: Path, tmp_path: Path) -> None:
    done = run(root, runs_file(tmp_path), "--dry-run")
    assert (done.return_value, "would import 1 new span" in done.stdout) == (0, True)
    assert not (root / LIVE_DATABASE).exists()


def test_json_has_the_counts_and_the_first_reasons(root: Path, tmp_path: Path) -> None:
    said: dict[str, Any] = json.loads(run(root, runs_file(tmp_path), as_json=True).stdout)
    assert [said[name] for name in ("records", "spans", "known", "signals", "aside")] == [2, 1, 0, 1, 1]
    assert said["reasons"][0]["place"] == "line 2"


def test_where_nothing_can_be_read_it_says_no(root: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"run_type": "chain"}\n')
    assert run(root, str(bad)).return_value == 2
    with pytest.raises(CannotImport, match="no format that is known"):
        raise run(root, str(_unknown(tmp_path))).exception or AssertionError


def test_what_came_before_a_file_that_is_not_there_is_in_and_told(root: Path, tmp_path: Path) -> None:
    done = run(root, runs_file(tmp_path), str(tmp_path / "nowhere"))
    assert isinstance(done.exception, CannotImport)
    assert "imported 1 new span" in done.stdout
    assert counts(root)["spans"] == 1


def _unknown(folder: Path) -> Path:
    path = folder / "unknown.jsonl"
    path.write_text('{"a": 1}\n')
    return path


def test_the_whole_command_ends_with_a_sentence(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["trace", "import", str(tmp_path / "nowhere"), "--workspace", str(root)], lambda *_: 0)
    assert code == 2
    assert "can't be read" in capsys.readouterr().err
