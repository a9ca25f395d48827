"""What the screen of the ladder asks."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from llmops_tui.engine.session_queries import SessionQueries

if TYPE_CHECKING:
    from llmops_tui.domain.ladder.ladder import Ladder


class SessionDoctor(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def ladder(self, now: float) -> Future[Ladder]:
        """In a thread of its own: it reads commits, and many requests."""
        future: Future[Ladder] = Future()
        config = self._config

        def work() -> None:
            from llmops_tui.engine.doctor import doctor

            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(doctor(self.root, config, now))
            except BaseException as error:  # handed to whoever asked
                future.set_exception(error)

        threading.Thread(target=work, name="doctor", daemon=True).start()
        return future
