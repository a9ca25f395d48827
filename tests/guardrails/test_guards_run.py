"""All guardrails of a version over one request: order, actions, failures, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest
from guard_kinds import Kept, use_kinds, use_of

from llmops_tui.domain.guardrails.look import EVIDENCE, REASON, Look
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.guardrails.guards import Guards
from llmops_tui.guardrails.watch import Decision, Piece


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    use_kinds(monkeypatch)


def run(*uses: GuardrailUse, texts: tuple[str, ...], on: Stage = "input", **about: Any) -> Decision:
    return Guards(uses).check_now(on, [Piece(text) for text in texts], Kept(), **about)


class TestWhatActionsDo:
    def test_a_blocked_input_ends_the_request_with_the_message(self) -> None:
        decision = run(use_of("finds", message="Not here."), texts=("a bad word",))
        assert (decision.ends, decision.refused, decision.texts) == ("Not here.", True, (None,))
        assert decision.looks == (
            Look("finds", "input", True, "block", 1.0, "a word that may not be there", "", (0,)),
        )

    @pytest.mark.parametrize("stage", ["input", "output"])
    def test_without_a_message_a_standard_sentence_stands_there(self, stage: Stage) -> None:
        ends = run(use_of("finds", on=stage), texts=("bad",), on=stage).ends
        assert ends is not None
        assert ends.endswith(".")
        assert "finds" not in ends

    def test_a_blocked_document_is_left_out_and_the_request_goes_on(self) -> None:
        decision = run(use_of("finds", on="context"), texts=("one", "a bad one", "three"), on="context")
        assert (decision.texts, decision.ends) == (("one", None, "three"), None)
        assert decision.looks[0].pieces == (1,)

    @pytest.mark.parametrize("stage", ["tool_call", "tool_result"])
    def test_the_model_is_told_which_guardrail_held_a_tool_back_and_nothing_more(self, stage: Stage) -> None:
        decision = run(use_of("finds", "no-words", on=stage), texts=("bad",), on=stage, tool="refund")
        assert (decision.texts, decision.ends) == ((None,), None)
        assert "'no-words'" in decision.told
        assert "'refund'" in decision.told
        assert "bad" not in decision.told

    def test_redact_replaces_what_was_found(self) -> None:
        decision = run(use_of("finds", action="redact"), texts=("a bad, bad word", "a good one"))
        assert decision.texts == ("a [word], [word] word", "a good one")
        assert decision.looks[0].action == "redact"

    def test_redact_replaces_the_whole_where_no_place_is_known(self) -> None:
        decision = run(use_of("finds", "w", action="redact", options={"nowhere": True}), texts=("bad!",))
        assert decision.texts == ("[removed by w]",)

    def test_arguments_that_would_be_no_json_any_more_are_blocked(self) -> None:
        use = use_of("finds", on="tool_call", action="redact", options={"word": "41+"})
        assert run(use, texts=('{"card": "4111"}',), on="tool_call").texts == ('{"card": "[word]"}',)
        decision = run(use, texts=('{"card": 4111}',), on="tool_call")
        assert decision.texts == (None,)
        assert decision.told
        assert decision.looks[0].action == "block"

    def test_flag_is_only_seen(self) -> None:
        decision = run(use_of("finds", action="flag"), texts=("bad",))
        assert (decision.texts, decision.ends, decision.looks[0].triggered) == (("bad",), None, True)

    @pytest.mark.parametrize("stage", ["input", "context", "tool_call", "tool_result", "output"])
    def test_fallback_ends_the_request_at_any_stage_and_is_no_refusal(self, stage: Stage) -> None:
        use = use_of("finds", on=stage, action="fallback", message="Ask a person.")
        decision = run(use, texts=("bad", "good"), on=stage)
        assert (decision.ends, decision.refused) == ("Ask a person.", False)
        assert decision.texts == (None, None)


class TestOrder:
    def test_each_sees_what_those_before_it_left(self) -> None:
        redact = use_of("finds", "first", action="redact")
        block = use_of("finds", "second", options={"word": "bad|\\[word\\]"}, action="flag")
        decision = run(redact, block, texts=("bad",))
        assert [look.name for look in decision.looks] == ["first", "second"]
        kept = Kept()
        Guards([redact, block]).check_now("input", [Piece("bad")], kept)
        assert kept.looks[1][1] == "[word]"

    def test_after_an_end_nothing_else_looks(self) -> None:
        kept = Kept()
        uses = [use_of("finds", "a"), use_of("finds", "b")]
        Guards(uses).check_now("input", [Piece("bad")], kept)
        assert kept.began == ["a input"]

    def test_nothing_looks_where_all_documents_are_left_out(self) -> None:
        kept = Kept()
        uses = [use_of("finds", "a", on="context"), use_of("finds", "b", on="context")]
        Guards(uses).check_now("context", [Piece("bad")], kept)
        assert kept.began == ["a context"]

    def test_only_those_of_a_stage_look(self) -> None:
        guards = Guards([use_of("finds", on="output")])
        assert (guards.has("input"), guards.has("output")) == (False, True)
        decision = guards.check_now("input", [Piece("bad")], Kept())
        assert (decision.looks, decision.texts) == ((), ("bad",))

    def test_pieces_that_were_left_out_keep_their_places(self) -> None:
        first = use_of("finds", "a", on="context", options={"word": "one"})
        second = use_of("finds", "b", on="context", options={"word": "three"}, action="redact")
        decision = run(first, second, texts=("one", "two", "three"), on="context")
        assert decision.texts == (None, "two", "[word]")
        assert decision.looks[1].pieces == (2,)


class TestThresholds:
    @pytest.mark.parametrize(("score", "fires"), [(0.3, True), (0.29, False)])
    def test_it_fires_from_its_threshold_on(self, score: float, fires: bool) -> None:
        use = use_of("finds", threshold=0.1 + 0.2, options={"score": score})
        (look,) = run(use, texts=("bad",)).looks
        assert (look.triggered, look.score) == (fires, score)

    def test_the_score_of_a_look_is_the_highest_of_all_pieces(self) -> None:
        (look,) = run(use_of("finds", threshold=0.9, options={"score": 0.4}), texts=("good", "bad")).looks
        assert (look.score, look.pieces) == (0.4, ())


class TestAGuardrailThatFails:
    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("slow", "took longer than 0.5 s"),
            ("cannot", "the text is in no language"),
            ("raise my secret", "raised ValueError"),
            ("nan", "it gave the score nan, which is not from 0 to 1"),
        ],
    )
    def test_is_told_in_a_sentence_without_the_text(self, text: str, error: str) -> None:
        closed = run(use_of("fails"), texts=(text,))
        assert closed.looks == (Look("fails", "input", False, "block", None, "", error, (0,)),)
        assert closed.refused
        opened = run(use_of("fails", on_error="open"), texts=(text,))
        assert opened.looks == (Look("fails", "input", False, "", None, "", error, ()),)
        assert (opened.texts, opened.ends) == ((text,), None)

    @pytest.mark.parametrize("action", ["redact", "flag"])
    def test_closed_blocks_what_would_have_been_redacted_or_flagged(self, action: Any) -> None:
        decision = run(use_of("fails", action=action, on_error="closed"), texts=("raise",))
        assert decision.refused
        assert decision.looks[0].action == "block"

    def test_closed_falls_back_where_it_would_have(self) -> None:
        decision = run(use_of("fails", action="fallback", message="later"), texts=("raise",))
        assert (decision.ends, decision.refused) == ("later", False)

    def test_documents_that_it_passed_go_on(self) -> None:
        decision = run(use_of("fails", on="context"), texts=("good", "raise", "good"), on="context")
        assert decision.texts == ("good", None, "good")

    def test_what_comes_after_its_time_was_not_looked_at(self) -> None:
        decision = run(use_of("fails", on="context"), texts=("good", "slow", "good"), on="context")
        assert decision.texts == ("good", None, None)

    def test_what_it_found_late_counts_and_what_comes_after_has_no_time(self) -> None:
        use = use_of("fails", on="context", timeout_s=0.01, on_error="open")
        decision = run(use, texts=("late fire", "fire"), on="context")
        assert decision.texts == (None, "fire")
        assert "took longer than 0.01 s" in decision.looks[0].reason

    def test_a_failure_on_one_document_hides_no_firing_on_another(self) -> None:
        use = use_of("fails", on="context", on_error="open")
        decision = run(use, texts=("raise", "fire", "good"), on="context")
        assert decision.texts == ("raise", None, "good")
        (look,) = decision.looks
        assert look.triggered
        assert "raised ValueError" in look.reason

    def test_closed_blocks_what_it_fired_on_and_what_it_could_not_look_at(self) -> None:
        decision = run(use_of("fails", on="context"), texts=("fire", "raise", "good"), on="context")
        assert decision.texts == (None, None, "good")
        assert decision.looks[0].pieces == (0, 1)

    def test_one_that_can_not_be_prepared_fails_at_each_look(self) -> None:
        guards = Guards([use_of("fails", options={"unprepared": True})])
        assert guards.prepare() == {"fails": "ValueError: no such pattern"}
        for _ in range(2):
            decision = guards.check_now("input", [Piece("good")], Kept())
            assert decision.looks[0].error == "ValueError: no such pattern"
            assert decision.refused

    def test_a_text_without_end_is_not_looked_at(self) -> None:
        (look,) = run(use_of("finds"), texts=("x" * 4_000_001,)).looks
        assert look.error == "the text has more than 4,000,000 characters"


class TestWhatIsSaid:
    def evidence(self, use: GuardrailUse, *texts: str) -> str:
        kept = Kept()
        Guards([use]).check_now(use.on[0], [Piece(text) for text in texts], kept)
        return kept.looks[0][1]

    def test_evidence_is_what_it_fired_on_with_the_text_around_it(self) -> None:
        assert self.evidence(use_of("finds"), "this is a bad word") == "this is a bad word"
        assert self.evidence(use_of("finds"), "this is a good word") == ""

    def test_evidence_of_a_long_text_is_bounded_and_holds_the_finding(self) -> None:
        found = self.evidence(use_of("finds", on="context"), *["x" * 9_000 + " bad " + "y" * 9_000] * 9)
        assert len(found) <= EVIDENCE
        assert found.count(" bad ") == 3
        assert found.startswith("…")

    def test_evidence_of_personal_data_does_not_repeat_it(self) -> None:
        found = self.evidence(use_of("pii", options={"word": "4111"}), f"{'x' * 900} 4111 and 4111")
        assert "[word] and [word]" in found
        assert "4111" not in found

    def test_what_is_redacted_is_not_repeated_either(self) -> None:
        assert (
            self.evidence(use_of("finds", action="redact"), "this is a bad word") == "this is a [word] word"
        )

    def test_halves_of_letters_are_mended(self) -> None:
        assert self.evidence(use_of("finds"), "bad \ud83d").encode()

    def test_a_reason_is_one_bounded_harmless_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from llmops_tui.guardrails.registry import CHECKS, Found

        hostile = "one\ntwo \x1b[31mred \u202e" + "x" * 5_000
        monkeypatch.setitem(CHECKS, "finds", lambda _options: lambda *_: Found(1.0, hostile))
        reason = run(use_of("finds"), texts=("bad",)).looks[0].reason
        assert len(reason) <= REASON
        assert reason.startswith("one two red <U+202E>xxx")


class TestWhatWaits:
    def test_a_function_and_a_judge_must_be_awaited(self) -> None:
        function = GuardrailUse("mine", "mine", ("input",), revision="0" * 64)
        guards = Guards([function, use_of("finds", on="output")])
        assert (guards.waits("input"), guards.waits("output")) == (True, False)
        with pytest.raises(RuntimeError, match="must be awaited"):
            guards.check_now("input", [Piece("x")], Kept())

    async def test_a_function_without_sources_fails(self) -> None:
        function = GuardrailUse("mine", "mine", ("input",), revision="0" * 64)
        decision = await Guards([function]).check("input", [Piece("x")], Kept())
        assert decision.looks[0].error == "there is no guardrails.py to run it from"

    async def test_what_needs_no_waiting_can_be_awaited_too(self) -> None:
        decision = await Guards([use_of("finds", action="redact")]).check("input", [Piece("bad")], Kept())
        assert decision.texts == ("[word]",)
