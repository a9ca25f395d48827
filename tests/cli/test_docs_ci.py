"""The workflow and the hooks of docs/ci.md, carried out in a real clone that has no database."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from desk import PROMPT, Desk

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"
HARMLESS = "{# the law of 2014 #}" + PROMPT.replace("user:\n", "", 1)
HARMFUL = PROMPT.replace("30 days", "two weeks")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def workflow() -> dict[str, Any]:
    (text,) = [b for b in blocks("yaml") if b.startswith("# .github/workflows/")]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def steps() -> list[str]:
    """The commands of ours in the workflow, in order."""
    runs = [step["run"] for step in workflow()["jobs"]["gate"]["steps"] if "run" in step]
    return [command for command in runs if command.startswith("llmops-tui ")]


def hook_of_pre_commit() -> dict[str, Any]:
    (text,) = [b for b in blocks("yaml") if b.startswith("# .pre-commit-config.yaml")]
    (repo,) = yaml.safe_load(text)["repos"]
    assert repo["repo"] == "local"
    (hook,) = repo["hooks"]
    return dict(hook)


def run(root: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    who |= {
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    environment = {**os.environ, **who, "PATH": path, **more}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, "git", "-c", "commit.gpgsign=false", *arguments)


@pytest.fixture
def clone(desk: Desk, tmp_path: Path) -> Path:
    """A clone of a workspace whose baseline is promoted: files and git alone."""
    desk.json("run")
    desk.json("promote", "latest")
    (desk.root / ".gitignore").write_text(".llmops/\n", encoding="utf-8")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "promoted")):
        assert git(desk.root, *arguments).returncode == 0
    assert git(tmp_path, "clone", "-q", str(desk.root), "clone").returncode == 0
    found = tmp_path / "clone"
    assert not (found / ".llmops").exists()
    return found


def edit(root: Path, text: str) -> None:
    (root / "prompts" / "desk.md").write_text(text, encoding="utf-8")


def job(root: Path) -> tuple[int, str]:
    """The workflow's steps, until one fails; gives its exit code, and the summary."""
    summary = root.parent / "summary.md"
    summary.write_text("", encoding="utf-8")
    there = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(root), "GITHUB_STEP_SUMMARY": str(summary)}
    for command in steps():
        done = run(root, *shlex.split(command), **there)
        if done.returncode:
            return done.returncode, summary.read_text(encoding="utf-8") + done.stderr
    return 0, summary.read_text(encoding="utf-8")


def test_the_workflow_lets_a_harmless_change_pass_and_refuses_a_harmful_one(clone: Path) -> None:
    assert [shlex.split(s)[1] for s in steps()] == ["check", "gate"]
    edit(clone, HARMLESS)
    code, said = job(clone)
    assert code == 0, said
    assert "**pass**" in said
    assert "what is asked is the same on both sides in every case" in said
    edit(clone, HARMFUL)
    code, said = job(clone)
    assert code == 1, said
    assert "## Verdict: fail" in said
    assert "::error file=evals/desk.yaml,line=2,title=desk%3A days::" in said
    # The artifact is where the workflow looks for it.
    (upload,) = [s for s in workflow()["jobs"]["gate"]["steps"] if "upload-artifact" in s.get("uses", "")]
    assert 'failures="2"' in (clone / upload["with"]["path"]).read_text(encoding="utf-8")


def test_a_clone_makes_the_baselines_answers_again(clone: Path) -> None:
    edit(clone, HARMFUL)
    done = run(clone, "llmops-tui", "gate", "--json")
    found = json.loads(done.stdout)
    # Four cases on both sides: the baseline is known from baselines.yaml alone.
    assert (done.returncode, found["provider_calls"], found["baseline"]) == (1, 8, "v1")
    assert [flip["id"] for flip in found["flips"]] == ["days"]


def test_the_hook_of_pre_commit_is_run_for_what_is_evaluated(clone: Path) -> None:
    hook = hook_of_pre_commit()
    assert (hook["language"], hook["pass_filenames"]) == ("system", False)
    touched = ["prompts/desk.md", "configs/desk.yaml", "evals/desk.yaml", "llmops.yaml", "scorers.py"]
    assert all(re.search(hook["files"], name) for name in [*touched, "reviews.yaml", "docs/shipping.md"])
    assert not re.search(hook["files"], "README.md")
    edit(clone, HARMLESS)
    assert run(clone, *shlex.split(hook["entry"])).returncode == 0
    edit(clone, HARMFUL)
    assert run(clone, *shlex.split(hook["entry"])).returncode == 1


def test_the_plain_hook_stops_a_commit_that_makes_it_worse(clone: Path) -> None:
    (script,) = blocks("sh")
    hook = clone / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(script, encoding="utf-8")
    hook.chmod(0o755)
    edit(clone, HARMFUL)
    refused = git(clone, "commit", "-qam", "two weeks")
    assert refused.returncode == 1
    assert "worse: days" in refused.stdout + refused.stderr
    edit(clone, HARMLESS)
    done = git(clone, "commit", "-qam", "a comment")
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(clone, "log", "--format=%s", "-1").stdout == "a comment\n"
