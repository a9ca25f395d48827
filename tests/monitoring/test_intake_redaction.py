"""What is to be left out never reaches the disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.live.arrival import Arrived, Aside, Batch, LiveScore, Signal
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.attribution import VersionIndex
from llmops_tui.monitoring.cutting import MOST_BYTES
from llmops_tui.monitoring.intake import Intake
from llmops_tui.monitoring.redaction import BUILT_IN, TOO_SLOW, Redaction
from llmops_tui.monitoring.user_ids import KEY_FILE, user_key
from llmops_tui.store.live import LiveStore

NOW = 1_800_000_000.0
TRACE = "ab" * 16


def intake(*patterns: str, hash_users: bool = False, secrets: tuple[str, ...] = ()) -> Intake:
    wanted = LiveSettings(redact=patterns, hash_users=hash_users)
    return Intake(wanted, lambda _provider, _model: None, VersionIndex, b"k" * 32, secrets)


def span(**attributes: Any) -> Span:
    named = {getattr(a, name, name): value for name, value in attributes.items()}
    return Span("01" * 8, "", "ask", "model", NOW, NOW + 1, attributes=named)


def attributes_of(made: Intake, **attributes: Any) -> dict[str, Any]:
    (arrived,) = made.prepare(Batch(spans=[Arrived(TRACE, span(**attributes))])).spans
    return arrived.span.attributes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "jane.doe+x@mail.example.org"),
        ("email", "jürgen@example.de"),
        ("phone", "+49 30 1234567"),
        ("phone", "+14155552671"),
        ("phone", "(030) 123-4567"),
        ("phone", "0301234567"),
        ("phone", "415-555-2671 22"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4111111111111111"),
        ("card", "3782-822463-10005"),
        ("ip", "192.168.0.254"),
        ("ip", "2001:db8::8a2e:370:7334"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB29NWBK60161331926819"),
    ],
)
def test_built_in_patterns_find_what_they_are_named_for(name: str, text: str) -> None:
    found = Redaction([name])
    assert found.text(text) == f"[{name}]"
    assert found.text(f"So {text}, he said BANK 2 times") == f"So [{name}], he said BANK 2 times"
    assert found.text(f'{{"x": "{text}"}}') == f'{{"x": "[{name}]"}}'


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-28 at 10:20:30 we had 12 items",
        "version 1.2.3, 4 of 5",
        "order 4111 1111 1111 1112",
        "user@localhost or a @ b",
        "the range 10-20 and 3:4",
        "30 days, 1,000,000 rows",
        "DE00 3704 0044 0532 0130 00",
        "300.400.1.2",
        "a[1::2]",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    rules = [name for name in BUILT_IN if not (name == "phone" and ("4111" in text or "DE00" in text))]
    assert Redaction(rules).text(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("10.20.30.40:8080", "[ip]:8080"),
        ("http://10.20.30.40:8080/x", "http://[ip]:8080/x"),
        ("client_ip:10.20.30.40", "client_ip:[ip]"),
        ("::ffff:10.20.30.40", "::ffff:[ip]"),
    ],
)
def test_an_address_is_found_beside_a_colon(text: str, left: str) -> None:
    assert Redaction(["ip"]).text(text) == left


def test_many_backslashes_take_no_longer_than_other_characters() -> None:
    # By the square of their number it would be minutes.
    text = "user" + "\\" * 400_000
    assert attributes_of(intake(hash_users=True), INPUT=text)[a.INPUT] == text
    escaped = '{\\"user_id\\": \\"anna-17\\"}'
    assert "anna-17" not in attributes_of(intake(hash_users=True), INPUT=escaped)[a.INPUT]


def test_many_users_of_one_trace_are_hashed_alike() -> None:
    def about(n: int) -> Span:
        text = f"user-{n}.x wrote (user-{n}.x), not user-{n}.xy; user-0.x did not"
        return msgspec.structs.replace(span(USER=f"user-{n}.x", INPUT=text), id=f"{n + 1:016x}")

    few, many = (
        intake(hash_users=True).prepare(Batch(spans=[Arrived(TRACE, about(n)) for n in range(count)])).spans
        for count in (3, 100)
    )
    assert few == many[:3]
    assert not any(re.search(r"user-\d+\.x\b", str(each.span.attributes)) for each in many)


def test_the_id_of_a_signal_tells_nothing_of_what_was_left_out() -> None:
    def id_of(made: Intake, id_: str) -> str:
        (signal,) = made.prepare(Batch(signals=[Signal(id_, "copy", 1.0, NOW, TRACE)])).signals
        return signal.id

    hashing, other = (
        intake(hash_users=True),
        Intake(LiveSettings(hash_users=True), lambda _provider, _model: None, VersionIndex, b"q" * 32),
    )
    made = id_of(hashing, "anna@example.org-1")
    assert "anna" not in made
    assert made == id_of(hashing, "anna@example.org-1") == id_of(hashing, made)
    assert made not in (id_of(other, "anna@example.org-1"), id_of(hashing, "anna@example.org-2"))
    assert id_of(intake(secrets=("sk-verysecret",)), "order-7") == "order-7"


def test_the_name_of_a_score_is_searched() -> None:
    score = LiveScore(TRACE, "rated by a@example.org", 1.0, None)
    (kept,) = intake("email").prepare(Batch(scores=[score])).scores
    assert kept.scorer == "rated by [email]"


def test_a_number_beside_a_card_does_not_hide_it() -> None:
    assert Redaction(["card"]).text("2 4111 1111 1111 1111 7") == "2 [card] 7"
    assert Redaction(["card"]).number(4111111111111111) == "[card]"
    assert Redaction(["card"]).number(4111111111111112) == 4111111111111112
    assert Redaction(["iban"]).text("DE89 3704 0044 0532 0130 00 BANK") == "[iban] BANK"


def test_texts_at_any_depth_in_names_errors_events_keys_and_json_are_searched() -> None:
    made = intake("email", r"ticket-\d+", secrets=("sk-very-secret",))
    hidden = "mail jane@example.org about ticket-77 with sk-very-secret"
    has = {
        a.INPUT: hidden,
        a.INPUT_MESSAGES: [{"role": "user", "parts": [{"type": "text", "content": hidden}]}],
        a.EVENTS: [{"name": hidden, "time": 1.0, "attributes": {hidden: [hidden]}}],
        hidden: 1,
    }
    root = Span("01" * 8, "", hidden, "model", NOW, NOW, "error", hidden, has)
    batch = Batch(
        spans=[Arrived(TRACE, root)],
        signals=[Signal("s", "edit", 1, NOW, "", hidden, hidden, hidden, hidden, hidden)],
        scores=[LiveScore(TRACE, "words", 1.0, True, hidden, hidden)],
        aside=[Aside(hidden, hidden, hidden, hidden)],
    )
    text = repr(made.prepare(batch))
    for part in ("jane@", "ticket-77", "very-secret"):
        assert part not in text
    assert "[email]" in text
    assert repr(batch).count("jane@") > 10


def test_a_pattern_that_never_ends_leaves_the_text_out() -> None:
    made = intake(r"(a|aa)+$")
    assert attributes_of(made, INPUT="a" * 5_000 + "b")[a.INPUT] == TOO_SLOW
    assert attributes_of(made, INPUT="hello b")[a.INPUT] == "hello b"


def test_a_pattern_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match=r"'\(' is no regular expression .*email"):
        intake("(")


def test_without_patterns_nothing_is_changed() -> None:
    batch = Batch(spans=[Arrived(TRACE, span(INPUT="jane@example.org", USER="jane@example.org"))])
    made = intake().prepare(batch)
    assert msgspec.structs.replace(made, guards_sample=None) == batch


# -- user ids


def test_users_are_hashed_wherever_their_id_stands() -> None:
    made = intake(hash_users=True)
    id_ = "customer-4711"
    has = {
        a.USER: id_,
        "langfuse.user.id": id_,
        "langfuse.trace.metadata.user_id": id_,
        "ai.telemetry.metadata.userId": id_,
        "enduser.id": id_,
        "user.email": "jane@example.org",
        a.METADATA: {"user_id": id_, "plan": "gold"},
        "llm.invocation_parameters": f'{{"user": "{id_}", "temperature": 0}}',
        a.INPUT: f"I am {id_}.",
        "short": '{"user_id": "17"}',
    }
    root = Span("01" * 8, "", f"answer {id_}", "request", NOW, NOW, attributes=has)
    child = Span("02" * 8, "01" * 8, "ask", "model", NOW, NOW, attributes={a.INPUT: f"{id_} asks"})
    batch = Batch(
        spans=[Arrived(TRACE, root), Arrived(TRACE, child)],
        signals=[Signal("s", "thumb", 0, NOW, TRACE, user=id_, comment=f"{id_} is angry")],
    )
    ready = made.prepare(batch)
    text = repr(ready)
    assert id_ not in text
    assert "jane@" not in text
    assert '"17"' not in text
    hashed = ready.spans[0].span.attributes[a.USER]
    assert re.fullmatch("u_[0-9a-f]{16}", hashed)
    assert ready.signals[0].user == hashed
    assert ready.spans[0].span.attributes["langfuse.user.id"] == hashed
    assert ready.spans[1].span.attributes[a.INPUT] == f"{hashed} asks"
    assert ready.spans[0].span.attributes[a.METADATA]["plan"] == "gold"
    assert made.prepare(ready) == ready


def test_a_user_id_that_a_pattern_finds_is_hashed_so_that_users_stay_apart() -> None:
    made = intake("email")
    one, two = (attributes_of(made, USER=f"{n}@example.org", SESSION=f"s {n}@example.org") for n in "ab")
    assert one[a.USER] != two[a.USER]
    assert one[a.USER].startswith("u_")
    assert one[a.SESSION].startswith("s_")
    assert attributes_of(made, USER="plain-7")[a.USER] == "plain-7"


def test_another_workspace_hashes_otherwise() -> None:
    other = Intake(LiveSettings(hash_users=True), lambda _p, _m: None, VersionIndex, b"o" * 32)
    assert attributes_of(other, USER="jane") != attributes_of(intake(hash_users=True), USER="jane")


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = user_key(tmp_path)
    assert len(key) == 32
    assert user_key(tmp_path) == key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=12,
    )
)
def test_any_value_goes_through_and_twice_is_once(value: Any) -> None:
    made = intake(*BUILT_IN, hash_users=True)
    once = made.prepare(Batch(spans=[Arrived(TRACE, span(INPUT=value))]))
    assert repr(made.prepare(once)) == repr(once)


# -- size


@pytest.mark.parametrize(
    "attributes",
    [
        {a.INPUT: "x" * 5_000_000},
        {a.INPUT: ["é" * 1_000_000, "y" * 3_000_000], a.OUTPUT: "short"},
        {f"key-{n}": "z" * 100 for n in range(40_000)},
        {a.INPUT: list(range(1_000_000)), a.OUTPUT: "short"},
        {a.INPUT: "\x01" * 1_000_000},
    ],
)
def test_a_span_that_is_too_large_is_cut_and_says_so(attributes: dict[str, Any]) -> None:
    import msgspec

    made = msgspec.structs.replace(span(), attributes=attributes)
    (ready,) = intake().prepare(Batch(spans=[Arrived(TRACE, made)])).spans
    raw = msgspec.json.encode(ready.span.attributes)
    assert len(raw) <= MOST_BYTES
    assert b"[cut: " in raw
    if a.OUTPUT in attributes:
        assert ready.span.attributes[a.OUTPUT] == "short"


# -- the disk


def test_nothing_that_is_to_be_left_out_reaches_the_disk(tmp_path: Path) -> None:
    path = tmp_path / ".llmops" / "live.db"
    made = intake("email", "card", "phone", hash_users=True, secrets=("sk-very-secret",))
    hidden = "customer-4711 jane@example.org 4111 1111 1111 1111 +49 30 1234567 sk-very-secret"
    with LiveStore.open(path) as store:
        for n in range(20):
            root = Span(
                f"{n:016x}",
                "",
                hidden,
                "model",
                NOW,
                NOW,
                "error",
                hidden,
                {a.INPUT: hidden, a.USER: "customer-4711"},
            )
            batch = Batch(
                spans=[Arrived(f"{n:032x}", root)],
                signals=[
                    Signal(f"s{n}", "edit", 1, NOW, f"{n:032x}", "", "customer-4711", "", hidden, hidden)
                ],
                scores=[LiveScore(f"{n:032x}", "words", 1.0, True, hidden, at=NOW)],
                aside=[Aside("collect", str(n), hidden, hidden)],
            )
            store.ingest([made.prepare(batch)], NOW)
        files = [each.read_bytes() for each in path.parent.iterdir()]
        log = path.with_name("live.db-wal").stat().st_size
    assert log > 0
    whole = b"".join(files) + path.read_bytes()
    assert b"[email]" in whole
    for part in (b"customer-4711", b"jane@", b"4111 1111", b" 1234567", b"very-secret"):
        assert part not in whole


def test_what_a_guardrail_quotes_is_redacted_like_any_other_text(tmp_path: Path) -> None:
    quoted = {"GUARDRAIL_REASON": "it found jane@example.org", "INPUT": "… write to jane@example.org …"}
    look = msgspec.structs.replace(span(GUARDRAIL="pii", TRIGGERED=True, **quoted), kind="guardrail")
    with LiveStore.open(tmp_path / "live.db") as store:
        store.ingest([intake("email").prepare(Batch(spans=[Arrived(TRACE, look)]))], NOW)
        listed = store.requests.find(TRACE)
        assert listed is not None
        row = store.guards.row(listed, "pii")
    assert row is not None
    assert (row.reason, row.evidence) == ("it found [email]", "… write to [email] …")
    assert all(b"jane@" not in file.read_bytes() for file in tmp_path.glob("live.db*"))
