"""A small comparison as the engine hands it to the reports: two versions of a help desk, five cases."""

from __future__ import annotations

from llmops_tui.domain.comparison import Comparison, Pair, compare
from llmops_tui.domain.manifest import PartChange, make_part
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import Item, RunInfo, Snapshot, VersionInfo, make_rows
from llmops_tui.domain.score import Score
from llmops_tui.engine.events import OutputDetail, PairDetail, TextChange

MODEL = "local/smollm2-135m-instruct"
NOW = 1_790_000_000.0

OLD_TEXTS = {
    "refund-window": "You have 30 days from delivery to ask for a refund.",
    "shipping-cost": "I do not know.",
    "opening-hours": "We are open from 9 to 5.",
    "vat-number": "It is in the footer.",
}
NEW_TEXTS = {
    "refund-window": "You can ask for a refund at any time by contacting support.",
    "shipping-cost": "Shipping costs 4.90 euros.",
    "opening-hours": "We are open from 9 to 5.",
    "vat-number": "You find it in the footer.",
}
SCORES = {
    "refund-window": (1.0, 0.0),
    "shipping-cost": (0.0, 1.0),
    "opening-hours": (1.0, 1.0),
    "vat-number": (1.0, 1.0),
}


class Sample:
    """A comparison with what belongs to it; texts and ids can be swapped for hostile ones."""

    def __init__(self, texts: dict[str, str] | None = None, *, models: tuple[str, ...] = (MODEL,)) -> None:
        self.old_texts = dict(OLD_TEXTS)
        self.new_texts = {**NEW_TEXTS, **(texts or {})}
        self.old_texts.update({k: "before" for k in self.new_texts if k not in self.old_texts})
        self.comparison = self._comparison(models)
        prompt = [make_part("prompt", "", {"messages": [["system", text]]}) for text in ("only", "any")]
        warm = [make_part("params", "temperature", value) for value in (0, 0.7)]
        self.changes = (
            PartChange("prompt", "", *prompt),
            PartChange("params", "temperature", *warm),
        )
        self.texts = (
            TextChange(
                "prompt",
                "prompts/helpdesk.md",
                "system:\nAnswer the question using only the context.\nBe brief.\n",
                "system:\nAnswer the question.\nBe brief.\n",
            ),
            TextChange("params.temperature", "params.temperature", "temperature: 0", "temperature: 0.7"),
        )

    def _comparison(self, models: tuple[str, ...]) -> Comparison:
        sides = []
        for n, texts in ((11, self.old_texts), (12, self.new_texts)):
            version = VersionInfo(
                n,
                "helpdesk",
                n,
                f"{n:x}" * 32,
                NOW - 60 * (13 - n),
                git_commit="1a2b3c4d5e6f7a8b9c0d",
                git_dirty=n == 12,
                labels=("shipped",) if n == 11 else (),
                is_baseline=n == 11,
            )
            items = [self._item(case, model, n, i) for i, case in enumerate(texts) for model in models]
            if n == 12:
                items.append(Item("gift-card", models[0], 0, "error", failure="the provider said 500"))
            else:
                items.append(Item("gift-card", models[0], 0, "passed", 1.0, 19, "x"))
            run = RunInfo(n, n, "save", "complete", NOW, len(items), len(items), 0, 4, 1, 7.2, 0.0042)
            sides.append(Snapshot(version, run, make_rows(items)))
        return compare(*sides)

    def _item(self, case: str, model: str, version: int, n: int) -> Item:
        texts = self.old_texts if version == 11 else self.new_texts
        score = SCORES.get(case, (1.0, 0.0))[version - 11]
        status = "passed" if score == 1.0 else "failed"
        return Item(case, model, 0, status, score, version * 100 + n, texts[case], None, 1.3, 0.001)

    def detail(self, pair: Pair) -> PairDetail:
        return PairDetail(pair, self._side(pair, 0), self._side(pair, 1))

    def _side(self, pair: Pair, n: int) -> tuple[OutputDetail, ...]:
        texts = (self.old_texts, self.new_texts)[n]
        if pair.case_id not in texts:
            failure = "the provider said 500" if n == 1 else None
            return (OutputDetail(None, (), failure),)
        value = SCORES.get(pair.case_id, (1.0, 0.0))[n]
        reason = '"30 days" is in the output' if value else '"30 days" is not in the output'
        score = Score("k", "contains", value, value == 1.0, reason)
        return (OutputDetail(Output(texts[pair.case_id]), (score,)),)

    def outputs(self) -> dict[int, str]:
        return {
            version * 100 + n: text
            for version, texts in ((11, self.old_texts), (12, self.new_texts))
            for n, text in enumerate(texts.values())
        }
