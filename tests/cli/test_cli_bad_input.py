"""What people get wrong, and the sentence they get: never a traceback, always what to do, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import CONFIG, EVALS, Desk, make_desk

JSONL = CONFIG.replace("evals/desk.yaml", "evals/desk.jsonl")
CSV = CONFIG.replace("evals/desk.yaml", "evals/desk.csv")
RETRIEVING = CONFIG + "retrieval: {source: docs}\n"
GATEWAY = CONFIG.replace("echo/parrot", "gateway/some-model")
MB_200 = 200_000_000


def on(model: str) -> str:
    return CONFIG.replace("echo/parrot", model)


def judged_by(scorer: str) -> str:
    return EVALS.replace("{contains: 30 days}", scorer)


#: What was done → the files that are other than they should be (text, bytes, a size in bytes, or None: gone),
#: and how the sentence goes.
MISTAKES: dict[str, tuple[dict[str, str | bytes | int | None], str]] = {
    # -- the eval set
    "an empty eval set": (
        {"evals/desk.yaml": "cases: []\n"},
        "evals/desk.yaml:1 is an empty eval set; add a case with an id, vars and scorers",
    ),
    "two cases of one id": (
        {"evals/desk.yaml": EVALS + "  - id: days\n    vars: {question: Again?}\n"},
        "the id 'days' is there already (line 2); rename one",
    ),
    "a CSV without ids": (
        {"configs/desk.yaml": CSV, "evals/desk.csv": "question\nHow?\n"},
        "evals/desk.csv:1 the column 'id' is missing; add it; the columns are: question",
    ),
    "a CSV without a column that the prompt reads": (
        {"configs/desk.yaml": CSV, "evals/desk.csv": "id,expected\na,b\n"},
        "prompts/desk.md:2 unknown variable 'question': no case gives it",
    ),
    "a CSV with a ragged row": (
        {"configs/desk.yaml": CSV, "evals/desk.csv": "id,question\na,Yes, but how?\n"},
        "evals/desk.csv:2 has 3 cells, the header has 2 columns; put text that holds a comma in double",
    ),
    "a CSV with an open quote": (
        {"configs/desk.yaml": CSV, "evals/desk.csv": 'id,question\na,"How\n'},
        "evals/desk.csv:2 is not valid CSV",
    ),
    "a CSV of another program": (
        {"configs/desk.yaml": CSV, "evals/desk.csv": "id,question\na,b\n".encode("utf-16")},
        "evals/desk.csv:1 is not UTF-8 text: byte 0xff at offset 0; save it as UTF-8",
    ),
    "JSONL cut off": (
        {"configs/desk.yaml": JSONL, "evals/desk.jsonl": '{"id": "a", "vars": {"question": "x"}}\n{"id":'},
        "evals/desk.jsonl:2 is not valid JSON",
    ),
    "JSONL that isn't objects": (
        {"configs/desk.yaml": JSONL, "evals/desk.jsonl": "[1, 2]\n"},
        "evals/desk.jsonl:1 must be a mapping of keys to values, not a list",
    ),
    "a spreadsheet": (
        {
            "configs/desk.yaml": CONFIG.replace("desk.yaml]", "desk.xlsx]"),
            "evals/desk.xlsx": b"PK\x03\x04",
        },
        "evals/desk.xlsx is not an eval file ('.xlsx'); use one of .yaml, .yml, .jsonl, .csv",
    ),
    "an eval file that isn't there": (
        {"evals/desk.yaml": None},
        "configs/desk.yaml:4 there is no file 'evals/desk.yaml'; create it, or correct the path",
    ),
    # -- YAML
    "invalid YAML": (
        {"configs/desk.yaml": "prompt: [a\nmodels: b"},
        "configs/desk.yaml:2 is not valid YAML: did not find expected ',' or ']'; check indentation",
    ),
    "a configuration of one word": (
        {"configs/desk.yaml": "hello\n"},
        "configs/desk.yaml:1 must be a mapping of keys to values, not 'hello'",
    ),
    "a key misspelt": (
        {"configs/desk.yaml": CONFIG + "promt: x\n"},
        "configs/desk.yaml:5 unknown key 'promt'; did you mean 'prompt'?",
    ),
    "a setting that can't be": (
        {"llmops.yaml": "watch: {mode: sometimes}\n"},
        "llmops.yaml:1 'watch.mode' must be one of auto, ask, off, not 'sometimes'",
    ),
    "no configuration at all": (
        {"configs/desk.yaml": None, "llmops.yaml": ""},
        "there is no configuration; write one (prompt, models, evals) as configs/NAME.yaml",
    ),
    # -- the prompt
    "invalid Jinja2": (
        {"prompts/desk.md": "user:\n{{ question }\n"},
        "prompts/desk.md:2 the template does not parse: unexpected '}'",
    ),
    "a variable that no case has": (
        {"prompts/desk.md": "user:\n{{ qestion }}\n"},
        "prompts/desk.md:2 unknown variable 'qestion': no case gives it; did you mean 'question'?",
    ),
    "an include that isn't there": (
        {"prompts/desk.md": "user:\n{{ question }}{% include 'prompts/dsk.md' %}\n"},
        "prompts/desk.md:2 there is no file 'prompts/dsk.md'; did you mean 'prompts/desk.md'?",
    ),
    "an include from outside": (
        {"prompts/desk.md": "user:\n{{ question }}{% include '../../.ssh/id_rsa' %}\n"},
        "prompts/desk.md:2 '../../.ssh/id_rsa' is not a file of the workspace",
    ),
    "a prompt that isn't there": (
        {"prompts/desk.md": None},
        "configs/desk.yaml:1 there is no file 'prompts/desk.md'; create it, or correct the path",
    ),
    "an empty prompt": ({"prompts/desk.md": ""}, "the prompt is empty; write what the model is asked"),
    "a prompt that isn't UTF-8": (
        {"prompts/desk.md": b"user:\nna\xefve {{ question }}\n"},
        "prompts/desk.md:2 is not UTF-8 text: byte 0xef at offset 8; save it as UTF-8",
    ),
    # -- documents
    "documents that aren't there": (
        {"configs/desk.yaml": RETRIEVING},
        "configs/desk.yaml:5 there is no folder 'docs'; create it, or correct the path",
    ),
    "no document": (
        {"configs/desk.yaml": RETRIEVING, "docs/notes.docx": b"PK"},
        "configs/desk.yaml:5 'docs' holds no document; put files (.md, .txt, .rst, .html) into it",
    ),
    # -- 200 MB, refused by their size
    "200 MB of prompt": ({"prompts/desk.md": MB_200}, "prompts/desk.md is 200 MB; at most 10 MB are read"),
    "200 MB of cases": ({"evals/desk.yaml": MB_200}, "evals/desk.yaml is 200 MB; at most 100 MB are read"),
    "200 MB of configuration": ({"configs/desk.yaml": MB_200}, "configs/desk.yaml is 200 MB; at most 10 MB"),
    "200 MB of settings": ({"llmops.yaml": MB_200}, "llmops.yaml is 200 MB; at most 10 MB are read"),
    "200 MB of .env": ({".env": MB_200}, ".env is 200 MB; at most 10 MB are read"),
    # -- names that nobody knows
    "an unknown provider": (
        {"configs/desk.yaml": on("opnai/gpt-4o")},
        "configs/desk.yaml:2 there is no provider 'opnai'; did you mean 'openai'?",
    ),
    "a model without its provider": (
        {"configs/desk.yaml": on("gpt-4o")},
        "configs/desk.yaml:2 'gpt-4o' names no provider; did you mean 'openai/gpt-4o'?",
    ),
    "an unknown local model": (
        {"configs/desk.yaml": on("local/smolm2-135m")},
        "did you mean 'smollm2-135m-instruct'?",
    ),
    "an unknown scorer": (
        {"evals/desk.yaml": judged_by("{contians: x}")},
        "evals/desk.yaml:4 there is no scorer 'contians'; did you mean 'contains'?",
    ),
    "an unknown option of a scorer": (
        {"evals/desk.yaml": judged_by("{contains: {value: x, casesensitive: true}}")},
        "evals/desk.yaml:4 contains has no option 'casesensitive'; did you mean 'case_sensitive'?",
    ),
    "a pattern that doesn't parse": (
        {"evals/desk.yaml": judged_by("{regex: '('}")},
        "the pattern can't be read: missing ) at position 1",
    ),
    "Python that doesn't parse": (
        {"scorers.py": "def mine(output:\n", "evals/desk.yaml": judged_by("mine")},
        "scorers.py:1 is not valid Python: '(' was never closed",
    ),
    "an .env that isn't UTF-8": (
        {".env": b"KEY=na\xefve\n"},
        ".env:1 is not UTF-8 text: byte 0xef at offset 6; save it as UTF-8",
    ),
    "a baseline that was torn": ({"baselines.yaml": "desk: [\n"}, "baselines.yaml:2 is not valid YAML"),
}

#: What only a run needs.
MISTAKES_OF_A_RUN: dict[str, tuple[dict[str, str | bytes | int | None], str]] = {
    "a missing key": (
        {
            "configs/desk.yaml": GATEWAY,
            "llmops.yaml": 'providers: {gateway: {base_url: "http://[::1]:9/v1", api_key: "${NO_KEY}"}}\n',
        },
        "llmops.yaml:1 the provider 'gateway' needs the variable NO_KEY, which is not set; set it in the",
    ),
    "Python that nobody trusted": (
        {"scorers.py": "def mine(output): return True\n", "evals/desk.yaml": judged_by("mine")},
        "scorers.py the cases use Python of this workspace, which may not run yet; look at scorers.py, then",
    ),
    "a key misspelt in .env": (
        {
            "configs/desk.yaml": GATEWAY,
            "llmops.yaml": 'providers: {gateway: {base_url: "http://[::1]:9/v1", api_key: "${NO_KEY}"}}\n',
            ".env": "# keys\n'NO_KEY=abcdefgh\n",
        },
        ".env:2 is not NAME=value; mend the line, or put # before it",
    ),
}


def spoil(root: Path, files: dict[str, str | bytes | int | None]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        elif isinstance(content, int):
            with path.open("wb") as file:
                file.truncate(content)  # sparse: to read it would take a while, and is what must not be
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_the_files_is_a_sentence(desk: Desk, what: str) -> None:
    files, sentence = MISTAKES[what]
    spoil(desk.root, files)
    error = desk.json("check", code=2)["error"]
    assert sentence in error["message"]
    assert error["exit_code"] == 2
    code, out, err = desk("check")
    assert (code, sentence in out, err) == (2, True, "")


@pytest.mark.parametrize("what", ["200 MB of .env", "a baseline that was torn", *MISTAKES_OF_A_RUN])
def test_a_run_is_refused_with_a_sentence(desk: Desk, what: str) -> None:
    files, sentence = (MISTAKES | MISTAKES_OF_A_RUN)[what]
    spoil(desk.root, files)
    error = desk.json("run", code=2)["error"]
    assert sentence in error["message"]


@pytest.mark.parametrize("what", ["invalid YAML", "a prompt that isn't there", "an empty eval set"])
def test_what_was_recorded_can_be_looked_at_while_the_files_are_broken(desk: Desk, what: str) -> None:
    assert desk("run")[0] == 0
    files, sentence = MISTAKES[what]
    kept = {n: (desk.root / n).read_bytes() for n in files}
    spoil(desk.root, files)
    code, out, err = desk("run")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert sentence in err
    assert "Traceback" not in err
    assert sentence in desk("check")[1]
    assert desk.json("versions")["versions"][0]["run"]["passed"] == 2
    code, out, err = desk("compare")
    assert (code, "Nothing differs" in out) == (0, True)
    assert sentence in err
    spoil(desk.root, dict(kept))
    assert desk.json("run")["state"] == "unchanged"


CALLS: dict[str, tuple[list[str], str]] = {
    "a command that isn't": (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
    "an option that isn't": (["run", "--frsh"], "no such option '--frsh'"),
    "a limit of nothing": (["run", "--limit", "0"], "invalid value for '--limit'"),
    "an unknown configuration": (["run", "--config", "dsk"], "no configuration 'dsk'; did you mean 'desk'?"),
    "an unknown case": (["run", "--case", "dayz"], "there is no case 'dayz'; did you mean 'days'?"),
    "an unknown tag": (["run", "--tag", "opning"], "no case has the tag 'opning'; did you mean 'opening'?"),
    "an unknown version": (["show", "v9"], "'desk' has no version 'v9'; known here: baseline, latest"),
    "an unknown label": (["compare", "v1", "best"], "'desk' has no version 'best'"),
    "a baseline that isn't": (["promote", "v9"], "'desk' has no version 'v9'"),
    "a label of nothing": (["label", "v1", ""], "a label needs a text"),
    "a label that is a version": (["label", "v1", "v2"], "'v2' already names a version; choose a word"),
    "a label with a colour": (["label", "v1", "a\x1b[31mb"], "this label can't be shown on a line"),
    "a report into nowhere": (["report", "-o", "/no/such/folder/x.md"], "No such file or directory; name"),
    "an unknown schema": (
        ["schema", "evls"],
        "'evls' is not one of 'config', 'evals', 'attacks', 'workspace'",
    ),
    "a workspace in a workspace": (["init", "."], "is not empty; name a new one"),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_mistake_in_the_call_is_a_sentence(
    desk: Desk, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from llmops_tui.cli.main import main

    monkeypatch.chdir(desk.root)
    arguments, sentence = CALLS[what]
    if arguments[0] == "report":
        assert desk("run")[0] == 0
    assert main(arguments, lambda *_: 0) == 2
    plain = capsys.readouterr()
    assert (plain.out, plain.err.startswith("error: "), sentence in plain.err) == ("", True, True), plain.err
    assert main([*arguments, "--json"], lambda *_: 0) == 2
    assert sentence in json.loads(capsys.readouterr().out)["error"]["message"]
    assert desk.json("versions")["versions"][0]["labels"] == []


@pytest.mark.parametrize("verb", ["run", "check", "versions", "compare", "report", "gc", "trust", "show v1"])
def test_a_folder_that_is_no_workspace_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    error = Desk(tmp_path, capsys).json(*verb.split(), code=2)["error"]
    assert "there is no workspace at" in error["message"]
    assert error["problems"][0]["remedy"] == "make one with: llmops-tui init"
    assert list(tmp_path.iterdir()) == []


def test_one_workspace_broken_leaves_another_configuration_usable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(make_desk(tmp_path / "two"), capsys)
    spoil(desk.root, {"configs/other.yaml": CONFIG.replace("prompts/desk.md", "prompts/gone.md")})
    code, out, err = desk("run", "--config", "desk")
    assert (code, "4 requests sent" in out) == (0, True)
    assert "there is no file 'prompts/gone.md'" in err
