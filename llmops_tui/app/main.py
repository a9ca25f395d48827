"""Run the app on a workspace."""

from __future__ import annotations

import sys
from pathlib import Path


def run_app(root: Path, config: str | None = None) -> int:
    """Open the app and stay until the person leaves.

    Args:
        root: the workspace.
        config: configuration to show first; None: the one evaluated last.

    Returns:
        Exit code of the program.
    """
    from llmops_tui.app.app import LlmopsApp
    from llmops_tui.app.settings import checked
    from llmops_tui.engine.session import Session
    from llmops_tui.workspace import places, user_settings

    user = user_settings.load()
    settings = checked(user.keymap, user.theme, user.problems, str(places.settings_file()))
    sys.setswitchinterval(0.001)
    session = Session(root, config)
    app = LlmopsApp(session, settings)
    try:
        return app.run() or app.return_code or 0
    finally:
        # After the terminal is the person's again: it may take a moment.
        session.close()
