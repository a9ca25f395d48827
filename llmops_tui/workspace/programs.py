"""What a configuration evaluates, as parts of a version: a prompt, a chain, a function or a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.guardrails.use import guardrail_parts
from llmops_tui.domain.guardrails.wording import wording_hash
from llmops_tui.domain.manifest import Part, make_part
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import MAX_STEPS, STEP_TIMEOUT_S, Retrieval, prompt_blob, stand_in
from llmops_tui.domain.prompt import Prompt
from llmops_tui.domain.schema import (
    ConfigFile,
    RetrievalSettings,
    StepEntry,
    WorkspaceFile,
)
from llmops_tui.workspace.guardrail_uses import GuardrailUses
from llmops_tui.workspace.overlay import Lines
from llmops_tui.workspace.prompts import PromptFile, read_prompt, template_variables
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.retrieval_settings import read_retrieval
from llmops_tui.workspace.tool_uses import ToolUses
from llmops_tui.workspace.yaml_document import Document

Loc = tuple[str | int, ...]
ResolveModel = Callable[[str, int | None], Model | None]

#: What prompts and functions are given by these names.
TAKEN = frozenset("ask context model openai params steps turns vars".split())  # noqa: SIM905
#: One of these says what is evaluated.
KINDS = ("prompt", "chain", "python", "command")
_STEP_KINDS = ("prompt", "retrieval", "tool", "python", "command")
#: Keys of a step beside its name, its needs and what it is.
_STEP_KEYS = {
    "prompt": {"model", "params", "tools", "max_steps", "response_format"},
    "retrieval": set(),
    "tool": {"arguments"},
    "python": {"arguments", "params", "timeout_s"},
    "command": {"params", "timeout_s"},
}


class Reads(msgspec.Struct, frozen=True):
    """Variables that cases must give, and who reads them."""

    prompt: PromptFile
    required: frozenset[str]
    lines: dict[str, tuple[str, int]]


class ProgramFiles(msgspec.Struct):
    """What was read.

    Attributes:
        parts: of the version, models aside.
        blobs: hash → text, for every text that they name.
        file: what a person edits first: the prompt, the module, or the configuration.
        own_models: models that steps name for themselves, those that embed, and those that guardrails ask.
        asks: a step asks the model that is evaluated.
        name: what stands for a model, where none is asked.
        documents: paths of all that can be retrieved.
    """

    file: str
    parts: list[Part] = []
    blobs: dict[str, str] = {}
    own_models: dict[str, Model] = {}
    reads: list[Reads] = []
    asks: bool = False
    name: str = ""
    documents: set[str] = set()


class ProgramReader:
    """Reads the program of one configuration; what is wrong is recorded as problems.

    Args:
        resolve: name of a model, and the line it is on → the exact model.
        models: of the workspace whose settings say what models there are, where that is another.
    """

    def __init__(
        self,
        reader: Reader,
        settings: WorkspaceFile,
        path: str,
        document: Document | Lines,
        resolve: ResolveModel,
        models: Reader | None = None,
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._path = path
        self._document = document
        self._resolve = resolve
        self._models = models
        self._code: dict[str, str] = {}
        self._tools = ToolUses(reader, path, document)
        self._found = ProgramFiles(path)

    def read(
        self, config: ConfigFile, params: dict[str, Any], cases: tuple[Case, ...]
    ) -> ProgramFiles | None:
        """None where not even one thing is named that could be evaluated."""
        named = [kind for kind in KINDS if getattr(config, kind) is not None]
        if len(named) != 1:
            said = f"names {' and '.join(named)}" if named else "names nothing that could be evaluated"
            self._fail(f"the configuration {said}", f"write one of {', '.join(KINDS)}", ())
            return None
        self._misplaced(config, named[0])
        found = self._found
        if config.prompt is not None:
            self._prompt(config, params, cases)
        elif config.chain is not None:
            self._tools.set_up(config.tools)
            self._chain(config.chain, config.output, params)
        elif config.python is not None:
            found.name = f"python/{config.python}"
            self._function("", config.python, {}, config.timeout_s, params, (), ("python",))
        elif config.command is not None:
            self._command("", config.command, config.timeout_s, params, (), ("command",))
        found.parts += self._tools.parts
        self._code |= self._tools.modules
        self._guardrails(config)
        if self._code:
            self._code |= self._declared(config)
            found.parts.append(make_part("code", "", self._blobs(self._code)))
        return found

    def _guardrails(self, config: ConfigFile) -> None:
        uses = GuardrailUses(*(self._reader, self._settings, self._path, self._document), self._models)
        self._found.parts += guardrail_parts(uses.read(config.guardrails), wording_hash())
        self._found.own_models |= uses.own_models
        self._code |= uses.modules

    def _declared(self, config: ConfigFile) -> dict[str, str]:
        """Files that the code reads, by `inputs:`: what they hold decides what it gives."""
        found: dict[str, str] = {}
        for n, written in enumerate(config.inputs):
            line = self._document.line(("inputs", n))
            path = self._reader.locate(written, file=self._path, line=line)
            data = self._reader.data(path) if path is not None else None
            if path is not None and data is not None:
                try:
                    found[path] = data.decode()
                except UnicodeDecodeError:
                    found[path] = stand_in(data)
        return found

    # -- a plain prompt

    def _prompt(self, config: ConfigFile, params: dict[str, Any], cases: tuple[Case, ...]) -> None:
        found = self._found
        found.asks = True
        prompt = self._prompt_file(config.prompt or "", ("prompt",))
        query: frozenset[str] = frozenset()
        if config.retrieval is not None:
            query = self._retrieval("", config.retrieval, ("retrieval",))
        self._params("", params)
        self._format("", config.response_format)
        tools = self._tools.read(config.tools, ("tools",))
        if tools and config.max_steps != MAX_STEPS:
            found.parts.append(make_part("program", "", {"max_steps": config.max_steps}))
        if prompt is None:
            return
        found.file = prompt.prompt.path
        self._prompt_part("", prompt.prompt)
        required = prompt.required | query
        if not self._is_context_given(prompt, config, cases):
            required -= {"context"}
        where = (self._path, self._document.line(("retrieval", "query")) or 1)
        found.reads.append(Reads(prompt, required, {**dict.fromkeys(query, where), **prompt.lines}))

    def _is_context_given(self, prompt: PromptFile, config: ConfigFile, cases: tuple[Case, ...]) -> bool:
        """Whether `context` is a variable of the cases, and not what is retrieved."""
        is_read = "context" in prompt.prompt.variables
        if config.retrieval is not None:
            if not is_read:
                self._reader.warn(
                    "what is retrieved is not read by the prompt",
                    "write {{ context }} where it belongs, or remove 'retrieval'",
                    prompt.prompt.path,
                    1,
                )
            return False
        if "context" in prompt.required and not any("context" in case.vars for case in cases):
            if "context" not in prompt.prompt.defaults:
                self._reader.fail(
                    "'context' is what was retrieved, and the configuration has no retrieval",
                    "add 'retrieval: {source: docs}' to the configuration",
                    *prompt.lines["context"],
                )
            return False
        return True

    # -- a chain

    def _chain(self, steps: list[StepEntry], output: str | None, params: dict[str, Any]) -> None:
        names = [step.name for step in steps]
        needs: dict[str, tuple[str, ...]] = {}
        for n, step in enumerate(steps):
            loc: Loc = ("chain", n)
            if step.name in TAKEN:
                self._fail(f"the name '{step.name}' is taken", "give the step another one", (*loc, "name"))
            if step.name in names[:n]:
                self._fail(f"the step '{step.name}' is there twice", "rename one", (*loc, "name"))
                continue
            wanted = step.needs if step.needs is not None else names[max(n - 1, 0) : n]
            for name in wanted:
                if name not in names or name == step.name:
                    said = "itself" if name == step.name else f"'{name}', which is no step"
                    remedy = did_you_mean(name, set(names) - {step.name})
                    self._fail(f"the step '{step.name}' needs {said}", remedy, (*loc, "needs"))
            needs[step.name] = tuple(name for name in wanted if name in names and name != step.name)
            self._step(step, needs[step.name], names, params, loc)
        if circle := _circle(needs):
            first = names.index(circle[0])
            arrows = " → ".join([*circle, circle[0]])
            self._fail(f"steps need each other in a circle: {arrows}", "break it", ("chain", first, "needs"))
        if output is not None and output not in names:
            self._fail(f"there is no step '{output}'", did_you_mean(output, set(names)), ("output",))
        self._found.name = f"chain/{names[-1]}"
        self._found.parts.append(make_part("program", "", {"output": output or names[-1]}))

    def _step(
        self, step: StepEntry, needs: tuple[str, ...], names: list[str], params: dict[str, Any], loc: Loc
    ) -> None:
        named = [kind for kind in _STEP_KINDS if getattr(step, kind) is not None]
        if len(named) != 1:
            said = f"is {' and '.join(named)} at once" if named else "does nothing"
            self._fail(f"the step '{step.name}' {said}", f"give it one of {', '.join(_STEP_KINDS)}", loc)
            return
        self._misplaced_in(step, named[0], loc)
        own = {**params, **{k: v for k, v in step.params.items() if v is not None}}
        if step.prompt is not None:
            self._prompt_step(step, needs, names, own, loc)
        elif step.retrieval is not None:
            query = self._retrieval(step.name, step.retrieval, (*loc, "retrieval"))
            self._step_part(step.name, {"does": "retrieval"}, needs)
            self._reads(query, needs, names, step.name, (*loc, "retrieval", "query"))
        elif step.tool is not None:
            self._tools.read([step.tool], (*loc, "tool"))
            self._step_part(step.name, {"does": "tool", "tool": step.tool, **_arguments(step)}, needs)
            self._argument_reads(step, needs, names, loc)
        elif step.python is not None:
            self._function(
                step.name, step.python, step.arguments, step.timeout_s, own, needs, (*loc, "python")
            )
            self._argument_reads(step, needs, names, loc)
        elif step.command is not None:
            self._command(step.name, step.command, step.timeout_s, own, needs, (*loc, "command"))

    def _prompt_step(
        self, step: StepEntry, needs: tuple[str, ...], names: list[str], params: dict[str, Any], loc: Loc
    ) -> None:
        value: dict[str, Any] = {"does": "prompt"}
        if step.model is not None:
            model = self._resolve(step.model, self._document.line((*loc, "model")))
            if model is not None:
                self._found.own_models[model.id] = model
            value["model"] = step.model
        else:
            self._found.asks = True
        if tools := self._tools.read(step.tools, (*loc, "tools")):
            value["tools"] = tools
        if step.max_steps != MAX_STEPS:
            value["max_steps"] = step.max_steps
        self._step_part(step.name, value, needs)
        self._params(step.name, params)
        self._format(step.name, step.response_format)
        prompt = self._prompt_file(step.prompt or "", (*loc, "prompt"))
        if prompt is None:
            return
        if self._found.file == self._path:
            self._found.file = prompt.prompt.path
        self._prompt_part(step.name, prompt.prompt)
        self._unmet(prompt.required, needs, names, step.name, prompt.lines)
        required = prompt.required - set(names)
        self._found.reads.append(Reads(prompt, required, prompt.lines))

    def _argument_reads(self, step: StepEntry, needs: tuple[str, ...], names: list[str], loc: Loc) -> None:
        for key, value in step.arguments.items():
            for text in _texts(value):
                line = self._document.line((*loc, "arguments", key)) or 1
                read = template_variables(self._reader, text, self._path, line) or frozenset()
                self._reads(read, needs, names, step.name, (*loc, "arguments", key))

    def _reads(
        self, read: frozenset[str], needs: tuple[str, ...], names: list[str], step: str, loc: Loc
    ) -> None:
        where = (self._path, self._document.line(loc) or 1)
        lines = dict.fromkeys(read, where)
        self._unmet(read, needs, names, step, lines)
        stand_in = PromptFile(Prompt(self._path, ()), frozenset(), lines)
        self._found.reads.append(Reads(stand_in, read - set(names), lines))

    def _unmet(
        self,
        read: frozenset[str],
        needs: tuple[str, ...],
        names: list[str],
        step: str,
        lines: dict[str, tuple[str, int]],
    ) -> None:
        """Steps that are read and not needed: they may not be done by then."""
        for name in sorted(read & set(names) - set(needs)):
            remedy = "rename one" if name == step else f"add it to its needs: [{', '.join([*needs, name])}]"
            said = "itself" if name == step else f"the step '{name}', which it does not need"
            self._reader.fail(f"the step '{step}' reads {said}", remedy, *lines[name])

    # -- the kinds of steps

    def _function(
        self,
        step: str,
        spec: str,
        arguments: dict[str, Any],
        timeout_s: float,
        params: dict[str, Any],
        needs: tuple[str, ...],
        loc: Loc,
    ) -> None:
        from llmops_tui.workspace.programs_code import read_function

        sources = read_function(self._reader, spec, self._path, self._document.line(loc))
        self._code |= sources or {}
        value: dict[str, Any] = {"does": "python", "function": spec}
        if arguments:
            value["arguments"] = arguments
        self._step_part(step, _timed(value, timeout_s), needs)
        self._params(step, params)
        if not step and sources:
            self._found.file = next(iter(sources))

    def _command(
        self,
        step: str,
        command: str | list[str],
        timeout_s: float,
        params: dict[str, Any],
        needs: tuple[str, ...],
        loc: Loc,
    ) -> None:
        from llmops_tui.workspace.programs_code import read_command

        found = read_command(self._reader, command, self._path, self._document.line(loc))
        if found is None:
            return
        argv, sources = found
        self._code |= sources
        self._step_part(step, _timed({"does": "command", "command": list(argv)}, timeout_s), needs)
        self._params(step, params)
        if not step:
            self._found.name = f"command/{argv[0].rpartition('/')[2]}"
            self._found.file = next(iter(sources), self._path)

    def _retrieval(self, step: str, wanted: RetrievalSettings, loc: Loc) -> frozenset[str]:
        """Records the parts; gives the variables of the query."""
        settings, documents, query, model = read_retrieval(
            self._reader, self._settings, wanted, self._path, self._document, loc, self._models
        )
        if settings is not None:
            self._retrieval_parts(step, settings, documents)
            self._found.documents |= documents.keys()
        if model is not None:
            self._found.own_models[model.id] = model
        return query

    # -- parts

    def _prompt_file(self, path: str, loc: Loc) -> PromptFile | None:
        found = self._reader.locate(path, file=self._path, line=self._document.line(loc))
        return read_prompt(self._reader, found) if found is not None else None

    def _prompt_part(self, step: str, prompt: Prompt) -> None:
        content = prompt.content()
        text = prompt_blob(content)
        self._found.blobs[text_digest(text)] = text
        self._found.parts.append(make_part("prompt", step, content))

    def _step_part(self, step: str, value: dict[str, Any], needs: tuple[str, ...]) -> None:
        if needs:
            value["needs"] = list(needs)
        self._found.parts.append(make_part("step", step, value))

    def _params(self, step: str, params: dict[str, Any]) -> None:
        start = f"{step}." if step else ""
        self._found.parts += [make_part("params", f"{start}{name}", value) for name, value in params.items()]

    def _format(self, step: str, response_format: dict[str, Any] | None) -> None:
        if response_format is not None:
            self._found.parts.append(make_part("response_format", step, response_format))

    def _retrieval_parts(self, step: str, settings: Retrieval, documents: dict[str, str]) -> None:
        self._found.parts.append(make_part("retrieval", step, settings.value()))
        self._found.parts.append(make_part("corpus", step, self._blobs(documents)))

    def _blobs(self, texts: dict[str, str]) -> dict[str, str]:
        """Keeps texts; gives path → hash."""
        hashes = {path: text_digest(text) for path, text in texts.items()}
        self._found.blobs |= {hashes[path]: text for path, text in texts.items()}
        return hashes

    # -- mistakes

    def _misplaced(self, config: ConfigFile, kind: str) -> None:
        """Keys that belong to another kind of configuration."""
        fits = {
            "prompt": {"retrieval", "tools", "max_steps", "response_format"},
            "chain": {"output", "tools"},
        }
        fits |= {"python": {"timeout_s"}, "command": {"timeout_s"}}
        for key in ("retrieval", "tools", "max_steps", "response_format", "output", "timeout_s"):
            if key in config.model_fields_set and key not in fits[kind]:
                where = (
                    "give it to a step of the chain" if kind == "chain" and key != "output" else "remove it"
                )
                self._fail(f"'{key}' has no meaning beside '{kind}'", where, (key,))

    def _misplaced_in(self, step: StepEntry, kind: str, loc: Loc) -> None:
        """Keys of a step that belong to another kind of step."""
        for key in sorted(step.model_fields_set - {"name", "needs", kind} - _STEP_KEYS[kind]):
            if key not in _STEP_KINDS:
                self._fail(f"'{key}' has no meaning in a step that is a {kind}", "remove it", (*loc, key))

    def _fail(self, message: str, remedy: str, loc: Loc) -> None:
        self._reader.fail(message, remedy, self._path, self._document.line(loc))


def _timed(value: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    return value if timeout_s == STEP_TIMEOUT_S else {**value, "timeout_s": timeout_s}


def _arguments(step: StepEntry) -> dict[str, Any]:
    return {"arguments": step.arguments} if step.arguments else {}


def _texts(value: Any) -> list[str]:
    """Texts within an argument that may be templates."""
    if isinstance(value, str):
        return [value] if "{" in value else []
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []


def _circle(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """Steps that need each other in a circle, in order; empty where there is none."""
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for other in needs.get(name, ()):
            if found := follow(other, [*way, name]):
                return found
        done.add(name)
        return []

    for name in needs:
        if found := follow(name, []):
            return found
    return []
