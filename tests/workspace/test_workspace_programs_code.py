"""A team's own program as the workspace reads it: which files it is made of, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.domain.program import BINARY
from llmops_tui.workspace.programs_code import read_command, read_function
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.tools import ToolsFile, read_tools

Write = Callable[..., Reader]


@pytest.fixture
def files(tmp_path: Path) -> Write:
    def write(**texts: str) -> Reader:
        for name, text in texts.items():
            path = tmp_path / (name.replace("__init", "/__init__").replace("_in_", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Reader(tmp_path)

    return write


def function(reader: Reader, spec: str) -> dict[str, str] | None:
    return read_function(reader, spec, "configs/app.yaml", 3)


def said(reader: Reader) -> list[str]:
    return [str(problem) for problem in reader.problems]


APP = (
    "import json\nfrom lib import words\ndef answer(): return words.x\nclass Bot:\n    def say(self): pass\n"
)


def test_a_function_is_its_module_and_all_that_it_imports(files: Write) -> None:
    reader = files(app=APP, lib__init="", lib_in_words="import helper", helper="x = 1", other="y = 1")
    assert list(function(reader, "app:answer") or ()) == [
        "app.py",
        "helper.py",
        "lib/__init__.py",
        "lib/words.py",
    ]
    assert reader.problems == []
    assert {"app.py", "helper.py", "lib/words.py"} <= set(reader.files)


def test_a_module_in_a_folder_is_named_with_a_dot(files: Write) -> None:
    assert list(function(files(lib_in_app="def f(): pass"), "lib.app:f") or ()) == ["lib/app.py"]


@pytest.mark.parametrize(
    "source", ["answer = 1", "from lib import *", "if 1:\n    def answer(): pass", "def __getattr__(n): pass"]
)
def test_a_name_that_may_be_a_function_is_left_to_the_worker(files: Write, source: str) -> None:
    assert function(files(app=source), "app:answer") is not None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("app", "configs/app.yaml:3 'app' does not name a function; write module:function, as in app:answer"),
        ("app.py:answer", "'app.py:answer' does not name a function; write app:answer"),
        ("a/b.py:f", "does not name a function; write a.b:f"),
        ("ap:answer", "there is no module 'ap' in the workspace; did you mean 'app'?"),
        ("app:anwser", "configs/app.yaml:3 app.py has no function 'anwser'; did you mean 'answer'?"),
        ("app:Bot.sya", "app.py:4 the class 'Bot' has no method 'sya'; did you mean 'say'?"),
        ("lib.wrods:x", "there is no module 'lib.wrods' in the workspace; did you mean 'lib.words'?"),
        ("app:", "does not name a function"),
    ],
)
def test_a_mistake_names_the_line_and_what_was_meant(files: Write, spec: str, expected: str) -> None:
    reader = files(app=APP, lib_in_words="x = 1")
    assert function(reader, spec) is None
    assert expected in said(reader)[0]


def test_a_module_that_does_not_parse_is_a_problem_of_its_own_line(files: Write) -> None:
    reader = files(app="x = 1\ndef (:\n")
    assert function(reader, "app:answer") is None
    assert said(reader)[0].startswith("app.py:2 is not valid Python")


def test_a_module_that_does_not_exist_is_looked_for_again_when_it_comes(files: Write) -> None:
    reader = files()
    function(reader, "app:answer")
    assert any("app.py" in fact for fact in reader.facts)


# -- commands


def command(reader: Reader, written: str | list[str]) -> tuple[tuple[str, ...], list[str]] | None:
    found = read_command(reader, written, "configs/app.yaml", 3)
    return found and (found[0], list(found[1]))


def test_files_that_a_command_names_are_part_of_it(files: Write, tmp_path: Path) -> None:
    reader = files(app="import helper", helper="")
    (tmp_path / "settings.json").write_text("{}", encoding="utf-8")
    expected = (("python", "app.py", "settings.json", "--fast"), ["app.py", "helper.py", "settings.json"])
    assert command(reader, "python app.py settings.json --fast") == expected
    assert command(reader, ["python", "./app.py"]) == (("python", "./app.py"), ["app.py", "helper.py"])
    assert command(reader, "python -m app") == (("python", "-m", "app"), ["app.py", "helper.py"])
    assert command(reader, "other /etc/passwd ../x") == (("other", "/etc/passwd", "../x"), [])


def test_a_file_that_is_no_text_is_known_by_its_hash(files: Write, tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"\xff\xfe")
    found = read_command(files(), ["./tool"], "c.yaml", 1)
    assert found is not None
    assert found[1]["tool"].startswith(BINARY)


def test_hidden_files_are_no_part_of_a_version_for_they_hold_secrets(files: Write, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=s3cr3t", encoding="utf-8")
    reader = files(app="")
    assert command(reader, "python app.py .env ./.env") == (
        ("python", "app.py", ".env", "./.env"),
        ["app.py"],
    )
    assert ".env" not in reader.files


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "the command is empty"),
        ([], "the command is empty"),
        ("say 'x", "the command can't be read: no closing quotation; close the quotation marks"),
        ("cat x | wc", "the command has '|', and no shell reads it; write [sh, -c, 'cat x | wc']"),
        ("python ap.py", "there is no file 'ap.py'; did you mean 'app.py'?"),
        ("./gone.sh", "there is no file 'gone.sh'"),
        (["a", "b\0"], "NUL"),
    ],
)
def test_a_command_that_can_not_be_is_a_sentence(
    files: Write, written: str | list[str], expected: str
) -> None:
    reader = files(app="")
    assert command(reader, written) is None
    assert expected in said(reader)[0]


# -- tools.py

TOOLS = '''
import json
import helper
LIMIT = 3
CACHE = {}

def _clean(text):
    return text.strip()

def search(query: str, limit: int = LIMIT):
    """Search."""
    return helper.find(_clean(query))

def refund(order: str, *, force: bool = False):
    return json.dumps(order)

async def count():
    global TOTAL
    TOTAL = 1
'''


def tools(reader: Reader) -> ToolsFile:
    found = read_tools(reader)
    assert found is not None
    return found


def revisions(reader: Reader) -> dict[str, str]:
    return {name: tool.revision for name, tool in tools(reader).tools.items()}


def test_tools_are_the_functions_without_an_underscore(files: Write) -> None:
    found = tools(files(tools=TOOLS, helper="def find(x): return x"))
    assert list(found.tools) == ["search", "refund", "count"]
    assert list(found.modules) == ["helper.py", "tools.py"]
    search, refund = found.tools["search"], found.tools["refund"]
    assert (search.parameters, search.required, search.line) == (("query", "limit"), {"query"}, 10)
    assert (refund.parameters, refund.required) == (("order", "force"), {"order"})
    assert search.source.startswith("def search(")
    assert search.source.endswith("(query))\n")


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("json.dumps(order)", "json.dumps([order])", {"refund"}),
        ("text.strip()", "text.lower()", {"search"}),
        ("LIMIT = 3", "LIMIT = 4", {"search"}),
        ('"""Search."""', '"""Search well."""', {"search"}),
        ("CACHE = {}", "CACHE = {1: 2}", set()),
        ("\nasync def", "\n# a remark\nasync def", set()),
        ("TOTAL = 1", "TOTAL = 2", {"count"}),
        ("\nCACHE = {}\n", "\nCACHE = {}\nprint('loaded')\n", {"search", "refund", "count"}),
        ("import json\n", "import json\n\n\n", set()),
    ],
)
def test_an_edit_changes_the_revision_of_the_tools_that_reach_it(
    files: Write, old: str, new: str, changed: set[str]
) -> None:
    before = revisions(files(tools=TOOLS, helper="def find(x): return x"))
    assert old in TOOLS
    after = revisions(files(tools=TOOLS.replace(old, new)))
    assert {name for name in before if before[name] != after[name]} == changed


def test_what_a_tool_imports_is_part_of_its_revision(files: Write) -> None:
    before = revisions(files(tools=TOOLS, helper="import deep\ndef find(x): return x", deep="x = 1"))
    after = revisions(files(deep="x = 2"))
    assert {name for name in before if before[name] != after[name]} == {"search"}


def test_an_import_inside_a_tool_counts(files: Write) -> None:
    source = "def a():\n    from helper import x\n    return x\ndef b(): pass\n"
    before, after = revisions(files(tools=source, helper="x = 1")), revisions(files(helper="x = 2"))
    assert {name for name in before if before[name] != after[name]} == {"a"}


@pytest.mark.parametrize(
    "body",
    ["return globals()['hidden']", "return eval('hidden')", "return helper and sys.modules[__name__].hidden"],
)
def test_who_may_reach_everything_changes_with_everything(files: Write, body: str) -> None:
    source = f"import sys\nhidden = 1\ndef a(helper=None): {body}\ndef b(): pass\n"
    before, after = revisions(files(tools=source)), revisions(files(tools=source.replace("= 1", "= 2")))
    assert before["a"] != after["a"]
    assert before["b"] == after["b"]


def test_without_a_file_there_are_no_tools_and_a_broken_one_is_a_problem(files: Write) -> None:
    assert read_tools(files()) is None
    reader = files(tools="def (:")
    assert tools(reader).broken
    assert said(reader)[0].startswith("tools.py:1 is not valid Python")
