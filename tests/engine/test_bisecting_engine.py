"""Bisecting over an engine: recorded versions and commits, what is asked, and what is left alone."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, say
from git_repository import Repository

from llmops_tui.domain.bisected import Bisected
from llmops_tui.domain.errors import UsageError
from llmops_tui.engine.bisecting import BisectOutcome, bisect
from llmops_tui.engine.events import AskFirst, BisectRequest, Working

GOOD = "user:\n{{ question }} You have 30 days. Edit %d.\n"
BAD = "user:\n{{ question }} You have two weeks. Edit %d.\n"
CASE = {"id": "days", "vars": {"question": "How long?"}, "scorers": [{"contains": "30 days"}]}
OTHER = {"id": "other", "vars": {"question": "What?"}, "scorers": [{"contains": "You"}]}


async def outcome(ours: Bench, **how: Any) -> BisectOutcome:
    ours.engine.load()
    result = await bisect(ours.engine, BisectRequest("bench", "days", agreed=True, **how), ours.listen)
    assert isinstance(result, BisectOutcome)
    return result


async def found(ours: Bench, **how: Any) -> Bisected:
    return (await outcome(ours, **how)).found


def evaluated(ours: Bench) -> dict[str, int | None]:
    """Version → the run that says how it did."""
    return {v.version.name: v.run.id if v.run else None for v in ours.engine.queries.history("bench")}


async def versions(root: Path, prompts: list[str], **parts: Any) -> Bench:
    """A version for each prompt; only the first and the last are evaluated."""
    ours = Bench(root, cases=[CASE, OTHER], prompt=prompts[0], **parts)
    for n, prompt in enumerate(prompts):
        ours.write("prompts/bench.md", prompt)
        if n in (0, len(prompts) - 1):
            await ours.evaluate()
        else:
            ours.engine.load()
            ours.engine.version(ours.engine.configuration("bench"))
    return ours


# -- recorded versions


async def test_the_version_that_broke_the_case_is_found_among_recorded_ones(tmp_path: Path) -> None:
    ours = await versions(tmp_path, [(GOOD if n < 6 else BAD) % n for n in range(10)])
    result = await outcome(ours)
    assert (result.found.ended, result.found.first_bad.name, result.found.before.name) == (
        "found",
        "v7",
        "v6",
    )
    assert [t.label for t in result.texts] == ["prompt"]
    assert "30 days" in result.texts[0].before
    assert "two weeks" in result.texts[0].after
    assert all(seen.by_fact and seen.trials == 1 for seen in result.found.path)
    ours.engine.close()


async def test_steps_ask_that_case_only_and_stay_out_of_the_history(tmp_path: Path) -> None:
    ours = await versions(tmp_path, [(GOOD if n < 6 else BAD) % n for n in range(10)])
    before = evaluated(ours)
    result = await found(ours)
    # Both ends were stored; eight in between take three steps.
    assert result.calls == 3
    # Only the two that are named show what was seen of them.
    assert {k: v for k, v in evaluated(ours).items() if k not in ("v6", "v7")} == {
        k: v for k, v in before.items() if k not in ("v6", "v7")
    }
    assert ours.engine.queries.resolve("bench", "latest").name == "v10"
    assert len(ours.rows("v10")) == 2
    runs = [r for r in ours.engine.store.runs.list("bench") if r.reason == "bisect"]
    assert [r.total for r in runs] == [1, 1, 1]
    assert (await found(ours)).calls == 0
    ours.engine.close()


async def test_what_broke_it_can_be_compared_though_only_that_case_was_ever_asked(tmp_path: Path) -> None:
    ours = await versions(tmp_path, [(GOOD if n < 6 else BAD) % n for n in range(10)])
    await found(ours)
    comparison, _ = ours.engine.queries.compare("bench", "v6", "v7")
    assert {p.case_id: (p.flip, p.pending) for p in comparison.pairs} == {
        "days": ("pass→fail", False),
        "other": (None, True),
    }
    # Other cases are missing, so it is not taken for evaluated.
    assert not comparison.candidate.is_complete
    ours.engine.close()


async def test_without_a_stored_pass_ever_larger_steps_back_find_a_good_end(tmp_path: Path) -> None:
    prompts = [(GOOD if n < 4 else BAD) % n for n in range(12)]
    ours = Bench(tmp_path, cases=[CASE], prompt=prompts[0])
    for prompt in prompts:
        ours.write("prompts/bench.md", prompt)
        ours.engine.load()
        ours.engine.version(ours.engine.configuration("bench"))
    assert (await found(ours)).first_bad.name == "v5"
    ours.engine.close()


async def test_what_is_not_broken_is_not_bisected(tmp_path: Path) -> None:
    ours = await versions(tmp_path, [(GOOD if n < 3 else BAD) % n for n in range(5)])
    with pytest.raises(
        UsageError, match=r"passed 1 of 1 at v1 and passed 1 of 1 at v3: it is not failing at v3"
    ):
        await found(ours, good="v1", bad="v3")
    with pytest.raises(UsageError, match=r"not passing at v4"):
        await found(ours, good="v4", bad="v5")
    with pytest.raises(UsageError, match=r"v5 does not come before v2"):
        await found(ours, good="v5", bad="v2")
    with pytest.raises(UsageError, match=r"no case 'dys'; did you mean 'days'"):
        await bisect(ours.engine, BisectRequest("bench", "dys"))
    ours.engine.close()


async def test_it_asks_with_the_price_before_it_asks_a_model_and_not_where_all_is_known(
    tmp_path: Path,
) -> None:
    ours = await versions(tmp_path, [(GOOD if n < 6 else BAD) % n for n in range(10)])
    asks = await bisect(ours.engine, BisectRequest("bench", "days"))
    assert isinstance(asks, AskFirst)
    assert 3 <= asks.estimate.requests <= 5
    assert asks.estimate.cost_usd == 0.0
    assert not [r for r in ours.engine.store.runs.list("bench") if r.reason == "bisect"]
    await found(ours)
    assert isinstance(await bisect(ours.engine, BisectRequest("bench", "days")), BisectOutcome)
    ours.engine.close()


# -- noise


def at_random(shares: dict[str, float]) -> Any:
    """Right with a share that a word of the prompt decides."""
    rng = random.Random(5)

    def script(asked: Asked) -> Reply:
        share = next(p for word, p in shares.items() if word in asked.said)
        return say(asked, "30 days" if rng.random() < share else "no idea")

    return script


async def noisy(root: Path, server: FakeOpenAI, prompts: list[str]) -> Bench:
    settings = {"providers": {"fake": {"base_url": server.url, "concurrency": 8}}}
    return await versions(root, prompts, models=["fake/some"], settings=settings)


async def test_where_answers_differ_each_step_is_asked_until_it_is_sure(tmp_path: Path) -> None:
    async with FakeOpenAI(at_random({"days": 0.9, "weeks": 0.1})) as server:
        ours = await noisy(tmp_path, server, [(GOOD if n < 6 else BAD) % n for n in range(10)])
        server.forget()
        result = await found(ours, good="v1", bad="v10")
        assert (result.ended, result.first_bad.name) == ("found", "v7")
        assert server.count == result.calls
        # What the path says was seen is what was asked: the ends had one answer each.
        assert result.calls == sum(s.trials for s in result.path) - 2
        assert not any(s.by_fact for s in result.path)
        assert all(s.trials >= 12 for s in result.path[:2])
        server.forget()
        assert (await found(ours, good="v1", bad="v10")).first_bad.name == "v7"
        assert server.count == 0
        ours.engine.close()


async def test_ends_that_only_differ_by_noise_are_refused_with_the_numbers(tmp_path: Path) -> None:
    async with FakeOpenAI(at_random({"Edit": 0.5})) as server:
        ours = await noisy(tmp_path, server, [BAD % n for n in range(4)])
        with pytest.raises(UsageError, match=r"days passed \d+ of \d+ at v1 and passed \d+ of \d+ at v4"):
            await found(ours, good="v1", bad="v4")
        ours.engine.close()


async def test_a_step_whose_answers_cannot_be_had_is_skipped_and_named(tmp_path: Path) -> None:
    from fake_openai import error

    def script(asked: Asked) -> Reply:
        if "Edit 2" in asked.said:
            return error(400, "not this one")
        return say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        ours = await noisy(tmp_path, server, [(GOOD if n < 3 else BAD) % n for n in range(5)])
        result = await found(ours, good="v1", bad="v5")
        assert result.ended == "range"
        assert [r.name for r in result.suspects] == ["v3", "v4"]
        (skipped,) = [s for s in result.path if s.verdict == "skipped"]
        assert skipped.revision.name == "v3"
        assert "not this one" in skipped.why_not
        ours.engine.close()


async def test_what_was_answered_before_it_was_cut_short_is_not_asked_again(tmp_path: Path) -> None:
    async with FakeOpenAI(at_random({"days": 1.0, "weeks": 0.0})) as server:
        ours = await noisy(tmp_path, server, [(GOOD if n < 6 else BAD) % n for n in range(10)])
        server.forget()
        seen = 0

        def stop(event: object) -> None:
            nonlocal seen
            if isinstance(event, Working) and "to go" in event.what:
                seen += 1
                if seen == 2:
                    import asyncio

                    asyncio.get_running_loop().call_soon(ours.engine.cancel)

        request = BisectRequest("bench", "days", "v1", "v10", agreed=True)
        stopped = await bisect(ours.engine, request, stop)
        assert isinstance(stopped, BisectOutcome)
        assert stopped.found.ended == "stopped"
        assert 1 < len(stopped.found.suspects) < 9
        first = server.count
        whole = await found(ours, good="v1", bad="v10")
        assert whole.first_bad.name == "v7"
        assert server.count - first == whole.calls < sum(s.trials for s in whole.path) - 24
        ours.engine.close()


async def test_cancelling_while_commits_are_read_asks_nothing(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    repository.commit("Good")
    repository.commit("Bad", **{"prompts/bench.md": BAD % 1})
    ours.engine.load()
    request = BisectRequest("bench", "days", git=True, agreed=True)

    def stop(event: object) -> None:
        if isinstance(event, Working) and event.what.startswith("Reading"):
            ours.engine.cancel()

    stopped = await bisect(ours.engine, request, stop)
    assert isinstance(stopped, BisectOutcome)
    assert (stopped.found.ended, stopped.found.calls) == ("stopped", 0)
    ours.engine.close()


# -- git


def history(top: Path, folder: str = "") -> tuple[Repository, Path]:
    """A repository with a workspace in it, before its first commit."""
    repository = Repository(top)
    (top / ".gitignore").write_text(".llmops/\n", encoding="utf-8")
    return repository, top / folder if folder else top


def bench(root: Path, **parts: Any) -> Bench:
    return Bench(root, cases=[CASE, OTHER], prompt=GOOD % 0, **parts)


async def test_a_commit_planted_among_thirty_is_found_and_nothing_of_the_checkout_is_touched(
    tmp_path: Path,
) -> None:
    repository, root = history(tmp_path / "repo", "apps/desk")
    ours = bench(root)
    planted = ""
    for n in range(30):
        # Six distinct versions; the others touch what is no part of a configuration.
        text = (GOOD if n < 20 else BAD) % (n // 5)
        sha = repository.commit(f"Commit {n}", **{"apps/desk/prompts/bench.md": text, "README": str(n)})
        planted = sha if n == 20 else planted
    (root / "evals/bench.yaml").write_text(json.dumps({"cases": [OTHER, CASE]}), encoding="utf-8")
    (root / "notes.txt").write_text("not tracked", encoding="utf-8")
    before = repository.state()
    result = await outcome(ours, git=True)
    assert repository.state() == before
    assert before[0]
    first = result.found.first_bad
    assert (result.found.ended, first.commit, first.subject, first.author) == (
        "found",
        planted,
        "Commit 20",
        "Ada",
    )
    assert first.later == 4
    assert "two weeks" in result.texts[0].after
    assert result.found.calls <= 5
    ours.engine.close()


async def test_commits_of_one_version_are_one_step(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    for n in range(30):
        repository.commit(
            f"Commit {n}", **{"prompts/bench.md": (GOOD if n < 20 else BAD) % (n // 5), "R": str(n)}
        )
    result = await found(ours, git=True, good="HEAD~29")
    assert (result.steps, result.first_bad.subject, result.first_bad.later) == (6, "Commit 20", 4)
    # Two ends and at most three steps, one trial each.
    assert result.calls <= 5
    ours.engine.close()


async def test_the_working_tree_is_the_last_step_where_it_is_not_committed(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    for n in range(3):
        repository.commit(f"Commit {n}", **{"prompts/bench.md": GOOD % n})
    ours.write("prompts/bench.md", BAD % 9)
    result = await found(ours, git=True)
    assert (result.first_bad.name, result.first_bad.commit) == ("the working tree", None)
    assert result.before.subject == "Commit 2"
    ours.engine.close()


async def test_commits_that_cannot_be_read_are_skipped_and_named(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    config = (root / "configs/bench.yaml").read_text(encoding="utf-8")
    repository.commit("Good", **{"prompts/bench.md": GOOD % 1})
    repository.commit("Broken YAML", **{"configs/bench.yaml": "prompt: [\n", "prompts/bench.md": BAD % 2})
    repository.commit("Mended", **{"configs/bench.yaml": config})
    result = await found(ours, git=True)
    assert result.ended == "range"
    assert [r.subject for r in result.suspects] == ["Broken YAML", "Mended"]
    (skipped,) = [s for s in result.path if s.verdict == "skipped"]
    assert skipped.revision.subject == "Broken YAML"
    assert "configs/bench.yaml" in skipped.why_not
    ours.engine.close()


async def test_a_pointer_of_git_lfs_is_not_taken_for_the_prompt(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    repository.commit("Good")
    repository.commit("Into LFS", **{"prompts/bench.md": pointer})
    repository.commit("Out again", **{"prompts/bench.md": BAD % 1})
    result = await found(ours, git=True)
    assert [s.why_not for s in result.path if s.verdict == "skipped"] == [
        "prompts/bench.md is a pointer of Git LFS, not the file itself"
    ]
    ours.engine.close()


async def test_a_merge_is_one_step_and_its_side_can_be_looked_into(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    repository.commit("Start")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("Side, harmless", **{"prompts/bench.md": GOOD % 5})
    culprit = repository.commit("Side, harmful", **{"prompts/bench.md": BAD % 6})
    repository.git("checkout", "-q", "main")
    repository.commit("Main", **{"README": "x"})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    repository.commit("After", **{"README": "y"})
    result = await found(ours, git=True)
    assert (result.first_bad.subject, result.first_bad.is_merge) == ("Merge side", True)
    first, second = result.first_bad.parents
    inside = await found(ours, git=True, good=first, bad=second)
    assert inside.first_bad.commit == culprit
    assert "parted" in inside.notes[0]
    ours.engine.close()


async def test_a_workspace_that_was_moved_is_followed(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo", "old/place")
    ours = bench(root)
    ours.engine.close()
    repository.commit("Start")
    harmful = repository.commit("Harmful", **{"old/place/prompts/bench.md": BAD % 1})
    repository.git("mv", "old/place", "desk")
    repository.commit("Move")
    repository.commit("After", **{"desk/prompts/bench.md": BAD % 2})
    moved = Bench.__new__(Bench)
    moved.root, moved.events = repository.top / "desk", []
    from llmops_tui.engine.engine import Engine

    moved.engine = Engine.open(moved.root)
    result = await found(moved, git=True)
    assert result.first_bad.commit == harmful
    moved.engine.close()


async def test_links_inside_are_followed_and_links_outside_are_not(tmp_path: Path) -> None:
    repository, root = history(tmp_path / "repo", "desk")
    ours = bench(root)
    (tmp_path / "secret.md").write_text(GOOD % 7, encoding="utf-8")
    prompt = root / "prompts/bench.md"
    prompt.rename(root / "prompts/real.md")
    prompt.symlink_to("real.md")
    repository.commit("A link inside")
    prompt.unlink()
    prompt.symlink_to(tmp_path / "secret.md")
    repository.commit("A link outside")
    prompt.unlink()
    ours.write("prompts/bench.md", BAD % 1)
    repository.commit("A file")
    result = await found(ours, git=True)
    assert result.before.subject == "A link inside"
    assert [s.revision.subject for s in result.path if s.verdict == "skipped"] == ["A link outside"]
    ours.engine.close()


async def test_outside_git_and_without_such_a_commit_it_says_so(tmp_path: Path) -> None:
    ours = bench(tmp_path / "plain")
    with pytest.raises(UsageError, match="not in a git repository; leave --git away"):
        await found(ours, git=True)
    ours.engine.close()
    repository, root = history(tmp_path / "repo")
    ours = bench(root)
    with pytest.raises(UsageError, match="nothing is committed here yet"):
        await found(ours, git=True)
    repository.commit("One")
    with pytest.raises(UsageError, match="git knows no commit 'nope'"):
        await found(ours, git=True, good="nope")
    with pytest.raises(UsageError, match="the configuration is the same in all of 1 commits"):
        await found(ours, git=True)
    ours.engine.close()
