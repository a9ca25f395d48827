"""Help, names and completion: what a person sees before anything is run."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from llmops_tui import __version__, entry
from llmops_tui.cli import completion, reference
from llmops_tui.cli.group import VERBS, command_line
from llmops_tui.cli.main import main

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> int:
    return main(arguments, lambda _root, _config: 0)


def completions(*words: str) -> list[str]:
    shell = BashComplete(command_line, {}, "llmops-tui", completion.VARIABLE)
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_version_is_told_without_importing_the_command_line_or_the_app() -> None:
    code = (
        "import sys; sys.argv = ['llmops-tui', '--version']\n"
        "from llmops_tui.entry import main; main()\n"
        "heavy = {'click', 'textual', 'rich', 'msgspec', 'pydantic', 'asyncio'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"llmops-tui {__version__}\n"


def test_help_imports_no_verb() -> None:
    code = (
        "import sys\n"
        "from llmops_tui.cli.main import main\n"
        "assert main(['--help'], lambda *_: 0) == 0\n"
        "heavy = {'llmops_tui.cli.run', 'llmops_tui.engine', 'pydantic', 'rich'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_summary_of_a_verb_is_how_its_own_help_starts(verb: str) -> None:
    command = command_line.get_command(click.Context(command_line), verb)
    assert command is not None
    assert (command.help or "").split("\n\n")[0].replace("\n", " ").strip() == VERBS[verb][1]


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_with_an_answer_takes_the_shared_options(verb: str) -> None:
    command = command_line.get_command(click.Context(command_line), verb)
    assert command is not None
    options = {name for p in command.params for name in p.opts}
    wanted = {"--json", "--debug"} if verb != "completion" else set()
    if verb in ("check", "run", "compare", "versions", "show", "label", "promote", "report", "gate"):
        wanted |= {"--workspace", "--config"}
    assert wanted <= options


def test_the_page_of_commands_is_current() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == reference.commands_markdown(), "python -m llmops_tui.cli.reference > docs/commands.md"


def test_an_unknown_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("runn") == 2
    assert capsys.readouterr().err == "error: there is no command 'runn'; did you mean 'run'?\n"


def test_an_unknown_option_says_where_the_known_ones_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("versions", "--frsh") == 2
    assert "see llmops-tui versions --help" in capsys.readouterr().err


def test_commands_and_options_are_completed() -> None:
    assert completions("ver") == ["versions"]
    assert set(completions("run", "--f")) == {"--fresh", "--failed"}
    assert completions("schema", "w") == ["workspace"]


def test_configurations_and_words_for_versions_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    for name in ("helpdesk", "headlines", "other"):
        (tmp_path / "configs" / f"{name}.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert completions("run", "--config", "he") == ["headlines", "helpdesk"]
    assert completions("compare", "") == ["baseline", "latest", "previous"]


def test_completion_outside_a_workspace_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completions("run", "--config", "") == []


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_completion_script_names_the_variable_that_the_command_listens_to(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("completion", shell) == 0
    assert completion.VARIABLE == entry.COMPLETING
    assert f"{entry.COMPLETING}={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {}),
        (["--workspace", "w", "--config=c"], {"workspace": "w", "config": "c"}),
        (["--debug"], {"debug": "yes"}),
        (["--workspace"], None),
        (["run"], None),
        (["--workspace", "w", "run"], None),
        (["--help"], None),
    ],
)
def test_the_app_is_meant_where_there_is_no_command(
    arguments: list[str], options: dict[str, str] | None
) -> None:
    assert entry.app_options(arguments) == options


def test_the_app_without_a_terminal_says_what_to_use_instead(tmp_path: Path) -> None:
    (tmp_path / "llmops.yaml").touch()
    done = subprocess.run(
        [sys.executable, "-c", "from llmops_tui.entry import main; main()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the app needs a terminal")
    assert "llmops-tui run" in done.stderr
    assert find_spec("llmops_tui.app") is not None
