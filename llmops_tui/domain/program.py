"""What is evaluated: a program of steps. A plain prompt is a program of one step without a name.

A program is a pure function of a version's manifest (`program_of`), so a recorded version runs as it did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from llmops_tui.domain.canonical import canonical_json, text_digest
from llmops_tui.domain.guardrails.use import GuardrailUse, guardrails_of
from llmops_tui.domain.manifest import Manifest, Part, changed_parts
from llmops_tui.domain.model import Model

ToolMode = Literal["live", "recorded", "canned"]

#: Model calls of one step, tools in between included, unless the configuration says otherwise.
MAX_STEPS = 8
#: Start of what stands for a file that is no text.
BINARY = "\0sha256:"
#: Time limit of one call of a step's Python function or command, unless it says otherwise.
STEP_TIMEOUT_S = 60.0


class Retrieval(msgspec.Struct, frozen=True):
    """Settings of a retrieval, as versioned. `query` is a Jinja2 template over the case's vars.

    Attributes:
        method: `bm25`, `embeddings` or `hybrid` (both, by reciprocal rank fusion).
        chunk_by: `words`, `sentences` or `headings`.
        embedding: id of the model that embeds, for `embeddings` and `hybrid`.
        rank_constant: k of reciprocal rank fusion (Cormack et al., 2009).
        filters: front matter key or `path` → a value, a list of values, or a glob for `path`.
    """

    source: str
    method: str = "bm25"
    chunk_words: int = 120
    overlap_words: int = 0
    top_k: int = 3
    query: str = ""
    chunk_by: str = "words"
    embedding: str = ""
    rank_constant: int = 60
    filters: dict[str, Any] = {}

    def value(self) -> dict[str, Any]:
        """As versioned: what was added since the first release is there only where it is set."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        for name, default in _RETRIEVAL_LATER.items():
            if value[name] == default:
                del value[name]
        return value


_RETRIEVAL_LATER: dict[str, Any] = {"chunk_by": "words", "embedding": "", "rank_constant": 60, "filters": {}}


class ToolUse(msgspec.Struct, frozen=True):
    """A function of `tools.py` that a model, or a step, may call.

    Attributes:
        eval: `live`: runs whenever it is called; `recorded`: runs once for equal arguments and is answered
            from the record ever after; `canned`: never runs, its result is `result`.
        result: what a canned tool gives, JSON.
        revision: hash of its source and of what that names, as versioned.
    """

    name: str
    eval: ToolMode = "live"
    result: Any = None
    timeout_s: float = 10.0
    revision: str = ""


class PromptStep(msgspec.Struct, frozen=True, tag="prompt"):
    """A prompt file with its parameters, what is retrieved for it, and the tools it may use.

    Attributes:
        prompt: hash of a blob: JSON of `Prompt.content()`.
        corpus: path → hash of a blob with the document's text; empty without retrieval.
        max_steps: model calls at most, tools in between.
        response_format: as sent, JSON.
        model: id of a model of its own; empty: the one that is evaluated.
    """

    prompt: str
    params: dict[str, Any] = {}
    retrieval: Retrieval | None = None
    corpus: dict[str, str] = {}
    tools: tuple[ToolUse, ...] = ()
    max_steps: int = MAX_STEPS
    response_format: dict[str, Any] | None = None
    model: str = ""


class RetrievalStep(msgspec.Struct, frozen=True, tag="retrieval"):
    retrieval: Retrieval
    corpus: dict[str, str] = {}


class ToolStep(msgspec.Struct, frozen=True, tag="tool"):
    """A tool that is always called. Texts in `arguments` are Jinja2 templates."""

    tool: ToolUse
    arguments: dict[str, Any] = {}


class FunctionStep(msgspec.Struct, frozen=True, tag="python"):
    """A function of the workspace, `module:function`, called with what it asks for by name.

    Attributes:
        arguments: given beside that; texts in them are Jinja2 templates.
        params: handed over; what they mean is the function's own affair.
    """

    function: str
    arguments: dict[str, Any] = {}
    timeout_s: float = STEP_TIMEOUT_S
    params: dict[str, Any] = {}


class CommandStep(msgspec.Struct, frozen=True, tag="command"):
    """A program that reads one JSON object on standard input and prints one JSON value."""

    command: tuple[str, ...]
    timeout_s: float = STEP_TIMEOUT_S
    params: dict[str, Any] = {}


Does = PromptStep | RetrievalStep | ToolStep | FunctionStep | CommandStep


