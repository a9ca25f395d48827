"""`try`: variants on the command line, as a table, as JSON, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import Desk
from fake_openai import FakeOpenAI
from serving import serving

CONFIG = """\
# tuned in May
prompt: prompts/desk.md
models: [gateway/plain]
params: {temperature: 0}   # keep
evals: [evals/desk.yaml]
"""
OTHER = "user:\n{{ question }} You have two weeks for a refund, from 9 to 5.\n"


def on_server(desk: Desk, server: FakeOpenAI, settings: str = "") -> None:
    (desk.root / "configs/desk.yaml").write_text(CONFIG, encoding="utf-8")
    (desk.root / "prompts/other.md").write_text(OTHER, encoding="utf-8")
    price = "{input: 1000, output: 1000}"
    (desk.root / "llmops.yaml").write_text(
        f'providers:\n  gateway: {{base_url: "{server.url}", price: {{plain: {price}, other: {price}}}}}\n'
        + settings,
        encoding="utf-8",
    )


def files(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file() and ".llmops" not in p.parts}


def test_variants_are_ranked_and_no_file_is_touched(desk: Desk) -> None:
    with serving() as server:
        on_server(desk, server)
        before = files(desk.root)
        code, out, err = desk("try", "--set", "models=gateway/other", "--sweep", "params.temperature=0,1")
        assert code == 0, err
        assert files(desk.root) == before
        assert server.count == 3 * 4
        assert "Try 2 variants and v1: 12 answers, 0 known before, at most 12 requests, about $" in err
        head, _, columns, *rows = out.splitlines()
        assert head == "desk: 2 variants on 4 cases, by pass rate"
        assert columns.split()[:3] == ["variant", "version", "pass"]
        assert "on disk" in rows[0] + rows[1] + rows[2]
        assert "models=gateway/other params.temperature=1" in out
        assert "look at one: llmops-tui compare v1 ~" in out
        code, _, err = desk("try", "--set", "models=gateway/other", "--sweep", "params.temperature=0,1")
        assert (code, server.count) == (0, 12)
        assert "nothing to ask" in err


def test_json_says_the_same_and_what_was_tried_can_be_looked_at(desk: Desk) -> None:
    with serving() as server:
        on_server(desk, server)
        found = desk.json("try", "--set", "prompt=prompts/other.md")
        assert found["config"] == "desk"
        assert found["on_disk"] == "v1"
        assert (found["metric"], found["by_fact"], found["cases"]) == ("pass_rate", False, 4)
        (variant,) = [v for v in found["variants"] if v["claim"] != "on disk"]
        assert variant["variant"] == "prompt=prompts/other.md"
        assert variant["claim"] == "not told apart"
        assert variant["against_disk"]["delta"] == 0.0
        assert (variant["against_disk"]["lost"], variant["against_disk"]["won"]) == (1, 1)
        assert set(found["best"]) == {"v1", variant["version"]}
        assert found["provider_calls"] == 8
        assert found["conclusion"]
        asked = server.count
        compared = desk.json("compare", "latest", variant["version"])
        assert compared["candidate"] == variant["version"]
        assert compared["counts"]["regressed"] == compared["counts"]["improved"] == 1
        shown = desk.json("show", variant["version"])
        assert shown["hash"] == variant["hash"]
        assert [v["name"] for v in desk.json("versions")["versions"]] == ["v1"]
        assert server.count == asked


def test_a_slip_is_said_of_the_option_and_nothing_is_asked(desk: Desk) -> None:
    with serving() as server:
        on_server(desk, server)
        code, out, err = desk("try", "--set", "params.temperature=0.5", "--sweep", "retrieval.topk=1,2")
        assert (code, out, server.count) == (2, "", 0)
        assert (
            "error: --sweep retrieval.topk=1: unknown key 'topk' in retrieval; did you mean 'top_k'?" in err
        )
        assert desk("try")[0] == 2
        assert "nothing is to be tried" in desk("try")[2]


def test_more_than_the_budget_is_refused_without_a_terminal_and_goes_on_with_yes(desk: Desk) -> None:
    with serving() as server:
        on_server(desk, server, "budget: {per_run_usd: 0.01}\n")
        code, _, err = desk("try", "--sweep", "params.temperature=0.1,0.2,0.3")
        assert (code, server.count) == (2, 0)
        assert "more than budget.per_run_usd" in err
        assert "--yes" in err
        code, out, _ = desk("try", "--sweep", "params.temperature=0.1,0.2,0.3", "--yes")
        assert (code, server.count) == (0, 16)
        assert "$" in out


def test_a_model_that_cannot_be_had_is_told_by_the_exit_code(desk: Desk) -> None:
    with serving() as server:
        on_server(desk, server)
        code, out, _ = desk("try", "--set", "models=gateway/quirk-401")
        assert code == 3
        assert "models=gateway/quirk-401: not ranked, 4 errors" in out
        assert "No variant could be ranked." in out


@pytest.mark.parametrize("option", [("--case", "days"), ("--tag", "opening"), ("--limit", "1")])
def test_a_subset_of_the_cases(desk: Desk, option: tuple[str, str]) -> None:
    with serving() as server:
        on_server(desk, server)
        assert desk.json("try", "--set", "params.temperature=1", *option)["cases"] == 1
        assert server.count == 2
