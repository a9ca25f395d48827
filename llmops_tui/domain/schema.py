"""The files that a person writes, as pydantic models: `llmops.yaml`, `configs/*.yaml`, `evals/*`.

These are the edges: what is read is validated here once and then turned into the plain types of
`case`, `model`, `prompt` and `manifest`. Their JSON Schema is what `llmops-tui schema` prints.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from llmops_tui.domain.judge import MAX_VOTES
from llmops_tui.domain.live_schema import AlertEntry, ChannelEntry, LiveEntry

JsonScalar = str | int | float | bool | None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# -- configs/*.yaml


class RetrievalSettings(_File):
    """Documents that are searched for each case; the best chunks become `context`."""

    source: str = Field(description="Folder of the workspace with the documents (.md, .txt, .rst, .html).")
    method: Literal["bm25", "embeddings", "hybrid"] = Field(
        default="bm25", description="How chunks are ranked; `hybrid` is both, by reciprocal rank fusion."
    )
    embedding: str = Field(
        default="", description="`provider/name` of the model that embeds, for `embeddings` and `hybrid`."
    )
    rank_constant: int = Field(default=60, ge=0, le=10_000, description="`hybrid`: k of the rank fusion.")
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="Only documents where this holds: `path` (a glob), or a key of their front matter.",
    )
    chunk_by: Literal["words", "sentences", "headings"] = Field(
        default="words", description="Where chunks end: they never have more than `chunk_words`."
    )
    chunk_words: int = Field(default=120, ge=1, le=10_000, description="Words in a chunk.")
    overlap_words: int = Field(default=0, ge=0, description="Words that a chunk repeats of the one before.")
    top_k: int = Field(default=3, ge=1, le=1_000, description="Chunks given to the prompt.")
    query: str = Field(
        default="", description="Jinja2 template of the query; by default all text variables of the case."
    )


class ToolOptions(_File):
    """How a tool behaves in evaluations."""

    eval: Literal["live", "recorded", "canned"] = Field(
        default="live",
        description="`live` runs it; `recorded` runs it once for equal arguments; `canned` never does.",
    )
    result: Any = Field(default=None, description="What a `canned` tool gives, unless the case says.")
    timeout_s: float = Field(default=10.0, gt=0, description="Time limit of one call.")


ToolEntry = str | dict[str, ToolOptions]


class StepEntry(_File):
    """One step of a chain: exactly one of `prompt`, `retrieval`, `tool`, `python` and `command`."""

    name: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        max_length=60,
        description="Its result has this name in later steps.",
    )
    needs: list[str] | None = Field(
        default=None, description="Steps whose results it reads; by default the one before it."
    )
    prompt: str | None = Field(default=None, description="Prompt file of the workspace.")
    retrieval: RetrievalSettings | None = None
    tool: str | None = Field(default=None, description="A function of tools.py.")
    python: str | None = Field(default=None, description="`module:function` of the workspace.")
    command: str | list[str] | None = Field(default=None, description="JSON in, JSON out.")
    model: str | None = Field(
        default=None, description="A prompt's own model; by default the one that is evaluated."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of a prompt, as sent.")
    tools: list[ToolEntry] = Field(
        default_factory=list, description="Functions of tools.py that a prompt may call."
    )
    max_steps: int = Field(default=8, ge=1, le=100, description="Calls of the model at most.")
    response_format: dict[str, Any] | None = Field(default=None, description="A prompt's, as sent.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Of a tool or a function; texts are Jinja2 templates."
    )
    timeout_s: float = Field(default=60.0, gt=0, description="Of a function or a command.")


class ConfigFile(_File):
    """One configuration: the unit of versioning. Exactly one of `prompt`, `chain`, `python` and `command`."""

    prompt: str | None = Field(default=None, description="Prompt file of the workspace.")
    chain: list[StepEntry] | None = Field(default=None, min_length=1, description="Named steps.")
    python: str | None = Field(default=None, description="`module:function` of the workspace.")
    command: str | list[str] | None = Field(
        default=None, description="A program: JSON on standard input, JSON on standard output."
    )
    models: list[str] = Field(
        default_factory=list, min_length=1, description="`provider/name`; every model is evaluated."
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="Parameters as sent; what is not set is not sent."
    )
    retrieval: RetrievalSettings | None = None
    tools: list[ToolEntry] = Field(
        default_factory=list, description="Functions of tools.py that the model may call."
    )
    max_steps: int = Field(default=8, ge=1, le=100, description="Calls of the model for one case at most.")
    response_format: dict[str, Any] | None = Field(
        default=None, description="As sent; a JSON schema constrains the answer."
    )
    guardrails: list[str | dict[str, Any]] = Field(
        default_factory=list, description="Checks on input, context, tool calls and output, in this order."
    )
    output: str | None = Field(
        default=None, description="Step of the chain that answers; by default the last."
    )
    timeout_s: float = Field(default=60.0, gt=0, description="Of the function or the command.")
    evals: list[str] = Field(min_length=1, description="Eval files of the workspace.")
    trials: int = Field(default=1, ge=1, le=1_000, description="Repetitions of each case.")
    inputs: list[str] = Field(
        default_factory=list, description="Files that the workspace's Python reads: changing them rescores."
    )
    description: str = Field(default="", description="For people; not part of the version.")


# -- evals/*


class OriginEntry(_File):
    """The live request that a case was made of. For people: no part of what is asked or judged."""

    trace: str = Field(min_length=1, description="Id of its trace.")
    version: str = Field(default="", description="Who answered.")
    at: str = Field(default="", description="When, as `2026-11-23T18:00:00Z`.")
    answer: str = Field(default="", description="What was answered, and was not right.")
    retrieved: list[dict[str, Any]] = Field(
        default_factory=list, description="What had been retrieved for it: `source` and `text` of each."
    )


class CaseEntry(_File):
    """One case."""

    id: str = Field(min_length=1, max_length=200, description="Unique within the configuration.")
    vars: dict[str, Any] = Field(default_factory=dict, description="Inputs of the prompt.")
    turns: list[dict[str, Any]] = Field(
        default_factory=list, description="A conversation: the variables of each turn, beside `vars`."
    )
    tools: dict[str, Any] = Field(
        default_factory=dict, description="Tool → what it gives in this case, without being run."
    )
    expected_sources: list[str] = Field(
        default_factory=list, description="Documents (or `document#heading`) that should be retrieved."
    )
    planted: list[str] = Field(
        default_factory=list,
        description="Texts that stand before what is retrieved, as a poisoned document would.",
    )
    expected: Any = Field(default=None, description="Reference for scorers that use one.")
    scorers: list[str | dict[str, Any]] = Field(default_factory=list, description="Who judges the output.")
    tags: list[str] = Field(default_factory=list)
    group: str | None = Field(default=None, description="Cases of one group count as one cluster.")
    trials: int | None = Field(default=None, ge=1, le=1_000)
    known_failing: str | None = Field(
        default=None, min_length=1, description="Why it is expected to fail: the gate leaves it out."
    )
    origin: OriginEntry | None = Field(default=None, description="The live request that it was made of.")


class CaseDefaults(_File):
    """Put before each case's own."""

    vars: dict[str, Any] = Field(default_factory=dict)
    scorers: list[str | dict[str, Any]] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    group: str | None = None
    trials: int | None = Field(default=None, ge=1, le=1_000)


