"""Promoting: only what passes the gate, or with a reason; and what a clone can make of the baseline."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from engine_bench import Bench

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine import subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.promotion import promote
from llmops_tui.workspace import baselines

WORSE = ("prompts/bench.md", "{{ question }}", "{{ question | replace('alpha', 'omega') }}")


async def two_versions(root: Path) -> tuple[Bench, VersionInfo]:
    """v1 is the baseline; v2 lost the case that v1 passed."""
    ours = Bench(root)
    await ours.evaluate()
    ours.replace(*WORSE)
    ended = await ours.evaluate()
    return ours, ended.version


async def test_a_version_whose_gate_fails_is_not_promoted_and_the_gate_says_why(tmp_path: Path) -> None:
    ours, worse = await two_versions(tmp_path)
    with pytest.raises(UsageError) as refused:
        promote(ours.engine, worse)
    first, last = refused.value.problems[0], refused.value.problems[-1]
    assert (
        "v2 can't be promoted: its gate against v1 fails: the pass rate fell by 50.0 points" in first.message
    )
    assert "llmops-tui promote v2 --force --note TEXT" in last.remedy
    assert not (tmp_path / "baselines.yaml").exists()
    assert ours.engine.queries.resolve("bench", "baseline").name == "v1"
    assert ours.engine.store.verdicts.promotions("bench") == []
    ours.engine.close()


async def test_force_needs_a_reason_and_both_are_kept(tmp_path: Path) -> None:
    ours, worse = await two_versions(tmp_path)
    with pytest.raises(UsageError, match="by force needs a reason"):
        promote(ours.engine, worse, force=True, note=" ")
    assert promote(ours.engine, worse, force=True, note="the case\nis wrong").is_baseline
    entry = baselines.read(tmp_path)["bench"]
    assert (entry.number, entry.forced, entry.note) == (2, True, "the case is wrong")
    (kept,) = ours.engine.store.verdicts.promotions("bench")
    assert (kept.version_id, kept.forced, kept.note) == (worse.id, True, "the case is wrong")
    ours.engine.close()


async def test_the_first_promotion_and_the_baselines_own_are_not_judged(tmp_path: Path) -> None:
    ours = Bench(tmp_path)
    await ours.evaluate()
    baseline = ours.engine.queries.resolve("bench", "baseline")
    assert promote(ours.engine, baseline, note="to begin with").is_baseline
    # Nothing stood in the way, so nothing was forced.
    assert promote(ours.engine, baseline, force=True, note="again").is_baseline
    assert [p.forced for p in ours.engine.store.verdicts.promotions("bench")] == [False, False]
    assert not baselines.read(tmp_path)["bench"].forced
    ours.engine.close()


async def test_a_version_that_does_no_worse_is_promoted(tmp_path: Path) -> None:
    ours, _ = await two_versions(tmp_path)
    ours.replace("prompts/bench.md", WORSE[2], "{{ question }} again")
    ended = await ours.evaluate()
    assert promote(ours.engine, ended.version).name == "v3"
    assert ours.engine.queries.resolve("bench", "baseline").name == "v3"
    ours.engine.close()


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, "-C", str(root), *arguments], check=True, capture_output=True)


RETRIEVING = {"retrieval": {"source": "docs"}}
DOCUMENTS = {"docs/a.md": "Thirty days.\n", "docs/b [1].md": "Nine to five.\n", ".gitignore": ".llmops/\n"}


async def promoted_with_documents(root: Path) -> Bench:
    prompt = "user:\n{{ context }} {{ question }}\n"
    ours = Bench(root, prompt=prompt, config=RETRIEVING, files=DOCUMENTS)
    await ours.evaluate()
    promote(ours.engine, ours.engine.queries.resolve("bench", "v1"))
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "promoted")
    # Both documents change after the promotion, one of them in a commit.
    ours.write("docs/a.md", "Two weeks.\n")
    git(root, "commit", "-qam", "two weeks")
    (root / "docs/b [1].md").unlink()
    git(root, "commit", "-qam", "no hours")
    return ours


async def test_a_clone_makes_the_baselines_outputs_from_documents_that_git_has(tmp_path: Path) -> None:
    ours = await promoted_with_documents(tmp_path / "ours")
    git(tmp_path, "clone", "-q", str(tmp_path / "ours"), str(tmp_path / "theirs"))
    engine = Engine.open(tmp_path / "theirs")
    engine.load()
    configuration = engine.configuration("bench")
    engine.version(configuration)
    baseline = engine.queries.resolve("bench", "baseline")
    assert baseline.hash == ours.engine.queries.resolve("bench", "v1").hash
    subject = subjects.of_version(engine.store, engine.root, configuration, baseline)
    assert {"Thirty days.\n", "Nine to five.\n"} <= set(subject.configuration.blobs.values())
    assert subject.configuration.manifest.hash == baseline.hash
    ours.engine.close()
    engine.close()


async def test_documents_that_nobody_has_are_asked_for_by_name(tmp_path: Path) -> None:
    ours = await promoted_with_documents(tmp_path / "ours")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path / 'ours'}", str(tmp_path / "theirs"))
    engine = Engine.open(tmp_path / "theirs")
    engine.load()
    configuration = engine.configuration("bench")
    engine.version(configuration)
    baseline = engine.queries.resolve("bench", "baseline")
    with pytest.raises(UsageError, match=r"made with docs/a.md and 1 more.*bundle load FILE"):
        subjects.of_version(engine.store, engine.root, configuration, baseline)
    ours.engine.close()
    engine.close()