class Step(msgspec.Struct, frozen=True):
    """One step. It sees the case's vars, and under their names the results of the steps it needs."""

    name: str
    does: Does
    needs: tuple[str, ...] = ()


class Program(msgspec.Struct, frozen=True):
    """Steps, so ordered that each comes after those it needs.

    Attributes:
        output: name of the step whose result is the answer.
        code: path of a Python module of the workspace → hash of a blob with its source.
        guardrails: in the order in which they look.
    """

    steps: tuple[Step, ...]
    output: str = ""
    code: dict[str, str] = {}
    guardrails: tuple[GuardrailUse, ...] = ()

    @property
    def is_plain(self) -> bool:
        """One prompt, as a configuration with `prompt:` is."""
        return len(self.steps) == 1 and not self.steps[0].name and isinstance(self.steps[0].does, PromptStep)

    @property
    def prompts(self) -> tuple[PromptStep, ...]:
        return tuple(step.does for step in self.steps if isinstance(step.does, PromptStep))

    @property
    def params(self) -> dict[str, Any]:
        """Of the step that answers."""
        found = next((s.does for s in self.steps if s.name == self.output), None)
        return found.params if isinstance(found, PromptStep | FunctionStep | CommandStep) else {}

    @property
    def retrieval(self) -> Retrieval | None:
        """Of a plain prompt."""
        return self.prompts[0].retrieval if self.is_plain else None

    @property
    def retrievals(self) -> tuple[Retrieval, ...]:
        found = [s.does.retrieval for s in self.steps if isinstance(s.does, PromptStep | RetrievalStep)]
        return tuple(each for each in found if each is not None)

    @property
    def guards_alone_ask(self) -> frozenset[str]:
        """Models that no step names: its guardrails ask them."""
        asked = {use.judge.model.id for use in self.guardrails if use.judge is not None}
        named = {does.model for does in self.prompts} | {each.embedding for each in self.retrievals}
        return frozenset(asked - named)

    def repeats(self, model: Model, own: Mapping[str, Model]) -> bool:
        """Equal inputs give equal answers, as a property of all that runs.

        Args:
            model: the one that is evaluated.
            own: id → model, for steps that name one.
        """
        for retrieval in self.retrievals:
            embedder = own.get(retrieval.embedding)
            if retrieval.embedding and (embedder is None or embedder.client != "echo"):
                return False
        for step in self.steps:
            match step.does:
                case PromptStep() as does:
                    asked = own.get(does.model) if does.model else model
                    if asked is None or not asked.is_deterministic(does.params):
                        return False
                    if any(tool.eval == "live" for tool in does.tools):
                        return False
                case ToolStep() as does:
                    if does.tool.eval == "live":
                        return False
                case FunctionStep() | CommandStep():
                    return False
        return all(_repeats(use, own) for use in self.guardrails)

    @property
    def needs_code(self) -> bool:
        """It runs Python, or a command, of the workspace."""
        return bool(self.code) or any(isinstance(s.does, CommandStep | FunctionStep) for s in self.steps)


def _repeats(use: GuardrailUse, own: Mapping[str, Model]) -> bool:
    if use.is_function:
        return False
    if use.judge is None:
        return True
    judge = own.get(use.judge.model.id, use.judge.model)
    return judge.is_deterministic(use.judge.params)


def program_of(manifest: Manifest) -> Program:
    """What a version runs.

    Kinds of parts that are read, each named by its step (empty for a plain prompt): `step` (what a step
    of a chain does, and what it needs), `prompt`, `params` (`STEP.NAME`), `retrieval`, `corpus`,
    `response_format`; and `tools`, `code`, `program`, `guardrails`.
    """
    whole = manifest.part("program")
    settings = whole.value if whole is not None else {}
    tools = {part.name: _tool(part) for part in manifest.of_kind("tools")}
    written = manifest.of_kind("step")
    steps = (
        _ordered([Step(p.name, _does(manifest, p, tools), tuple(p.value.get("needs", ()))) for p in written])
        if written
        else (Step("", _prompt(manifest, "", settings, tuple(tools.values()))),)
    )
    code = manifest.part("code")
    modules = code.value if code is not None else {}
    return Program(steps, settings.get("output", steps[-1].name), modules, guardrails_of(manifest))


def guards_alone_ask(manifest: Manifest) -> frozenset[str]:
    """Models that are a version's own only since guardrails ask them; it need not be a whole one."""
    asked = frozenset(use.judge.model.id for use in guardrails_of(manifest) if use.judge is not None)
    named = {part.value.get("model", "") for part in manifest.of_kind("step")}
    named |= {part.value.get("embedding", "") for part in manifest.of_kind("retrieval")}
    return asked - named


