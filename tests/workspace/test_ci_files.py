"""Whether CI runs the gate: where it is looked for, what counts, and that it must be committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_repository import Repository
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.workspace.ci import ci_files, gate_line
from llmops_tui.workspace.git_files import tracked

GATE = "jobs:\n  gate:\n    steps:\n      - run: llmops-tui gate --fresh\n"


@pytest.mark.parametrize(
    "line",
    [
        "- run: llmops-tui gate",
        "script: uv run llmops-tui gate --fresh --adjudicate",
        "sh 'llmops-tui --workspace helpdesk gate'",
        "sh 'llmops-tui --workspace=helpdesk --config desk gate v2'",
        "python -m llmops_tui gate",
        "uvx llmops-tui@1.2 gate",
        "uvx --from llmops-tui==1.2 llmops-tui gate",
        "llmops-tui --config desk \\\n  gate --fresh",
    ],
)
def test_a_line_that_runs_it(line: str) -> None:
    assert gate_line(f"one\n{line}\n") == 2 + line.count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "# - run: llmops-tui gate",
        "// llmops-tui gate",
        "- run: pytest  # then llmops-tui gate",
        "- run: llmops-tui run --case gate",
        "- run: llmops-tui gate-keeper",
        "name: llmops-tui the gate",
        "- name: llmops-tui gate",
        "displayName: 'llmops-tui gate'",
        "- run: echo llmops-tui gate is still to do",
        "- run: llmops-tui gate --help",
        "llmops-tui" + " --set=a=b" * 40 + " run",
        "- run: my-llmops-tuition gate",
    ],
)
def test_a_line_that_does_not(line: str) -> None:
    assert gate_line(line) is None


@given(st.text())
def test_any_text_is_looked_through(text: str) -> None:
    assert gate_line(text) is None or "gate" in text


@pytest.mark.parametrize(
    "place", [".github/workflows/ci.yaml", ".gitlab-ci.yml", "Jenkinsfile", ".circleci/config.yml"]
)
def test_it_is_found_in_a_workspace_below_the_repository(tmp_path: Path, place: str) -> None:
    repository = Repository(tmp_path)
    workspace = tmp_path / "apps" / "desk"
    workspace.mkdir(parents=True)
    assert ci_files(workspace).files == ()
    repository.commit("ci", **{place: "script: pytest\n", "apps/desk/llmops.yaml": "{}"})
    found = ci_files(workspace)
    assert (found.files, found.gate) == ((place,), "")
    repository.commit("gate", **{place: GATE})
    found = ci_files(workspace)
    assert (found.gate, found.untracked) == (f"{place}:4", False)


def test_what_is_not_committed_is_run_by_no_ci(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("first", a="a")
    (tmp_path / "Jenkinsfile").write_text(GATE, "utf-8")
    assert ci_files(tmp_path).untracked
    repository.git("add", "Jenkinsfile")
    assert ci_files(tmp_path).untracked
    repository.commit("CI", Jenkinsfile="sh 'pytest'\n")
    (tmp_path / "Jenkinsfile").write_text(GATE, "utf-8")
    assert ci_files(tmp_path).untracked
    repository.commit("gate", Jenkinsfile=GATE)
    (tmp_path / "Jenkinsfile").write_text(f"# the gate\n{GATE}", "utf-8")
    assert not ci_files(tmp_path).untracked
    assert not ci_files(tmp_path / "nowhere").gate


def test_files_as_git_sees_them(tmp_path: Path) -> None:
    assert tracked(tmp_path, ["a"]) is None
    repository = Repository(tmp_path)
    (tmp_path / "a").write_text("a", "utf-8")
    empty = tracked(tmp_path, ["a"])
    assert empty is not None
    assert (empty.committed_at, empty.untracked) == (None, ("a",))
    repository.commit("first", b="b")
    (tmp_path / "b").write_text("other", "utf-8")
    (tmp_path / "new one").write_text("c", "utf-8")
    found = tracked(tmp_path, ["a", "b", "new one", "../outside"])
    assert found is not None
    assert (found.untracked, found.edited) == (("new one",), ("b",))
    assert found.committed_at is not None
    assert found.edited_since == (tmp_path / "b").stat().st_mtime
