"""What stands around the files: keys, trust, baselines, git, the user's settings, the template."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.domain.errors import LlmopsError, UsageError, WorkspaceError
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.workspace import baselines, connect, git, json_schema, load, template, trust, user_settings

Build = Callable[..., Path]
GATEWAY = {"base_url": "http://127.0.0.1:1/v1", "api_key": "${GW_KEY}", "concurrency": 20}


# -- keys


def test_keys_come_from_the_environment_before_env_file(
    workspace: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(
        settings={"providers": {"gw": GATEWAY}}, files={".env": "GW_KEY=from-file-1234\nOTHER=x\n"}
    )
    monkeypatch.delenv("GW_KEY", raising=False)
    [setup], secrets, env = connect(load(root), {"gw"})
    assert (setup.api_key, setup.client, setup.concurrency) == ("from-file-1234", "openai", 20)
    assert "from-file-1234" in secrets
    assert env == {"GW_KEY": "from-file-1234", "OTHER": "x"}
    monkeypatch.setenv("GW_KEY", "from-environment")
    [setup], secrets, env = connect(load(root), {"gw"})
    assert setup.api_key == "from-environment"
    assert {"from-environment"} <= set(secrets)
    assert "GW_KEY" not in env


def test_a_missing_key_names_provider_variable_and_line(
    workspace: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GW_KEY", raising=False)
    root = workspace()
    (root / "llmops.yaml").write_text(
        "providers:\n  gw:\n    base_url: http://127.0.0.1:1/v1\n    api_key: ${GW_KEY}\n", encoding="utf-8"
    )
    with pytest.raises(WorkspaceError) as caught:
        connect(load(root), {"gw"})
    assert str(caught.value) == (
        "llmops.yaml:4 the provider 'gw' needs the variable GW_KEY, which is not set; "
        "set it in the environment, or write GW_KEY=… into .env"
    )
    assert connect(load(root), {"echo"})[0][0].client == "echo"


def test_providers_without_an_entry_have_defaults(workspace: Build) -> None:
    setups, _, _ = connect(load(workspace()), {"local", "openai"})
    assert [(s.name, s.client, s.concurrency) for s in setups] == [
        ("local", "local", 1),
        ("openai", "litellm", 8),
    ]
    assert setups[0].options == {"slots": 1, "context": 2048, "prompt_cache": False}


def test_what_looks_like_a_secret_is_redacted_and_short_values_are_not(
    workspace: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_TOKEN", "abcdefgh")
    monkeypatch.setenv("SHORT_KEY", "abc")
    gateway = {**GATEWAY, "api_key": None, "headers": {"Authorization": "Bearer written-out"}}
    root = workspace(settings={"providers": {"gw": gateway}}, files={".env": "DB_PASSWORD='pass word 1'\n"})
    _, secrets, _ = connect(load(root), {"gw"})
    assert {"abcdefgh", "pass word 1", "Bearer written-out", "written-out"} <= set(secrets)
    assert "abc" not in secrets


# -- trust


def test_trust_is_for_one_folder_and_one_user(workspace: Build, tmp_path: Path) -> None:
    root = workspace()
    assert not trust.is_trusted(root)
    trust.trust(root)
    assert trust.is_trusted(root / "." / "")
    assert not trust.is_trusted(tmp_path)


def test_trust_that_can_not_be_kept_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LLMOPS_TUI_HOME", str(tmp_path / "file"))
    with pytest.raises(LlmopsError, match="LLMOPS_TUI_HOME"):
        trust.trust(tmp_path)


# -- baselines


def entry(number: int = 3) -> baselines.BaselineEntry:
    content = {
        "messages": [["system", "Be brief.\nReally."], ["user", "{{ q }}"]],
        "includes": {},
        "defaults": {},
    }
    manifest = make_manifest(
        [
            make_part("prompt", "", content),
            make_part("params", "temperature", 0),
            make_part("params", "stop", ["\n", "no", "1.50"]),
            make_part("corpus", "", {"docs/a.md": "0" * 64}),
        ]
    )
    return baselines.BaselineEntry(number, manifest.hash, "2026-01-02T03:04:05Z", manifest, "")


def test_a_baseline_is_read_back_as_it_was(tmp_path: Path) -> None:
    assert baselines.read(tmp_path) == {}
    baselines.write(tmp_path, "helpdesk", entry())
    assert baselines.read(tmp_path) == {"helpdesk": entry()}
    assert "Be brief.\n" in (tmp_path / "baselines.yaml").read_text(encoding="utf-8")


def test_comments_and_other_baselines_survive(tmp_path: Path) -> None:
    baselines.write(tmp_path, "helpdesk", entry(1))
    file = tmp_path / "baselines.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# agreed with Ann\n", encoding="utf-8")
    baselines.write(tmp_path, "other", entry(2))
    baselines.write(tmp_path, "helpdesk", entry(4))
    assert "# agreed with Ann" in file.read_text(encoding="utf-8")
    assert {name: e.number for name, e in baselines.read(tmp_path).items()} == {"helpdesk": 4, "other": 2}


@pytest.mark.parametrize("text", ["helpdesk: 3\n", "- a\n", "a: [\n", "helpdesk:\n  version: 1\n"])
def test_a_broken_baselines_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "baselines.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"baselines\.yaml"):
        baselines.read(tmp_path)


# -- git


def run_git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_git_tells_commit_and_whether_the_workspace_is_dirty(workspace: Build) -> None:
    root = workspace()
    assert git.state(root) == git.GitState(None, None)
    run_git(root.parent, "init", "-q")
    assert git.state(root) == git.GitState(None, True)
    run_git(root.parent, "add", ".")
    run_git(root.parent, "commit", "-q", "-m", "first")
    head = run_git(root.parent, "rev-parse", "HEAD")
    (root.parent / "outside.txt").write_text("x", encoding="utf-8")
    (root / ".llmops").mkdir()
    (root / ".llmops/llmops.db").write_text("x", encoding="utf-8")
    assert git.state(root) == git.GitState(head, False)
    (root / "prompts/bench.md").write_text("x", encoding="utf-8")
    assert git.state(root) == git.GitState(head, True)


def test_without_git_nothing_is_known(workspace: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git.state(workspace()) == git.GitState(None, None)


# -- the user's settings


def test_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.yaml"
    monkeypatch.setenv("LLMOPS_TUI_CONFIG", str(file))
    assert user_settings.load() == user_settings.UserSettings()
    file.write_text(
        "theme: nord\nkeymap:\n  promote: ctrl+r\n  next: [n, f5]\n  off: true\nkeymaps: 1\n", "utf-8"
    )
    found = user_settings.load()
    assert (found.theme, found.keymap) == ("nord", {"promote": "ctrl+r", "next": "n,f5"})
    assert sorted(str(p).removeprefix(str(file)) for p in found.problems) == [
        ":5 the keys of 'off' must be text; write 'ctrl+r'",
        ":6 unknown key 'keymaps'; did you mean 'keymap'?",
    ]


@pytest.mark.parametrize("text", ["keymap: [\n", "- a\n", "theme: [a]\n", "keymap: 3\n"])
def test_a_broken_settings_file_is_a_problem_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LLMOPS_TUI_CONFIG", str(tmp_path / "settings.yaml"))
    (tmp_path / "settings.yaml").write_text(text, encoding="utf-8")
    assert len(user_settings.load().problems) == 1


# -- the template and its schemas


def test_the_template_is_a_workspace_without_a_mistake(tmp_path: Path) -> None:
    template.create(tmp_path / "desk")
    found = load(tmp_path / "desk")
    assert found.problems == ()
    assert 16 <= len(found.configurations["helpdesk"].cases) <= 20
    assert ".llmops/" in (tmp_path / "desk/.gitignore").read_text(encoding="utf-8").splitlines()


def test_the_edit_of_the_demo_is_in_the_template_once(tmp_path: Path) -> None:
    template.create(tmp_path / "desk")
    prompt = tmp_path / "desk/prompts/helpdesk.md"
    before, after = template.DEMO_EDIT
    text = prompt.read_text(encoding="utf-8")
    assert text.count(before) == 1
    prompt.write_text(text.replace(before, after), encoding="utf-8")
    assert load(tmp_path / "desk").problems == ()


def test_files_of_the_template_point_editors_at_schemas_that_are_there(tmp_path: Path) -> None:
    import json

    template.create(tmp_path)
    for file, kind in (
        ("llmops.yaml", "workspace"),
        ("configs/helpdesk.yaml", "config"),
        ("evals/helpdesk.yaml", "evals"),
    ):
        first = (tmp_path / file).read_text(encoding="utf-8").splitlines()[0]
        schema = (tmp_path / file).parent / first.removeprefix("# yaml-language-server: $schema=")
        assert json.loads(schema.read_text(encoding="utf-8")) == json_schema(kind)


def test_the_template_is_not_put_over_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty; name a new one"):
        template.create(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        template.create(tmp_path / "mine.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
