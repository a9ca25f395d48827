"""Tools: what a model is told of them, and what comes of a call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.worker.code import CodeError, WorkspaceCode
from llmops_tui.worker.modules import ModuleSet
from llmops_tui.worker.tools import ToolBox, described_by

SEARCH = '''
from __future__ import annotations
import datetime, enum
from typing import Annotated, Literal, Optional
import pydantic

class Filter(pydantic.BaseModel):
    """Which documents."""
    title: str
    year: int = pydantic.Field(2024, ge=2000)

async def search(
    query: str, limit: int = 3, kind: Literal["a", "b"] = "a", filter: Filter | None = None
) -> list:
    """Search the documents.

    Finds what is near.

    Args:
        query: What to look for,
            in plain words.
        limit (int): How many at most.
        filter: Which.

    Returns:
        What was found.
    """
    return [query, limit, kind, filter.year if filter else None]
'''

Make = Callable[..., ToolBox]


@pytest.fixture
def tools() -> Iterator[Make]:
    made: list[ModuleSet] = []

    def make(source: str) -> ToolBox:
        made.append(ModuleSet({"tools.py": source}, "/nowhere"))
        return ToolBox(made[-1], WorkspaceCode({}, "/nowhere", 5.0))

    yield make
    for modules in made:
        modules.close()


async def test_a_schema_comes_from_signature_and_docstring(tools: Make) -> None:
    assert await tools(SEARCH).schema("search") == {
        "type": "function",
        "function": {
            "name": "search",
            "description": "Search the documents.\n\nFinds what is near.",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "What to look for, in plain words."},
                    "limit": {"type": "integer", "default": 3, "description": "How many at most."},
                    "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
                    "filter": {
                        "anyOf": [{"$ref": "#/$defs/Filter"}, {"type": "null"}],
                        "default": None,
                        "description": "Which.",
                    },
                },
                "required": ["query"],
                "additionalProperties": False,
                "$defs": {
                    "Filter": {
                        "type": "object",
                        "description": "Which documents.",
                        "properties": {
                            "title": {"type": "string"},
                            "year": {"type": "integer", "default": 2024, "minimum": 2000},
                        },
                        "required": ["title"],
                    }
                },
            },
        },
    }


@pytest.mark.parametrize(
    "name", ["schema", "model_config", "json", "copy", "_hidden", "self", "title", "class_"]
)
async def test_a_parameter_may_have_any_name(tools: Make, name: str) -> None:
    box = tools(f"def look({name}: str): return {name}")
    schema = await box.schema("look")
    assert list(schema["function"]["parameters"]["properties"]) == [name]
    assert (await box.call("look", json.dumps({name: "x"}))).value == "x"


async def test_arguments_come_as_the_signature_says(tools: Make) -> None:
    given = '{"query": "x", "limit": "5", "filter": {"title": "t", "year": 2001}}'
    made = await tools(SEARCH).call("search", given)
    assert made.value == ["x", 5, "a", 2001]
    assert made.text == '["x", 5, "a", 2001]'
    assert made.arguments == json.loads(given)
    assert made.error == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{}", "search was called wrongly: 'query' is missing. It takes: query, limit, kind, filter"),
        ('{"query": "x", "lim": 1}', "there is no parameter 'lim'"),
        ('{"query": "x", "limit": "many"}', "'limit': Input should be a valid integer"),
        ('{"query": "x", "kind": "c"}', "'kind': Input should be 'a' or 'b', not 'c'"),
        ('{"query": "x", "filter": {"title": "t", "year": 1}}', "'filter.year': Input should be greater"),
        ("[1]", "the arguments are not a JSON object"),
        ('{"query": ', "the arguments are not JSON"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model(tools: Make, arguments: str, said: str) -> None:
    made = await tools(SEARCH).call("search", arguments)
    assert said in made.error
    assert made.text == f"Error: {made.error}"
    assert made.value is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no such order')", "look failed: tools.py:2 ValueError: no such order"),
        ("import sys; sys.exit(1)", "look failed: tools.py:2 SystemExit: 1"),
        ("return b'abc'", "look gave 3 bytes of binary data, which JSON does not have"),
        ("return object()", "look gave a value of the type object"),
        ("return 'x' * 10_000_001", "look gave 10.0 MB; at most 10 MB are kept"),
    ],
)
async def test_whatever_a_tool_does_is_told_to_the_model(tools: Make, body: str, said: str) -> None:
    made = await tools(f"def look():\n    {body}").call("look", "")
    assert said in made.error


async def test_a_tool_that_hangs_is_told_to_the_model(tools: Make) -> None:
    box = tools("def look():\n    import threading; threading.Event().wait()")
    made = await box.call("look", "", timeout_s=0.2)
    assert "look failed: took longer than 0.2 s; raise timeout_s of" in made.error


VALIDATED = """
import sys, threading
from typing import Annotated
import pydantic

