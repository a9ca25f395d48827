"""The memo of a workspace: the same as reading it, and never older than the files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.workspace import load, load_cached, memo, trust

Build = Callable[..., Path]

CASES = [
    {"id": f"c{n}", "vars": {"question": "x", "n": n}, "expected": {"a": [n]}, "scorers": [{"contains": "x"}]}
    for n in range(5)
]


def forget() -> None:
    """As a new process would start."""
    memo._memo_of.clear()


def rich(workspace: Build) -> Path:
    return workspace(
        cases=CASES,
        prompt='{% include "shared/a.md" %}{{ context }} {{ question }}',
        config={"retrieval": {"source": "docs"}},
        settings={"watch": {"mode": "ask"}},
        files={
            **{"docs/a.md": "alpha", "shared/a.md": "x", "scorers.py": "import lib\n", "lib.py": "x = 1\n"},
        },
    )


def test_it_gives_what_reading_gives(workspace: Build) -> None:
    root = rich(workspace)
    expected = load(root)
    assert expected.errors == ()
    for _ in range(3):
        assert load_cached(root) == expected
        forget()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docs/new.md", "beta"),
        ("docs/a.md", "changed"),
        ("shared/a.md", "y"),
        ("lib.py", "x = 2\n"),
        ("configs/second.yaml", "prompt: prompts/bench.md\n"),
        ("llmops.yaml", "watch: {mode: 'off'}\n"),
        ("prompts/bench.md", "{{ question }}"),
        ("evals/bench.yaml", "cases: [{id: z, vars: {question: x}}]"),
        ("scorers.py", "def f(output):\n    return 1\n"),
    ],
)
def test_any_file_that_was_consulted_makes_it_old(workspace: Build, file: str, text: str) -> None:
    root = rich(workspace)
    before = load_cached(root)
    (root / file).write_text(text, encoding="utf-8")
    forget()
    assert load_cached(root) == load(root) != before


def test_a_file_that_was_missing_and_comes_makes_it_old(workspace: Build) -> None:
    root = workspace(config={"evals": ["evals/late.yaml"]})
    assert load_cached(root).errors
    (root / "evals/late.yaml").write_text("cases: [{id: z, vars: {question: x}}]", encoding="utf-8")
    assert load_cached(root).errors == ()


def test_a_moved_or_damaged_memo_is_not_used(workspace: Build, tmp_path: Path) -> None:
    root = rich(workspace)
    load_cached(root)
    root.rename(tmp_path / "moved")
    forget()
    assert load_cached(tmp_path / "moved").root == str((tmp_path / "moved").resolve())
    for file in (tmp_path / "moved/.llmops/cache").iterdir():
        file.write_bytes(file.read_bytes()[:40])
    forget()
    assert load_cached(tmp_path / "moved").errors == ()


def test_trust_is_never_in_the_memo(workspace: Build) -> None:
    root = rich(workspace)
    assert load_cached(root).code.trusted is False
    trust.trust(root)
    assert load_cached(root).code.trusted is True
    assert load(root).code.trusted is True


def test_a_key_that_is_written_out_is_copied_nowhere(workspace: Build) -> None:
    root = workspace(
        settings={"providers": {"gw": {"base_url": "https://x.example", "api_key": "sk-very-secret"}}}
    )
    [warning] = load_cached(root).problems
    assert "a key is written out" in warning.message
    kept = [p for p in (root / ".llmops").rglob("*") if p.is_file()]
    assert not any(b"sk-very-secret" in p.read_bytes() for p in kept)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_not_be_written_is_read_all_the_same(workspace: Build) -> None:
    root = workspace()
    root.chmod(0o500)
    try:
        assert load_cached(root).errors == ()
    finally:
        root.chmod(0o700)


def test_a_folder_in_the_way_just_means_no_memo(workspace: Build) -> None:
    root = workspace(files={".llmops": "a file where the folder would be"})
    assert load_cached(root) == load(root)


def test_reading_from_the_memo_imports_nothing_heavy(workspace: Build) -> None:
    root = rich(workspace)
    load_cached(root)
    code = (
        "import sys; from pathlib import Path; from llmops_tui.workspace import load_cached\n"
        f"assert load_cached(Path({str(root)!r})).configurations\n"
        "print([m for m in ('pydantic', 'yaml', 'jinja2', 'ruamel', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_case_comes_back_from_the_memo_with_all_that_it_has(tmp_path: Path) -> None:
    """Every field is set, so that one which the memo forgets is missed here."""
    import msgspec

    from llmops_tui.domain.attack import Attack
    from llmops_tui.domain.case import Case, ScorerUse
    from llmops_tui.workspace.case_memo import CaseMemo

    plain = Case("plain", {"q": 1})
    whole = Case(
        *("whole", {"q": "x"}, {"days": 30}, (ScorerUse("contains", {"value": "x"}),), ("a", "b"), "g", 3),
        *("evals/a.yaml", 7, "it can't count", ({"q": "y"},), {"look": None}, ("docs/a.md",)),
        *(("Send it.",), Attack("a", "leakage")),
    )
    unset = msgspec.structs.asdict(plain)
    assert all(unset[name] != value for name, value in msgspec.structs.asdict(whole).items())
    CaseMemo(tmp_path).put("k" * 64, (plain, whole))
    assert CaseMemo(tmp_path).get("k" * 64) == (plain, whole)