class EvalFile(_File):
    """An eval set."""

    description: str = ""
    defaults: CaseDefaults = Field(default_factory=CaseDefaults)
    cases: list[CaseEntry] = Field(min_length=1)


# -- llmops.yaml


class LocalModel(_File):
    """Where the weights of a local model are: a path, or a file of a Hugging Face repository."""

    path: str | None = Field(default=None, description="GGUF file; relative to the workspace, or absolute.")
    hub: str | None = Field(default=None, description="Hugging Face repository, `owner/name`.")
    file: str | None = Field(default=None, description="File of that repository.")


class ProviderEntry(_File):
    """Settings of one provider."""

    base_url: str | None = Field(default=None, description="An OpenAI-compatible endpoint, up to `/v1`.")
    api_key: str | None = Field(default=None, description="`${NAME}` is read from the environment or `.env`.")
    headers: dict[str, str] = Field(default_factory=dict)
    concurrency: int = Field(default=8, ge=1, le=1_000, description="Requests in flight at once.")
    timeout_s: float = Field(default=60.0, gt=0, description="Time limit of one attempt.")
    retries: int = Field(default=3, ge=0, le=20, description="Further attempts after the first.")
    price: dict[str, Price] = Field(
        default_factory=dict, description="Model name → USD for a million tokens, where litellm has no price."
    )
    slots: int = Field(
        default=1, ge=1, le=64, description="`local`: answers made at once; 1 keeps it deterministic."
    )
    context: int = Field(default=2048, ge=256, description="`local`: tokens of context for each slot.")
    prompt_cache: bool = Field(default=False, description="`local`: faster, and no longer deterministic.")
    models: dict[str, LocalModel] = Field(default_factory=dict, description="`local`: name → weights.")


