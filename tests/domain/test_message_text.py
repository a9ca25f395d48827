"""Chat messages as a text that a person edits, and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.message_text import ROLES, chat_of, read, written
from llmops_tui.domain.trace import messages_of

TOOLS: list[dict[str, Any]] = [
    {"role": "user", "content": "How many days?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"days": 30}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
]


def test_messages_are_written_below_their_roles() -> None:
    text = written([{"role": "system", "content": "You help.\nBe brief."}, {"role": "user", "content": "Hi"}])
    assert text == "system:\nYou help.\nBe brief.\n\nuser:\nHi"


def test_what_is_more_than_a_text_is_written_as_json_and_comes_back_whole() -> None:
    text = written(TOOLS)
    assert "assistant: json\n{" in text
    assert read(text) == tuple(TOOLS)


texts = st.text(st.sampled_from("ab \\\nuserystm:jon{}\t"), max_size=40)
lines = st.lists(st.sampled_from(["user:", "\\user:", "system: json", "x", "", "tool: x"]), max_size=5)
content = texts | lines.map("\n".join)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": content}), min_size=1, max_size=4
)


@given(messages)
def test_any_messages_come_back_as_they_were(chat: list[dict[str, Any]]) -> None:
    assert read(written(chat)) == tuple(chat)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no message"),
        ("hello\nuser:\nhi", "begins with no role"),
        ("user: json\n{", "is no JSON"),
        ("user: json\n[1]", "is no object"),
    ],
)
def test_what_is_no_message_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text)


def test_the_conventions_messages_become_chat_messages_again() -> None:
    chat = [{"role": "system", "content": "You help."}, *TOOLS]
    assert chat_of(messages_of(chat)) == tuple(chat)
