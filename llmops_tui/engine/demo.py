"""The demo: a workspace from the template, its baseline, a real edit, and what that edit did.

Every figure comes from the embedded model, then and there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import Emit
from llmops_tui.engine.events import AskFirst, RunRequest

CONFIG = "helpdesk"
PROMPT = "prompts/helpdesk.md"


def default_folder() -> Path:
    """Where the demo lives when no folder is named: with the user's data, outside any checkout."""
    from llmops_tui.workspace.places import user_data

    return user_data() / "demo" / "helpdesk"


def create(folder: Path, *, reset: bool) -> bool:
    """Make the workspace; True where it is new. A second demo keeps the person's edits.

    Raises:
        UsageError: the folder holds something else, or can't be written.
    """
    from llmops_tui.workspace import template, trust

    ours = (folder / "configs" / f"{CONFIG}.yaml").is_file()
    try:
        if reset and ours:
            shutil.rmtree(folder)
        elif ours:
            return False
        template.create(folder)
        trust.trust(folder)  # its Python is ours
    except OSError as error:
        raise UsageError(
            Problem(
                f"the demo can't be made in {folder}: {error.strerror}", "name a folder: llmops-tui demo DIR"
            )
        ) from error
    return True


def is_edited(folder: Path) -> bool:
    """Whether the demo's edit, or one of the person's, is in the prompt already."""
    from llmops_tui.workspace import template

    return template.DEMO_EDIT[0] not in (folder / PROMPT).read_text(encoding="utf-8")


def edit(folder: Path) -> None:
    """Make the demo's edit, as a person would: open the prompt, change a sentence, save."""
    from llmops_tui.workspace import template

    prompt = folder / PROMPT
    before, after = template.DEMO_EDIT
    text = prompt.read_text(encoding="utf-8")
    prompt.write_text(text.replace(before, after), encoding="utf-8")


async def evaluate(engine: Engine, emit: Emit) -> None:
    """Evaluate what is on disk now.

    Raises:
        LlmopsError: the workspace or the model says no.
    """
    engine.load()
    result = await engine.evaluate(RunRequest(CONFIG, "demo"), emit)
    if isinstance(result, AskFirst):
        raise UsageError(result.why)
