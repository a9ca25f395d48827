"""What a live call cost, and which version of a configuration made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmops_tui.domain import semconv as a
from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.request import begin, fold
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part
from llmops_tui.domain.model import Price
from llmops_tui.domain.program import prompt_blob
from llmops_tui.domain.prompt import prompt_text
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.attribution import Recorded, VersionIndex, WorkspaceVersions, fixed_parts
from llmops_tui.monitoring.intake import Intake, intake_of
from llmops_tui.monitoring.pricing import Prices, prices_of
from llmops_tui.store import Store
from llmops_tui.workspace.prices import price_table

NOW = 1_800_000_000.0


def prices() -> Prices:
    settings = WorkspaceFile.model_validate(
        {
            "providers": {
                "gateway": {
                    "base_url": "http://127.0.0.1:9/v1",
                    "price": {"ours-1": {"input": 2, "output": 4}},
                }
            }
        }
    )
    return prices_of(settings)


def prepared(span: Span, versions: VersionIndex | None = None) -> dict[str, Any]:
    made = Intake(LiveSettings(), prices(), lambda: versions or VersionIndex(), b"k" * 32)
    (arrived,) = made.prepare(Batch(spans=[Arrived("ab" * 16, span)])).spans
    return arrived.span.attributes


def call(kind: Any = "model", **attributes: Any) -> Span:
    named = {getattr(a, name): value for name, value in attributes.items()}
    return Span("01" * 8, "", "ask", kind, NOW, NOW + 1, attributes=named)


# -- price


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2024-08-06"),
        ("", "gpt-4o-2024-08-06"),
        ("openai", "openai/gpt-4o"),
        ("azure.ai.openai", "gpt-4o"),
        ("gcp.gemini", "models/gemini-2.5-pro"),
        ("google", "gemini-2.5-pro"),
        ("vertexai", "publishers/google/models/gemini-2.5-pro"),
        ("anthropic", "claude-sonnet-4-5"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("mistral_ai", "mistral-large-latest"),
        ("somebody", "gpt-4o-2099-01-01"),
        ("gateway", "ours-1"),
        ("openai", "ours-1"),
    ],
)
def test_a_models_price_is_found_by_the_names_that_programs_use(provider: str, model: str) -> None:
    price = prices()(provider, model)
    assert price is not None
    assert price.input_usd > 0


@pytest.mark.parametrize("model", ["", "nobody/knows", "gpt-4o-but-not-quite", "/", "a" * 5_000, "\x00"])
def test_a_model_that_nobody_knows_has_no_price(model: str) -> None:
    assert prices()("openai", model) is None


def test_our_own_price_goes_before_the_table() -> None:
    own = Prices({"openai": {"gpt-4o": Price(1.0, 2.0)}}, price_table())
    assert own("openai", "gpt-4o-2024-08-06") == Price(1.0, 2.0)


def test_a_call_with_tokens_and_no_cost_is_priced() -> None:
    has = prepared(call(MODEL="ours-1", INPUT_TOKENS=1_000_000, OUTPUT_TOKENS=500_000))
    assert has[a.COST] == pytest.approx(4.0)


@pytest.mark.parametrize(
    "span",
    [
        call(MODEL="ours-1", INPUT_TOKENS=10, OUTPUT_TOKENS=5, COST=0.5),
        call(MODEL="ours-1"),
        call(MODEL="nobody-knows", INPUT_TOKENS=10, OUTPUT_TOKENS=5),
        call("tool", MODEL="ours-1", INPUT_TOKENS=10, OUTPUT_TOKENS=5),
        call(MODEL=["ours-1"], INPUT_TOKENS=10, OUTPUT_TOKENS=5),
    ],
)
def test_a_cost_that_is_told_stays_and_none_is_guessed(span: Span) -> None:
    assert prepared(span) == span.attributes


def test_tokens_that_are_none_cost_nothing() -> None:
    assert prepared(call(MODEL="ours-1", INPUT_TOKENS=float("nan"), OUTPUT_TOKENS=-5))[a.COST] == 0


# -- version

BRIEF = (
    "You help the customers of {{ shop }}. Be brief.{% if angry %} Be kind.{% endif %}\n\nUse: {{ context }}"
)
LONG = "You help the customers of {{ shop }}. Explain at length.\n\nUse: {{ context }}"


def content(system: str) -> dict[str, Any]:
    return {"messages": [["system", system], ["user", "{{ question }}"]], "includes": {}, "defaults": {}}


def manifest(system: str, model: str = "openai/small") -> Manifest:
    return make_manifest([make_part("prompt", "", content(system)), make_part("models", model, {})])


def index(*versions: tuple[str, int, Manifest]) -> VersionIndex:
    return VersionIndex(Recorded(config, number, made.hash, made) for config, number, made in versions)


TWO = index(("desk", 1, manifest(BRIEF)), ("desk", 2, manifest(LONG)))


def asked(system: str, **attributes: Any) -> Span:
    messages = [
        {"role": "system", "parts": [{"type": "text", "content": system}]},
        {"role": "user", "parts": [{"type": "text", "content": "how long?"}]},
    ]
    return call(INPUT_MESSAGES=messages, **attributes)


def version_of(span: Span, versions: VersionIndex = TWO) -> tuple[Any, Any]:
    has = prepared(span, versions)
    return has.get(a.CONFIG), has.get(a.VERSION)


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("You help the customers of Acme. Be brief.\n\nUse: 30 days.", "v1"),
        ("You help the customers of Acme. Be brief. Be kind.\n\nUse: 30 days.", "v1"),
        ("You help the customers of Acme. Explain at length.\r\n\r\nUse: x\n", "v2"),
        ("You help the customers of Acme.", None),
        ("Something before. You help the customers of Acme. Be brief.\n\nUse: 30", None),
        ("", None),
    ],
)
def test_a_rendered_system_message_tells_its_version(system: str, name: str | None) -> None:
    assert version_of(asked(system))[1] == name


@pytest.mark.parametrize("template", [BRIEF, prompt_text(content(BRIEF)), f"\n{BRIEF}\r\n"])
def test_a_template_in_the_span_tells_its_version(template: str) -> None:
    assert version_of(call(TEMPLATE=template)) == ("desk", "v1")
    assert version_of(call("prompt", PROMPT_HASH=text_digest(prompt_blob(content(LONG))))) == ("desk", "v2")


def test_what_a_span_says_goes_before_what_its_prompt_looks_like() -> None:
    text = "You help the customers of Acme. Be brief.\n\nUse: 30 days."
    assert version_of(asked(text, CONFIG="desk", VERSION="v2")) == ("desk", "v2")
    assert version_of(asked(text, CONFIG="other", VERSION="2026-01")) == ("other", "2026-01")
    assert version_of(asked(text, VERSION_HASH=manifest(LONG).hash)) == ("desk", "v2")
    assert version_of(call("request", CONFIG="desk", VERSION=2)) == ("desk", "v2")
    assert version_of(call("request", VERSION=manifest(LONG).hash[:12])) == ("desk", "v2")


def test_a_roots_release_is_not_taken_for_the_version_of_a_calls_configuration() -> None:
    text = "You help the customers of Acme. Be brief.\n\nUse: 30 days."
    made = msgspec.structs.replace(asked(text), id="02" * 8, parent_id="01" * 8)

    def told(**root: str) -> tuple[str, str, str]:
        whole = msgspec.structs.replace(call("request", **root), id="01" * 8, parent_id="")
        intake = Intake(LiveSettings(), prices(), lambda: TWO, b"k" * 32)
        spans = intake.prepare(Batch(spans=[Arrived("ab" * 16, each) for each in (whole, made)])).spans
        found = fold(begin("ab" * 16), [each.span for each in spans])
        return found.config, found.version, found.version_hash

    desk = ("desk", "v1", manifest(BRIEF).hash)
    assert told() == desk
    assert told(VERSION="v3") == desk
    assert told(VERSION="2026.11") == desk
    assert told(CONFIG="desk", VERSION="v2") == ("desk", "v2", manifest(LONG).hash)
    assert told(CONFIG="other", VERSION="2026-01")[:2] == ("other", "2026-01")


def test_where_several_versions_fit_none_is_named() -> None:
    text = "You help the customers of Acme. Be brief.\n\nUse: 30 days."
    both = index(
        ("desk", 1, manifest(BRIEF)),
        ("desk", 2, manifest(BRIEF, "openai/large")),
        ("mail", 1, manifest(BRIEF)),
    )
    assert version_of(asked(text), both) == (None, None)
    assert version_of(asked(text, MODEL="large"), both) == ("desk", "v2")
    assert version_of(asked(text, CONFIG="mail"), both) == ("mail", "v1")


def test_the_users_message_tells_versions_of_one_system_message_apart() -> None:
    def made(user: str) -> Manifest:
        messages = [["system", BRIEF], ["user", user]]
        return make_manifest([make_part("prompt", "", {**content(BRIEF), "messages": messages})])

    both = index(
        ("desk", 1, made("Answer in one line: {{ question }}")), ("desk", 2, made("{{ question }} Think."))
    )
    span = asked("You help the customers of Acme. Be brief.\n\nUse: 30 days.")
    assert version_of(span, both) == (None, None)
    span.attributes[a.INPUT_MESSAGES][1]["parts"][0]["content"] = "Answer in one line: how long?"
    assert version_of(span, both) == ("desk", "v1")


@pytest.mark.parametrize(
    "messages",
    [None, 7, "text", [], [None], [{"role": "system"}], [{"role": "system", "parts": [3, {"content": 4}]}]],
)
def test_messages_that_are_none_tell_nothing(messages: Any) -> None:
    assert version_of(call(INPUT_MESSAGES=messages)) == (None, None)


@pytest.mark.parametrize(
    "source", ["", "{{ all }}", "Hi {{ x }}", "{% for x in y %}a long text here{% endfor %}"]
)
def test_a_prompt_with_little_fixed_text_tells_nothing(source: str) -> None:
    assert fixed_parts(source) is None


def test_a_version_that_is_recorded_meanwhile_is_known_soon(tmp_path: Path) -> None:
    now = [0.0]
    path = tmp_path / ".llmops" / "llmops.db"
    versions = WorkspaceVersions(path, clock=lambda: now[0])
    assert versions().size == 0
    with Store.open(path) as store:
        store.versions.ensure("desk", manifest(BRIEF), {}, at=1.0)
        assert versions().size == 0
        now[0] += 3
        assert versions().size == 1
        store.versions.ensure("desk", manifest(LONG), {}, at=2.0)
        store.versions.ensure("desk", manifest("hidden"), {}, at=2.0, hidden=True)
        now[0] += 3
        first = versions()
        assert first.size == 2
        now[0] += 3
        assert versions() is first


def test_a_damaged_database_of_versions_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".llmops" / "llmops.db"
    path.parent.mkdir()
    path.write_bytes(b"dear diary" * 100)
    assert WorkspaceVersions(path)().size == 0


def test_the_intake_of_a_workspace_prices_and_attributes(tmp_path: Path) -> None:
    with Store.open(tmp_path / ".llmops" / "llmops.db") as store:
        store.versions.ensure("desk", manifest(BRIEF), {}, at=1.0)
    made = intake_of(tmp_path, WorkspaceFile.model_validate({}), LiveSettings(), ["sk-secret"])
    text = "You help the customers of Acme. Be brief.\n\nUse: sk-secret."
    span = asked(text, MODEL="gpt-4o", INPUT_TOKENS=10, OUTPUT_TOKENS=1)
    (arrived,) = made.prepare(Batch(spans=[Arrived("ab" * 16, span)])).spans
    has = arrived.span.attributes
    assert (has[a.CONFIG], has[a.VERSION]) == ("desk", "v1")
    assert has[a.COST] > 0
    assert "sk-secret" not in repr(arrived)
    assert span.attributes.get(a.COST) is None
