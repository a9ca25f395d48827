"""Records that were changed at random, by whatever importer: spans, or set aside with a reason."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import test_importers_langfuse as langfuse
import test_importers_langsmith as langsmith
import test_importers_others as others
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.tracing.importers import FORMATS
from llmops_tui.tracing.importers.formats import Options
from llmops_tui.tracing.importers.portion import Portion
from llmops_tui.tracing.importers.reading import _Reading
from llmops_tui.tracing.importers.records import parsed

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "langfuse": [
        {**langfuse.TRACE, "observations": [langfuse.OBSERVATION], "scores": langfuse.SCORES},
        langfuse.OBSERVATION,
        langfuse.SCORES[0],
    ],
    "langsmith": [langsmith.POST, langsmith.PATCH, langsmith.RUN],
    "phoenix": [others.PHOENIX, others._row()],
    "litellm": [others.LITELLM],
    "openai": [
        others.BODY,
        {"messages": [{"role": "assistant", "content": "a"}]},
        {"custom_id": "x", "response": {}},
    ],
    "otlp": [{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a" * 32, "spanId": "b" * 16}]}]}]}],
    "plain": [{"q": "x", "t": 1772359200}],
}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "\x00", "\x1b[31m", "{", "[{}]"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn, name: str) -> Any:
    """A real record with some of its values, at any depth, replaced or taken away."""
    value = draw(st.sampled_from(SAMPLES[name]))

    def change(held: Any) -> Any:
        luck = draw(st.integers(0, 11))
        if luck == 0:
            return draw(ANYTHING)
        if isinstance(held, dict):
            return {key: change(each) for key, each in held.items() if draw(st.integers(0, 19))}
        return [change(each) for each in held] if isinstance(held, list) else held

    return change(value)


@pytest.mark.parametrize("name", list(FORMATS))
@settings(max_examples=60)
@given(data=st.data())
def test_no_record_stops_an_import(name: str, data: st.DataObject) -> None:
    records = data.draw(st.lists(damaged(name), min_size=1, max_size=3))
    reading = _Reading({}, name, Options({"input": "q", "time": "t"}), {}, lambda _text: None)
    importer, into = FORMATS[name](Options({"input": "q", "time": "t"}, 1.7e9)), Portion("f")
    for n, record in enumerate(records):
        reading._take(importer, parsed(f"line {n}", json.dumps(record).encode()), into)
    importer.finish(into)
    batch = into.taken()
    for arrived in batch.spans:
        assert len(bytes.fromhex(arrived.trace_id)) == 16
        assert len(bytes.fromhex(arrived.span.id)) == 8
        assert len(bytes.fromhex(arrived.span.parent_id)) in (0, 8)
        assert arrived.span.end >= arrived.span.start >= 0
    msgspec.json.encode(batch)
    for score in batch.scores:
        assert score.value is None or 0 <= score.value <= 1
    assert all(aside.why and "\x1b" not in aside.text for aside in batch.aside)