class Price(_File):
    """USD for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)


class WatchSettings(_File):
    mode: Literal["auto", "ask", "off"] = Field(
        default="auto", description="What a save does: evaluate, show what it would cost, or nothing."
    )
    debounce_ms: int = Field(default=50, ge=0, le=10_000)


class BudgetSettings(_File):
    per_run_usd: float | None = Field(default=None, ge=0)
    per_day_usd: float | None = Field(default=None, ge=0)


Share = Annotated[float, Field(gt=0, le=1)]
Drop = Literal["auto"] | Share


class MaxDropEntry(_File):
    """How much may be lost, as a share (0.05 is five points); `auto` is what the set can prove."""

    pass_rate: Drop = "auto"
    scorers: dict[str, Drop] = Field(default_factory=dict, description="Scorer → drop of its mean value.")
    tags: dict[str, Drop] = Field(default_factory=dict, description="Tag → drop of its cases' pass rate.")


class GateBudgetEntry(_File):
    """What one gate may spend, adjudication included."""

    calls: int | None = Field(default=None, ge=0)
    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class GateEntry(_File):
    """When a version counts as worse than the baseline."""

    estimand: Literal["these_cases", "population"] = Field(
        default="these_cases",
        description="What is claimed: about these cases, or about the requests they are a sample of.",
    )
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.05, description="Share of false alarms where nothing got worse."
    )
    max_drop: MaxDropEntry = Field(default_factory=MaxDropEntry)
    critical: str = Field(
        default="critical", min_length=1, description="Tag of cases that may not regress at all."
    )
    max_cost_increase: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="0.1 is 10% more."
    )
    max_latency_increase: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="0.1 is 10% more."
    )
    max_errors: int = Field(default=0, ge=0, description="Cases without a result that are put up with.")
    budget: GateBudgetEntry = Field(default_factory=GateBudgetEntry)
    on_inconclusive: Literal["fail", "pass"] = Field(
        default="fail", description="What an inconclusive verdict does to the exit code."
    )

    @field_validator("max_drop", mode="before", json_schema_input_type=Drop | MaxDropEntry)
    @classmethod
    def _one_drop(cls, value: Any) -> Any:
        """A number, or `auto`, is the drop of the pass rate."""
        return value if isinstance(value, (dict, MaxDropEntry)) else {"pass_rate": value}


class JudgeEntry(_File):
    """A model that judges, for scorers that ask one."""

    model: str = Field(description="`provider/name`.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters as sent.")
    votes: int = Field(default=1, ge=1, le=MAX_VOTES, description="How often it is asked about one output.")


class CodeSettings(_File):
    timeout_s: float = Field(default=10.0, gt=0, description="Time limit of one call of a Python function.")


class OtlpSettings(_File):
    """Where traces are sent, as OTLP over HTTP."""

    endpoint: str = Field(description="`http://localhost:4318`; `${NAME}` as in `headers`.")
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Sent with every request; `${NAME}` is read from the environment or `.env`.",
    )
    project: str = Field(default="llmops-tui", min_length=1, description="The project in Phoenix.")
    live: bool = Field(default=False, description="Send each trace when its output is kept.")


class TracingSettings(_File):
    otlp: OtlpSettings | None = None


class WorkspaceFile(_File):
    """Workspace settings; every key is optional."""

    default: str | None = Field(
        default=None, description="Configuration that commands are about where none is named."
    )
    providers: dict[str, ProviderEntry] = Field(default_factory=dict)
    watch: WatchSettings = Field(default_factory=WatchSettings)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    gate: GateEntry = Field(default_factory=GateEntry)
    code: CodeSettings = Field(default_factory=CodeSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    judges: dict[str, JudgeEntry] = Field(
        default_factory=dict, description="Name → judge; the one named `default` judges where none is named."
    )
    live: LiveEntry = Field(default_factory=LiveEntry)
    channels: dict[str, ChannelEntry] = Field(
        default_factory=dict, description="Name → where alerts go, beside the screen."
    )
    alerts: list[AlertEntry] | None = Field(
        default=None,
        description="When to tell somebody; without it a few rules hold, and `[]` turns them off.",
    )


ProviderEntry.model_rebuild()