class Nasty(ValueError):
    def __str__(self): raise RuntimeError("no text")

def check(value):
    {body}

def look(order: Annotated[str, pydantic.BeforeValidator(check)]): return order
"""

_HANGS = "threading.Event().wait()"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no such order')", "'order': Value error, no such order"),
        ("raise RuntimeError('no stock list')", "look failed: tools.py:10 RuntimeError: no stock list"),
        ("sys.exit(1)", "look failed: tools.py:10 SystemExit: 1"),
        ("raise Nasty", "look failed: tools.py:7 RuntimeError: no text"),
        (_HANGS, "look failed: took longer than 0.2 s; raise timeout_s of"),
    ],
)
async def test_whatever_a_validator_does_is_told_to_the_model(tools: Make, body: str, said: str) -> None:
    box = tools(VALIDATED.format(body=body))
    made = await box.call("look", '{"order": "7"}', timeout_s=0.2 if body == _HANGS else None)
    assert said in made.error
    assert made.text == f"Error: {made.error}"
    assert made.arguments == {"order": "7"}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("def look(x: Annotated[str, pydantic.AfterValidator(where)]): return x", "aside"),
        ("def look(x: str): return Shown(thread='')", {"thread": "aside"}),
    ],
)
async def test_validators_and_serializers_run_in_no_loop(tools: Make, body: str, value: Any) -> None:
    source = """
import asyncio, pydantic
from typing import Annotated

def where(_):
    try: asyncio.get_running_loop()
    except RuntimeError: return "aside"
    return "on the loop"

class Shown(pydantic.BaseModel):
    thread: Annotated[str, pydantic.PlainSerializer(where)]

"""
    made = await tools(source + body).call("look", '{"x": "y"}')
    assert (made.value, made.error) == (value, "")


@pytest.mark.parametrize(
    ("returned", "value"),
    [
        ("None", None),
        ("'text'", "text"),
        ("datetime.date(2026, 1, 2)", "2026-01-02"),
        ("[Filter(title='t')]", [{"title": "t", "year": 2024}]),
        ("{'when': datetime.timedelta(hours=1)}", {"when": "PT1H"}),
        ("Kind.ONE", "one"),
    ],
)
async def test_results_are_json(tools: Make, returned: str, value: Any) -> None:
    source = f"{SEARCH}\nclass Kind(enum.Enum):\n    ONE = 'one'\ndef look(): return {returned}"
    made = await tools(source).call("look", "{}")
    assert (made.value, made.error) == (value, "")
    assert made.text == (value if isinstance(value, str) else json.dumps(value))


async def test_a_tool_that_is_not_there_is_said_with_what_was_meant(tools: Make) -> None:
    made = await tools(SEARCH).call("serach", "{}")
    assert "'tools' has no function 'serach'; did you mean 'search'?" in made.error


async def test_positional_and_further_parameters(tools: Make) -> None:
    box = tools("def look(a: int, /, b: int = 2, **rest: int): return [a, b, rest]")
    assert (await box.call("look", '{"a": 1, "c": 3}')).value == [1, 2, {"c": 3}]


async def test_a_type_that_no_schema_can_tell_is_an_error_with_the_function(tools: Make) -> None:
    source = "class Odd: pass\ndef look(x: Odd): return 1\ndef see(x: Gone): return 1\n"
    with pytest.raises(CodeError, match="no schema can be made of the parameters of look"):
        await tools(source.replace("x: Gone", "x: int")).schema("look")
    said = "the annotations of see in tools.py can't be read: name 'Gone' is not defined; import what"
    with pytest.raises(CodeError, match=re.escape(said)):
        await tools(f"from __future__ import annotations\n{source}").schema("see")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_any_docstring_can_be_read(text: str) -> None:
    said, described = described_by(text)
    words = {*text.split()}
    assert {*said.split()} <= words
    assert all(name in text for name in described)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[a-z ]{0,20}[a-z]", fullmatch=True)
    )
)
def test_descriptions_come_back_as_they_were_written(described: dict[str, str]) -> None:
    lines = "".join(f"        {name}: {text}\n" for name, text in described.items())
    found = described_by(f"Do.\n\n    Args:\n{lines}\n    Returns:\n        x: y\n")
    assert found == ("Do.", {name: text.strip() for name, text in described.items()})
