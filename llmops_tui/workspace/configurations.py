"""One configuration: its file, everything that the file names, and the version that it comes to."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.domain.model import Model, Price
from llmops_tui.domain.program import program_of
from llmops_tui.domain.schema import ConfigFile, WorkspaceFile
from llmops_tui.workspace.cases import build_cases, check_programs, check_variables
from llmops_tui.workspace.code import Source
from llmops_tui.workspace.eval_files import read_eval_files
from llmops_tui.workspace.facts import tool_version
from llmops_tui.workspace.judges import with_judges
from llmops_tui.workspace.models import resolve_model
from llmops_tui.workspace.overlay import Lines, Overlay
from llmops_tui.workspace.programs import ProgramReader
from llmops_tui.workspace.reader import EVALS_LIMIT, Reader
from llmops_tui.workspace.retrieval_settings import check_sources
from llmops_tui.workspace.scorer_uses import ScorerCatalogue
from llmops_tui.workspace.validation import read_validated
from llmops_tui.workspace.yaml_document import Document

#: A program asks no model by itself; what it has asked has a price of its own.
_FREE = Price(0.0, 0.0, source="no model is asked")
#: Parameters that providers share; a name close to one of them is probably a slip.
_KNOWN_PARAMS = frozenset(
    (
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "repeat_penalty",
        "reasoning_effort",
        "response_format",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "extra_body",
    )
)
#: Set by the clients, never by a person.
_RESERVED_PARAMS = ("messages", "model", "stream", "stream_options", "n")


def read_configuration(
    reader: Reader,
    settings: WorkspaceFile,
    source: Source,
    name: str,
    path: str,
    overlay: Overlay | None = None,
) -> Configuration | None:
    """Read a configuration; None with problems recorded.

    Args:
        overlay: values that take the place of the file's own.
    """
    earlier, reader.files = reader.files, {}
    before = len(reader.problems)
    try:
        configuration = _Reading(reader, settings, source, name, path).read(overlay)
        found = reader.problems[before:]
        if configuration is None or any(not p.warning for p in found):
            return None
        return msgspec.structs.replace(configuration, warnings=tuple(found))
    finally:
        reader.files = {**earlier, **reader.files}


def read_over(
    reader: Reader, here: Reader, settings: WorkspaceFile, name: str, path: str, cases: tuple[Case, ...]
) -> Configuration | None:
    """Read a configuration of another time over given cases; None with problems recorded.

    Its own eval sets are not read, and no Python of its time is. What its models are is settled by `here`
    and the settings of now: that is what can be asked.

    Args:
        reader: of the folder that holds the configuration.
        here: of the workspace on disk.
    """
    reader.files = {}
    before, before_here = len(reader.problems), len(here.problems)
    configuration = _Reading(reader, settings, Source({}), name, path, (here, cases)).read()
    reader.problems += here.problems[before_here:]
    if any(not p.warning for p in reader.problems[before:]):
        return None
    return configuration


class _Reading:
    """One reading of one file. What several configurations share is read anew; its problems are one.

    Args:
        over: what resolves the models, and the cases to take instead of those that the file names.
    """

    def __init__(
        self,
        reader: Reader,
        settings: WorkspaceFile,
        source: Source,
        name: str,
        path: str,
        over: tuple[Reader, tuple[Case, ...]] | None = None,
    ) -> None:
        self._over = over
        self._reader = reader
        self._settings = settings
        self._source = source
        self._name = name
        self._path = path

    def read(self, overlay: Overlay | None = None) -> Configuration | None:
        reader = self._reader
        before = len(reader.problems)
        found = read_validated(reader, ConfigFile, self._path, overlay)
        if found is None:
            return None
        config, document = found
        params = self._params(config.params, document, ("params",))
        cases = self._cases(config, document) if self._over is None else self._over[1]
        programs = ProgramReader(
            *(reader, self._settings, self._path, document, self._resolve),
            self._over[0] if self._over is not None else None,
        )
        program = programs.read(config, params, cases or ())
        for n, step in enumerate(config.chain or ()):
            self._params(step.params, document, ("chain", n, "params"))
        models = self._models(config, document)
        if program is None or cases is None:
            return None
        if not models and not config.models:
            if program.asks:
                reader.fail(
                    "no model is named", "write 'models: [local/smollm2-135m-instruct]'", self._path, 1
                )
                return None
            kind = program.name.partition("/")[0]
            models = [Model(program.name, kind, program.name, "program", price=_FREE)]
        for each in program.reads:
            reader.problems += check_variables(cases, each.prompt, each.required, each.lines)
        reader.problems += check_sources(cases, program.documents)
        tools = frozenset(part.name for part in program.parts if part.kind == "tools")
        reader.problems += check_programs(cases, tools, is_chain=config.chain is not None)
        if any(not p.warning for p in reader.problems[before:]):
            return None
        own = list(program.own_models.values())
        parts = [*program.parts, *(make_part("models", model.id, model.identity()) for model in models)]
        parts += [make_part("own_models", model.id, model.identity()) for model in own]
        manifest = make_manifest(parts)
        return Configuration(
            name=self._name,
            file=self._path,
            prompt_file=program.file,
            manifest=manifest,
            target=program_of(manifest),
            blobs=program.blobs,
            models=tuple(models),
            cases=cases,
            trials=config.trials,
            files=tuple(reader.files),
            own_models=tuple(own),
        )

    # -- the parts

    def _params(
        self, params: dict[str, Any], document: Document | Lines, loc: tuple[Any, ...]
    ) -> dict[str, Any]:
        """Parameters that are set: `null` is the same as leaving it out."""
        import difflib

        for key in params:
            line = document.line((*loc, key))
            if key in _RESERVED_PARAMS:
                self._reader.fail(
                    f"the parameter '{key}' is set by llmops-tui", "remove it", self._path, line
                )
            elif key not in _KNOWN_PARAMS:
                near = difflib.get_close_matches(key, _KNOWN_PARAMS, n=1, cutoff=0.8)
                if near:
                    self._reader.warn(
                        f"the parameter '{key}' is sent as it is",
                        f"did you mean '{near[0]}'?",
                        self._path,
                        line,
                    )
        body = params.get("extra_body")
        if body is not None and not isinstance(body, dict):
            line = document.line((*loc, "extra_body"))
            self._reader.fail("'params.extra_body' must be a mapping", "", self._path, line)
        return {k: v for k, v in params.items() if v is not None}

    def _models(self, config: ConfigFile, document: Document | Lines) -> list[Model]:
        models: dict[str, Model] = {}
        for index, id_ in enumerate(config.models):
            line = document.line(("models", index))
            if id_ in config.models[:index]:
                self._reader.fail(f"the model '{id_}' is named twice", "keep one of them", self._path, line)
                continue
            model = self._resolve(id_, line)
            if model is not None:
                models[id_] = model
        return list(models.values())

    def _resolve(self, id_: str, line: int | None) -> Model | None:
        reader = self._over[0] if self._over is not None else self._reader
        return resolve_model(reader, self._settings, id_, self._path, line)

    def _cases(self, config: ConfigFile, document: Document | Lines) -> tuple[Case, ...] | None:
        reader = self._reader
        before = len(reader.problems)
        paths: list[str] = []
        for index, written in enumerate(config.evals):
            line = document.line(("evals", index))
            found = reader.locate(written, file=self._path, line=line)
            if found in paths:
                reader.fail(f"the eval set '{found}' is named twice", "keep one of them", self._path, line)
            elif found is not None:
                paths.append(found)
        revision = self._source.revision(self._inputs(config, document))
        key = self._cases_key(paths, revision)
        known = reader.cases.get(key) if reader.cases is not None and key is not None else None
        if known is None:
            cases, problems = build_cases(
                read_eval_files(reader, paths), ScorerCatalogue(self._source, revision)
            )
            reader.problems += problems
            known = tuple(cases)
            if reader.cases is not None and key is not None and len(reader.problems) == before:
                reader.cases.put(key, known)
        known, key = with_judges(reader, self._settings, known, key)
        if any(not p.warning for p in reader.problems[before:]):
            return None
        if key is not None:
            reader.case_keys[self._name] = key
        return known

    def _cases_key(self, paths: list[str], revision: str) -> str | None:
        """Hash of all that cases are built from; None where a file can't be read."""
        before = len(self._reader.problems)
        hashes = []
        for path in paths:
            self._reader.data(path, EVALS_LIMIT)
            hashes.append([path, self._reader.hash_of(path)])
        if len(self._reader.problems) > before:
            del self._reader.problems[before:]  # reading the file for its cases says it
            return None
        return digest([tool_version(), hashes, revision])

    def _inputs(self, config: ConfigFile, document: Document | Lines) -> dict[str, str]:
        hashes: dict[str, str] = {}
        for index, written in enumerate(config.inputs):
            found = self._reader.locate(written, file=self._path, line=document.line(("inputs", index)))
            if found is not None and self._reader.data(found) is not None:
                hashes[found] = self._reader.hash_of(found)
        return hashes
