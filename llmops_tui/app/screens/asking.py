"""What the Bench has the engine ask: cases again, variants, explanations, bisects."""

from __future__ import annotations

from typing import Any

from llmops_tui.app.screens.frame import Frame
from llmops_tui.domain.comparison import Pair
from llmops_tui.engine.events import BisectRequest, ExplainRequest, RunRequest


class AskKeys(Frame, inherit_bindings=False):
    """Part of the Bench."""

    @property
    def pair(self) -> Pair | None:
        """The case under the cursor."""
        raise NotImplementedError

    # -- runs

    def _request(self, **how: object) -> RunRequest | None:
        config = self.model.status.config
        if config is None:
            self.say("The workspace is still being read.")
            return None
        return RunRequest(config, **how)  # type: ignore[arg-type]

    def action_ask_again(self) -> None:
        pair = self.pair
        request = self._request(reason="ask again", extra_trial=(pair.case_id,)) if pair else None
        if request is not None and pair is not None:
            self.owner.session.run(request)
            self.say(f"Asking {pair.case_id} once more, as a further trial.")

    def action_rerun_failed(self) -> None:
        request = self._request(reason="retry", only_failed=True)
        if request is not None:
            self.owner.session.run(request)

    def action_rerun_all(self) -> None:
        request = self._request(reason="fresh", fresh=True)
        if request is not None:
            self.owner.session.run(request)

    # -- work that is longer than a run

    def action_explain(self) -> None:
        bench, config = self.model.bench, self.model.status.config
        if bench.comparison is None or bench.candidate is None or config is None:
            self.say("There is no comparison yet.")
        elif bench.is_alone:
            self.say("One version is on screen; there is nothing to explain.")
        else:
            left, right = bench.comparison.baseline.version, bench.candidate
            names = [version.hash if version.is_hidden else version.name for version in (left, right)]
            self.owner.session.run(ExplainRequest(config, names[0], names[1]))

    def action_try_variants(self) -> None:
        from llmops_tui.app.screens import trying

        trying.start(self)

    def action_bisect(self) -> None:
        bench, pair = self.model.bench, self.pair
        good = bad = None
        if any(self.model.chosen) and bench.comparison is not None and bench.candidate is not None:
            left, right = bench.comparison.baseline.version, bench.candidate
            if 0 < left.number < right.number:
                good, bad = left.name, right.name
        self._bisect(pair, good=good, bad=bad)

    def action_bisect_git(self) -> None:
        self._bisect(self.pair, git=True)

    def _bisect(self, pair: Pair | None, **how: Any) -> None:
        config = self.model.status.config
        if pair is None or config is None:
            self.say("There is no case under the cursor to bisect.")
        else:
            self.owner.session.run(BisectRequest(config, pair.case_id, model=pair.model, **how))
