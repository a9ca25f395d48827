"""`bisect` as a person and as a script meet it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk import PROMPT, Desk, make_desk
from git_repository import Repository
from serving import serving

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
BAD = "user:\n{{ question }} You have two weeks for a refund.\n"


def five_versions(desk: Desk) -> None:
    for n in range(5):
        desk.edit_prompt((PROMPT if n < 3 else BAD) + f"Edit {n}.\n")
        assert desk("run", "--case", "days")[0] == 0


def test_the_answer_names_the_version_and_shows_what_changed(desk: Desk) -> None:
    five_versions(desk)
    code, out, _ = desk("bisect", "days")
    assert code == 0
    assert out.startswith("v4 broke days (v3 is the last good one)\n")
    assert "- {{ question }} You have [-30 days-] for a refund." in out
    assert "+ {{ question }} You have {+two weeks+} for a refund." in out
    assert "0 requests, $0; 3 steps from v3 to v5" in out


def test_ends_can_be_named(desk: Desk) -> None:
    five_versions(desk)
    code, out, _ = desk("bisect", "days", "--good", "v1", "--bad", "v5")
    assert (code, out.splitlines()[0]) == (0, "v4 broke days (v3 is the last good one)")
    assert re.search(r"✓ v1 +passes, as every time", out)
    assert re.search(r"✗ v5 +fails, as every time", out)


def test_json_is_as_described(desk: Desk) -> None:
    five_versions(desk)
    answer = desk.json("bisect", "days")
    assert (answer["ended"], answer["first_bad"]["name"], answer["last_good"]["name"]) == (
        "found",
        "v4",
        "v3",
    )
    assert answer["changed_parts"] == ["prompt"]
    assert answer["provider_calls"] == 0
    page = PAGE.read_text(encoding="utf-8")
    section = page.split("## `bisect`")[1].split("\n## ")[0]
    described = set(re.findall(r"`(\w+)`", section))
    for value in (answer, answer["first_bad"], answer["path"][0], answer["changes"][0]):
        assert set(value) <= described


def test_what_can_not_be_bisected_is_a_sentence(desk: Desk) -> None:
    assert "there is no version before v1; try --git" in desk("bisect", "days")[2]
    five_versions(desk)
    assert "there is no case 'dys'; did you mean 'days'?" in desk("bisect", "dys")[2]
    assert "nothing judges unjudged" in desk("bisect", "unjudged")[2]
    assert "no model is called 'x'" in desk("bisect", "days", "--model", "x")[2]
    assert "not in a git repository" in desk("bisect", "days", "--git")[2]
    code, _, err = desk("bisect", "days", "--bad", "v2")
    assert code == 2
    assert "it is not failing at v2" in err


def test_commits_are_named_with_author_date_and_subject(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = Repository(tmp_path / "desk")
    desk = Desk(make_desk(tmp_path / "desk"), capsys)
    (desk.root / ".gitignore").write_text(".llmops/\n", encoding="utf-8")
    repository.commit("Start")
    sha = repository.commit("A friendlier \x1b[31mtone", **{"prompts/desk.md": BAD})
    repository.commit("Words", **{"prompts/desk.md": BAD + "More.\n"})
    before = repository.state()
    code, out, _ = desk("bisect", "days", "--git")
    assert code == 0
    assert repository.state() == before
    assert out.startswith(f"{sha[:10]} broke days")
    assert "A friendlier tone" in out
    assert f"· Ada · commit {sha[:10]}" in out


def test_a_budget_that_does_not_allow_it_refuses_without_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        root = make_desk(tmp_path / "desk")
        config = (root / "configs/desk.yaml").read_text(encoding="utf-8").replace("echo/parrot", "fake/some")
        (root / "configs/desk.yaml").write_text(config, encoding="utf-8")
        price = "{input: 1000, output: 1000}"
        (root / "llmops.yaml").write_text(
            f"providers: {{fake: {{base_url: '{server.url}', price: {{some: {price}}}}}}}\n"
            "budget: {per_run_usd: 0.000001}\n",
            encoding="utf-8",
        )
        desk = Desk(root, capsys)
        for n in range(3):
            desk.edit_prompt(PROMPT + f"{n}\n")
            desk("check")
            desk("versions")
        code, _, err = desk("bisect", "days")
        assert (code, server.count) == (2, 0), err
        assert "budget" in err
