"""Signals over HTTP: what is taken, what is refused in which words, and that one is kept once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiving_end import JSON, PROTOBUF, End, body_of, receiving

from llmops_tui.domain.live.arrival import SIGNAL_KINDS
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.monitoring.collector import SignalError, read_signals, signal_of

NOW = 1_700_000_000.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
THUMB: dict[str, Any] = {"kind": "thumb", "value": 1, "trace_id": TRACE}


def refused(item: Any) -> str:
    with pytest.raises(SignalError) as error:
        signal_of(item, NOW)
    return str(error.value)


class TestASignal:
    def test_has_what_it_was_given(self) -> None:
        given_ = {
            **THUMB,
            "id": "7",
            "at": "2023-11-14T22:13:21Z",
            "session": 12,
            "user": "ann",
            "feature": "refunds",
            "comment": "fine",
        }
        signal = signal_of(given_, NOW)
        assert (signal.id, signal.kind, signal.value, signal.at) == ("7", "thumb", 1.0, NOW + 1)
        assert (signal.trace_id, signal.session, signal.user) == (TRACE, "12", "ann")
        assert (signal.feature, signal.comment) == ("refunds", "fine")

    def test_happened_now_where_it_does_not_say(self) -> None:
        assert signal_of(THUMB, NOW).at == NOW

    @pytest.mark.parametrize(
        ("said", "value"),
        [(1, 1), (0, 0), (True, 1), (False, 0), ("up", 1), ("Down", 0)],
    )
    def test_thumbs_are_said_in_several_ways(self, said: Any, value: float) -> None:
        assert signal_of({**THUMB, "value": said}, NOW).value == value

    @pytest.mark.parametrize("kind", ["retry", "copy", "escalation", "abandon"])
    def test_of_the_other_kinds_needs_no_value(self, kind: str) -> None:
        assert signal_of({"kind": kind, "trace_id": TRACE}, NOW).value == 1

    def test_of_an_edit_is_the_share_that_was_changed(self) -> None:
        edit = {"kind": "edit", "trace_id": TRACE, "original": "within 30 days", "edited": "within 60 days"}
        signal = signal_of(edit, NOW)
        assert signal.value == pytest.approx(1 / 14)
        assert signal.edited == "within 60 days"
        assert signal_of({**edit, "edited": ""}, NOW).value == 1
        assert signal_of({**edit, "edited": edit["original"]}, NOW).value == 0

    def test_may_name_its_trace_as_a_uuid(self) -> None:
        dashed = f"{TRACE[:8]}-{TRACE[8:12]}-{TRACE[12:16]}-{TRACE[16:20]}-{TRACE[20:]}".upper()
        assert signal_of({**THUMB, "trace_id": dashed}, NOW).trace_id == TRACE

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            ([], "is no JSON object"),
            ({"kind": "thump"}, "'thump' is no kind of signal; one of thumb, rating"),
            ({**THUMB, "valeu": 1}, "has no field 'valeu'; did you mean 'value'?"),
            ({"kind": "thumb", "value": 1}, "give trace_id, or session"),
            ({**THUMB, "trace_id": "abc"}, "trace_id is not 32 hexadecimal digits"),
            ({**THUMB, "trace_id": "0" * 32}, "trace_id is not 32 hexadecimal digits"),
            ({**THUMB, "value": 0.5}, "1 (up) or 0 (down)"),
            ({**THUMB, "value": None}, "a thumb without a value"),
            ({**THUMB, "kind": "rating", "value": 4}, "divide a rating by the best there is"),
            ({**THUMB, "kind": "rating", "value": "good"}, "no number from 0 to 1"),
            ({**THUMB, "kind": "edit", "value": None}, "original and edited"),
            ({**THUMB, "at": "yesterday"}, "at is no time"),
            ({**THUMB, "at": 1_700_000_000_000}, "at is no time"),
            ({**THUMB, "at": 10**400}, "at is no time"),
            ({**THUMB, "at": True}, "at is no time"),
            ({**THUMB, "user": ["ann"]}, "user is no text"),
            ({**THUMB, "user": "x" * 501}, "user is longer than 500 characters"),
            ({"kind": "edit", "trace_id": TRACE, "original": "x" * 50_001, "edited": ""}, "50000"),
            ({"kind": ["thumb"], "trace_id": TRACE}, "is no kind of signal"),
        ],
    )
    def test_that_is_wrong_is_told_why(self, item: Any, said: str) -> None:
        assert said in refused(item)

    def test_sent_twice_is_one_and_another_is_not(self) -> None:
        first = signal_of(THUMB, NOW).id
        assert signal_of(dict(THUMB), NOW + 5).id == first
        assert signal_of({**THUMB, "value": 0}, NOW).id != first
        assert signal_of({**THUMB, "user": "ann"}, NOW).id != first
        assert signal_of({**THUMB, "at": NOW - 1}, NOW).id != first

    def test_of_a_session_is_another_at_another_time(self) -> None:
        thumb = {"kind": "thumb", "value": 1, "session": "s"}
        assert signal_of(thumb, NOW).id != signal_of(thumb, NOW + 5).id
        assert signal_of({**thumb, "at": NOW}, NOW).id == signal_of({**thumb, "at": NOW}, NOW + 5).id

    @given(
        st.dictionaries(
            st.sampled_from(["kind", "value", "at", "original", "edited", "trace_id", "session", "id", "x"]),
            st.one_of(
                st.sampled_from([*SIGNAL_KINDS, TRACE]),
                st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()),
            ),
        )
    )  # fmt: skip
    def test_whatever_it_is_is_taken_or_told_of(self, item: dict[str, Any]) -> None:
        try:
            signal = signal_of(item, NOW)
        except SignalError as error:
            assert len(error.problems) == 1  # noqa: PT017
        else:
            assert 0 <= signal.value <= 1
            assert signal.id
            signal.edited.encode()


def test_all_wrong_ones_of_a_list_are_named_by_their_place() -> None:
    body = json.dumps([THUMB, {"kind": "x"}, THUMB, {**THUMB, "value": 2}]).encode()
    with pytest.raises(SignalError) as error:
        read_signals(body, NOW)
    assert [str(p).partition(":")[0] for p in error.value.problems] == ["signals[1]", "signals[3]"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"kind": NaN}', b"[1]", b'"x"'])
def test_what_is_no_signal_is_a_sentence(body: bytes) -> None:
    with pytest.raises(SignalError):
        read_signals(body, NOW)


@pytest.mark.parametrize("part", [b"{},", b"[],", b"0,"])
def test_nothing_but_tiny_parts_is_refused_before_it_is_read(part: bytes) -> None:
    with pytest.raises(SignalError, match="more signals than one request takes"):
        read_signals(b'{"kind": "copy", "x": [' + part * 1_000_000 + b"0]}", NOW)


def test_of_a_thousand_comments_with_commas_all_are_taken() -> None:
    said = [{**THUMB, "comment": 'so, "well", [fine] {ok}, ' * 40, "id": str(n)} for n in range(1_000)]
    assert len(read_signals(json.dumps(said).encode(), NOW)) == 1_000


def test_edits_that_take_long_to_compare_are_refused_together() -> None:
    edit = {"kind": "edit", "trace_id": TRACE, "original": "ab" * 25_000, "edited": "ba" * 25_000}
    with pytest.raises(SignalError, match="takes too long"):
        read_signals(json.dumps([edit] * 9).encode(), NOW)
    told = {**edit, "value": 0.5}
    del told["original"]
    assert len(read_signals(json.dumps([told] * 9).encode(), NOW)) == 9


def kept(end: End) -> list[tuple[str, float]]:
    with closing(sqlite3.connect(end.writer.path)) as db:
        return [(row[0], row[1]) for row in db.execute("SELECT kind, value FROM signals ORDER BY kind")]


class TestPosted:
    async def test_are_durable_when_they_are_acknowledged(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            await end.post(body_of((1, 1)))
            trace_id = f"{1:032x}"
            items = [{**THUMB, "trace_id": trace_id}, {"kind": "retry", "trace_id": trace_id}]
            for _ in range(2):
                answer = await end.post(json.dumps(items), "/signals", JSON)
                assert answer.status == 200
                assert json.loads(answer.body)["taken"] == 2
            assert len(json.loads(answer.body)["ids"]) == 2
            assert kept(end) == [("retry", 1.0), ("thumb", 1.0)]
            assert (await end.health())["signals"] == 2

    async def test_one_alone_is_fine_and_none_of_a_list_with_a_wrong_one(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(json.dumps(THUMB), "/signals", JSON)).status == 200
            answer = await end.post(json.dumps([{**THUMB, "value": 0}, {"kind": "x"}]), "/signals", JSON)
            assert answer.status == 400
            assert "signals[1]: 'x' is no kind of signal" in answer.message
            assert (await end.post(b"", "/signals", PROTOBUF)).status == 415
            assert kept(end) == [("thumb", 1.0)]


def test_several_wrong_ones_are_sentences_that_can_be_told_apart() -> None:
    with pytest.raises(SignalError) as error:
        read_signals(json.dumps([{"kind": "x"}, {**THUMB, "value": 2}]).encode(), NOW)
    first, second = map(str, error.value.problems)
    assert clean_line(str(error.value)) == f"{first}. {second}"
