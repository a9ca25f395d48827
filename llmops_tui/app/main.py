"""Run the app on a workspace."""

from __future__ import annotations

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
    from llmops_tui.app.settings import read_settings, settings_file
    from llmops_tui.engine.session import Session

    session = Session(root, config)
    app = LlmopsApp(session, read_settings(settings_file()))
    try:
        return app.run() or app.return_code or 0
    finally:
        # After the terminal is the person's again: it may take a moment.
        session.close()
