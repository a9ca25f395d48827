"""The workspace that `init` and `demo` make."""

from __future__ import annotations

import shutil
from pathlib import Path

from llmops_tui.domain.errors import Problem, UsageError

#: The edit of the demo, in `prompts/helpdesk.md`: (text, what it is replaced by). A small change of
#: the rule on length, as anybody would try; on the embedded model it moves cases both ways.
DEMO_EDIT = ("Be brief.", "Write one full sentence.")


def create(target: Path) -> None:
    """Copy the template into a folder that is empty or not there.

    Raises:
        UsageError: the folder holds something, or can't be written.
    """
    if target.is_file():
        raise UsageError(Problem(f"{target} is a file", "name a folder"))
    try:
        if target.is_dir() and any(target.iterdir()):
            raise UsageError(Problem(f"the folder {target} is not empty", "name a new one"))
        shutil.copytree(source(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".llmops"))
    except (OSError, shutil.Error) as error:
        said = getattr(error, "strerror", None) or _first(error)
        raise UsageError(
            Problem(f"no workspace can be made in {target}: {said}", "name another folder")
        ) from error
    from llmops_tui.workspace.memo import write_schemas

    write_schemas(target)


def _first(error: OSError) -> str:
    """What the first file ran into: `copytree` gathers all of them, as (from, to, why)."""
    found = error.args[0] if error.args else ""
    return str(found[0][2]) if isinstance(found, list) and found else str(error)


def source() -> Path:
    """The template: in the installed package, or in the checkout.

    Raises:
        UsageError: it is in neither.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_template", package.parent / "workspace_template"):
        if folder.is_dir():
            return folder
    raise UsageError(Problem("the template is not part of this installation", "install llmops-tui again"))