def changed_steps(before: Manifest, after: Manifest) -> frozenset[str]:
    """Steps of the later version that are not as they were, and all that need one of them.

    A function, a command or a tool changes with the code, whatever of it.
    """
    changes = changed_parts(before, after)
    guards = guards_alone_ask(before) | guards_alone_ask(after)
    kinds = {c.kind for c in changes if c.kind != "own_models" or c.name not in guards}
    named = {
        c.name.partition(".")[0] if c.kind == "params" else c.name for c in changes if c.kind in OF_A_STEP
    }
    found: set[str] = set()
    for step in program_of(after).steps:
        runs_code = isinstance(step.does, FunctionStep | CommandStep | ToolStep)
        uses_tools = isinstance(step.does, PromptStep) and bool(step.does.tools)
        if (
            step.name in named
            or (runs_code and "code" in kinds)
            or (uses_tools and kinds & {"tools", "code"})
            or "own_models" in kinds
            or found & set(step.needs)
        ):
            found.add(step.name)
    return frozenset(found)


#: Kinds of parts that are named by the step they belong to.
OF_A_STEP = frozenset({"step", "prompt", "params", "retrieval", "corpus", "response_format"})


def stand_in(data: bytes) -> str:
    """What stands for a file that is no text, in the code of a version: its hash."""
    return f"{BINARY}{hashlib.sha256(data).hexdigest()}"


def prompt_blob(content: dict[str, Any]) -> str:
    """A prompt's content as the blob that `PromptStep.prompt` names."""
    return canonical_json(content).decode("utf-8", "surrogatepass")


def _does(manifest: Manifest, part: Part, tools: dict[str, ToolUse]) -> Does:
    value = part.value
    match value["does"]:
        case "prompt":
            own = tuple(tools[name] for name in value.get("tools", ()))
            return _prompt(manifest, part.name, value, own)
        case "retrieval":
            return RetrievalStep(*_retrieval(manifest, part.name))  # type: ignore[arg-type]
        case "tool":
            return ToolStep(tools[value["tool"]], value.get("arguments", {}))
        case "python":
            timeout_s, params = value.get("timeout_s", STEP_TIMEOUT_S), _params(manifest, part.name)
            return FunctionStep(value["function"], value.get("arguments", {}), timeout_s, params)
        case _:
            timeout_s, params = value.get("timeout_s", STEP_TIMEOUT_S), _params(manifest, part.name)
            return CommandStep(tuple(value["command"]), timeout_s, params)


def _prompt(
    manifest: Manifest, step: str, settings: dict[str, Any], tools: tuple[ToolUse, ...]
) -> PromptStep:
    prompt = manifest.part("prompt", step)
    format_ = manifest.part("response_format", step)
    retrieval, corpus = _retrieval(manifest, step)
    return PromptStep(
        text_digest(prompt_blob(prompt.value)) if prompt is not None else "",
        _params(manifest, step),
        retrieval,
        corpus,
        tools,
        settings.get("max_steps", MAX_STEPS),
        format_.value if format_ is not None else None,
        settings.get("model", ""),
    )


def _params(manifest: Manifest, step: str) -> dict[str, Any]:
    start = f"{step}." if step else ""
    named = [(part.name, part.value) for part in manifest.of_kind("params") if part.name.startswith(start)]
    return {name.removeprefix(start): value for name, value in named}


def _retrieval(manifest: Manifest, step: str) -> tuple[Retrieval | None, dict[str, str]]:
    settings, corpus = manifest.part("retrieval", step), manifest.part("corpus", step)
    if settings is None:
        return None, {}
    return msgspec.convert(settings.value, Retrieval), corpus.value if corpus is not None else {}


def _tool(part: Part) -> ToolUse:
    value = part.value
    return ToolUse(
        part.name,
        value.get("eval", "live"),
        value.get("result"),
        value.get("timeout_s", 10.0),
        value.get("revision", ""),
    )


def _ordered(steps: list[Step]) -> tuple[Step, ...]:
    """Each after those it needs; of those that could come next, the first by name.

    Raises:
        ValueError: they need each other in a circle.
    """
    left = {step.name: step for step in steps}
    done: list[Step] = []
    while left:
        ready = sorted(name for name, step in left.items() if not left.keys() & set(step.needs))
        if not ready:
            raise ValueError(f"the steps {', '.join(sorted(left))} need each other in a circle")
        done.append(left.pop(ready[0]))
    return tuple(done)
