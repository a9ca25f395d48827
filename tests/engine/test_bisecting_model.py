"""The demo workspace on the embedded model: a harmful commit planted among thirty is found."""

from __future__ import annotations

from pathlib import Path

from git_repository import Repository

from llmops_tui.engine.bisecting import BisectOutcome, bisect
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import BisectRequest
from llmops_tui.workspace import template

PROMPT = "prompts/helpdesk.md"
CONFIG = "configs/helpdesk.yaml"


async def test_a_commit_planted_among_thirty_is_found_on_the_embedded_model(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repo")
    root = tmp_path / "repo" / "helpdesk"
    template.create(root)
    prompt, config = ((root / file).read_text(encoding="utf-8") for file in (PROMPT, CONFIG))
    planted = ""
    for n in range(30):
        # Every fifth commit makes a version; the eighteenth takes the context away from the model.
        files = {
            "NOTES.md": f"note {n}\n",
            f"helpdesk/{CONFIG}": config.replace("seed: 7", f"seed: {7 + n // 5}"),
            f"helpdesk/{PROMPT}": prompt if n < 17 else prompt.replace("{{ context }}", "(none)"),
        }
        sha = repository.commit(f"Commit {n + 1}", **files)
        planted = sha if n == 17 else planted
    before = repository.state()
    engine = Engine.open(root)
    engine.load()
    outcome = await bisect(engine, BisectRequest("helpdesk", "shipping-cost", git=True, agreed=True))
    engine.close()
    assert isinstance(outcome, BisectOutcome)
    assert (outcome.found.ended, outcome.found.first_bad.commit) == ("found", planted)
    assert outcome.found.first_bad.subject == "Commit 18"
    assert "{{ context }}" in outcome.texts[0].before
    # Seven versions; one answer of the embedded model is a fact.
    assert outcome.found.calls <= 6
    assert all(seen.by_fact for seen in outcome.found.path)
    assert repository.state() == before
