"""Bundles: what one machine asked, another need not; and no file harms a database."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_bench import Bench

from llmops_tui.domain.errors import UsageError
from llmops_tui.engine import bundles
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import GateRequest
from llmops_tui.engine.gating import Gate, GateOutcome
from llmops_tui.engine.promotion import promote
from llmops_tui.store.bundle_rows import Taken


async def ours(root: Path, file: Path) -> Bench:
    """A workspace with v1 promoted and saved."""
    made = Bench(root)
    await made.evaluate()
    baseline = made.engine.queries.resolve("bench", "v1")
    promote(made.engine, baseline)
    bundles.save(made.engine.store, [baseline.id], file)
    return made


async def test_a_gate_asks_nothing_for_a_baseline_that_was_loaded(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    theirs = Bench(tmp_path / "theirs")
    theirs.write("baselines.yaml", (first.root / "baselines.yaml").read_text("utf-8"))
    theirs.replace("prompts/bench.md", "brief", "kind")
    theirs.engine.load()
    assert bundles.load(theirs.engine.store, file) == Taken(versions=1, calls=3, outputs=3, runs=1)
    theirs.engine.version(theirs.engine.configuration("bench"))
    outcome = await Gate(theirs.engine).gate(GateRequest("bench", agreed=True))
    assert isinstance(outcome, GateOutcome)
    assert outcome.result.provider_calls == 3  # the candidate's alone
    assert outcome.comparison.baseline.run.reason == "manual"
    first.engine.close()
    theirs.engine.close()


async def test_what_was_loaded_is_what_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    other = Engine.open(tmp_path / "other")
    bundles.load(other.store, file)
    version = other.queries.resolve("bench", "v1")
    bundles.save(other.store, [version.id], tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()
    assert bundles.load(other.store, file) == Taken()
    assert other.store.calls.spent_since(0) == 0.0
    first.engine.close()
    other.close()


async def test_loading_keeps_the_run_and_the_latest_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    first.replace("prompts/bench.md", "brief", "kind")
    await first.evaluate()
    before = first.engine.queries.snapshot(first.engine.queries.resolve("bench", "v1"))
    assert bundles.load(first.engine.store, file) == Taken()
    assert first.engine.queries.resolve("bench", "latest").name == "v2"
    assert first.engine.queries.snapshot(first.engine.queries.resolve("bench", "v1")) == before
    first.engine.close()


def change(file: Path, name: str, how: Callable[[str], str]) -> None:
    with zipfile.ZipFile(file) as old:
        entries = {n: old.read(n).decode() for n in old.namelist()}
    entries[name] = how(entries.get(name, ""))
    with zipfile.ZipFile(file, "w") as new:
        for entry, text in entries.items():
            new.writestr(entry, text)


HEAD = {"format": bundles.FORMAT, "schema": bundles.SCHEMA}
BROKEN: dict[str, tuple[str, Callable[[str], str], str]] = {
    "newer": ("bundle.json", lambda _: json.dumps({**HEAD, "schema": 99}), "of a newer release"),
    "foreign": ("bundle.json", lambda _: json.dumps({"format": "cake"}), "is no bundle"),
    "no JSON": ("calls.jsonl", lambda _: "{", "is a damaged bundle"),
    "another type": ("outputs.jsonl", lambda _: '{"key": 1}', "is a damaged bundle"),
    "edited prompt": ("versions.jsonl", lambda t: t.replace("Be brief", "Be long"), "is a damaged bundle"),
    "other files": ("../../x", lambda _: "x", "is a damaged bundle"),
    "no such output": ("outputs.jsonl", lambda _: "", "is a damaged bundle"),
    "no such version": ("versions.jsonl", lambda _: "", "is a damaged bundle"),
    "a key that is none": (
        "outputs.jsonl",
        lambda t: t.replace('"key":"', '"key":"zz'),
        "is a damaged bundle",
    ),
    "a huge number": (
        "runs.jsonl",
        lambda t: t.replace('"total":3', f'"total":{2**70}'),
        "is a damaged bundle",
    ),
}


@pytest.mark.parametrize("which", BROKEN)
async def test_a_file_that_is_not_in_order_is_refused_and_nothing_is_taken(
    tmp_path: Path, which: str
) -> None:
    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    name, how, said = BROKEN[which]
    change(file, name, how)
    other = Engine.open(tmp_path / "other")
    with pytest.raises(UsageError, match=said):
        bundles.load(other.store, file)
    assert other.store.versions.configs() == []
    assert other.store.runs.list("bench") == []
    first.engine.close()
    other.close()


async def test_what_is_no_zip_cut_short_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    store = first.engine.store
    cut = tmp_path / "cut.zip"
    cut.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UsageError, match="no bundle, or damaged"):
        bundles.load(store, cut)
    with pytest.raises(UsageError, match="can't be read"):
        bundles.load(store, tmp_path / "nowhere.zip")
    monkeypatch.setattr(bundles, "MOST_BYTES", 1_000)
    with pytest.raises(UsageError, match="unpacks to more than"):
        bundles.load(store, file)
    first.engine.close()


async def test_traces_are_carried_along(tmp_path: Path) -> None:
    from llmops_tui.engine.traces import Traces

    file = tmp_path / "b.zip"
    first = await ours(tmp_path / "ours", file)
    other = Engine.open(tmp_path / "other")
    bundles.load(other.store, file)
    here, there = (
        Traces(engine.store).of(engine.queries.resolve("bench", "v1"), "one")
        for engine in (first.engine, other)
    )
    assert [(s.kind, s.name, s.attributes) for s in there.spans] == [
        (s.kind, s.name, s.attributes) for s in here.spans
    ]
    first.engine.close()
    other.close()
