"""Entries of `guardrails:` of a configuration → guardrails, as parts of its version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.kind import FUNCTION_TIMEOUT_S, JUDGE_TIMEOUT_S, GuardrailKind
from llmops_tui.domain.guardrails.use import ACTIONS, STAGES, GuardrailUse, Stage
from llmops_tui.domain.judge import Judge
from llmops_tui.domain.model import Model
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.workspace.guardrail_code import GIVEN, GUARDRAILS_FILE, GuardrailsFile, read_guardrails
from llmops_tui.workspace.judges import DEFAULT, check_params
from llmops_tui.workspace.models import resolve_model
from llmops_tui.workspace.overlay import Lines
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import SETTINGS_FILE
from llmops_tui.workspace.yaml_document import Document

#: Accepted beside a kind's own options, and beside its name.
COMMON = ("name", "on", "action", "threshold", "timeout_s", "on_error", "message", "judge")
#: Longest time limit of one look, in seconds.
_LONGEST_S = 600.0
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
#: Where a function looks unless its entry says.
_FUNCTION_ON: tuple[Stage, ...] = ("output",)


class _Mistake(Exception):
    """What is wrong, the remedy, and the key that it is about."""

    def __init__(self, message: str, remedy: str = "", key: str = "") -> None:
        super().__init__(message)
        self.message, self.remedy, self.key = message, remedy, key


class GuardrailUses:
    """The guardrails of one configuration; what is wrong is recorded as problems.

    Args:
        models: of the workspace whose settings say what models there are, where that is another.

    Attributes:
        modules: path → source of `guardrails.py` and of what it imports; empty until a function is named.
        own_models: those that are asked, by id.
    """

    def __init__(
        self,
        reader: Reader,
        settings: WorkspaceFile,
        path: str,
        document: Document | Lines,
        models: Reader | None = None,
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._path = path
        self._document = document
        self._models = models if models is not None else reader
        self.modules: dict[str, str] = {}
        self.own_models: dict[str, Model] = {}

    def read(self, entries: list[str | dict[str, Any]]) -> list[GuardrailUse]:
        """Those without a mistake, in order."""
        if not entries:
            return []
        file = read_guardrails(self._reader)
        uses: dict[str, GuardrailUse] = {}
        for n, entry in enumerate(entries):
            kind = ""
            try:
                kind, value, common = _take_apart(entry)
                use = self._use(file, kind, value, common)
                if use.name in uses:
                    remedy = f"give one of them a name of its own: {{{kind}: {{name: …}}}}"
                    raise _Mistake(f"the guardrail '{use.name}' is there twice", remedy, "name")
            except _Mistake as mistake:
                where = self._line(n, kind, mistake.key)
                self._reader.fail(mistake.message, mistake.remedy, self._path, where)
            else:
                uses[use.name] = use
        return list(uses.values())

    def _line(self, n: int, kind: str, key: str) -> int | None:
        places = [("guardrails", n, kind, key), ("guardrails", n, key)] if key else []
        whole = self._document.line(("guardrails", n))
        found = [self._document.line(place) for place in places]
        return next((line for line in found if line not in (None, whole)), whole)

    def _use(self, file: GuardrailsFile, name: str, value: Any, common: dict[str, Any]) -> GuardrailUse:
        if name in GUARDRAILS:
            if name in file.functions:
                raise _Mistake(
                    f"'{name}' is a built-in guardrail and a function of {GUARDRAILS_FILE}",
                    "give the function another name",
                )
            return self._built_in(GUARDRAILS[name], value, common)
        if name in file.functions:
            return self._function(file, name, value, common)
        remedy = did_you_mean(name, set(GUARDRAILS) | set(file.functions))
        if file.broken and not remedy.startswith("did you mean"):
            raise _Mistake(f"the guardrail '{name}' is not known", f"mend {GUARDRAILS_FILE} first")
        raise _Mistake(f"there is no guardrail '{name}'", remedy)

    def _built_in(self, kind: GuardrailKind, value: Any, common: dict[str, Any]) -> GuardrailUse:
        given = _options(kind, value)
        common |= {key: given.pop(key) for key in COMMON if key in given}
        options = _validated(kind, given)
        judge = self._judge(kind.name, common, asks=options.get("method") in ("judge", "both"))
        limit_s = JUDGE_TIMEOUT_S if judge is not None else kind.timeout_s
        on = _stages(kind.name, common, kind.may, kind.on)
        return _made(
            *(kind.name, common, on, options, str(kind.revision), judge),
            action=kind.action,
            threshold=kind.threshold,
            timeout_s=limit_s,
        )

    def _function(self, file: GuardrailsFile, name: str, value: Any, common: dict[str, Any]) -> GuardrailUse:
        value = {} if value is None else value
        if not isinstance(value, Mapping):
            raise _Mistake(f"the options of {name} must be a mapping", f"write {{{name}: {{option: value}}}}")
        common |= {key: value[key] for key in COMMON if key in value}
        options = {key: each for key, each in value.items() if key not in COMMON}
        if taken := sorted(GIVEN & options.keys()):
            raise _Mistake(f"'{taken[0]}' is given to {name} at each look", "remove the option", taken[0])
        if wrong := file.functions[name].check(options, GIVEN):
            raise _Mistake(*wrong)
        self._judge(name, common, asks=False)
        self.modules = file.modules
        on = _stages(name, common, STAGES, _FUNCTION_ON)
        return _made(name, common, on, options, file.revisions[name], timeout_s=FUNCTION_TIMEOUT_S)

    def _judge(self, kind: str, common: dict[str, Any], *, asks: bool) -> Judge | None:
        """The model that is asked, by its name in `judges:` of the settings."""
        name = common.pop("judge", None)
        if not asks:
            if name is not None:
                offers = kind in GUARDRAILS and "method" in GUARDRAILS[kind].options.model_fields
                remedy = f"write {{{kind}: {{method: judge}}}}" if offers else "remove it"
                raise _Mistake(f"{kind} names a judge, and asks none", remedy, "judge")
            return None
        judges = self._settings.judges
        entry = judges.get(DEFAULT if name is None else name) if name is None or _is_text(name) else None
        if entry is None and name is None:
            remedy = "write judges: {default: {model: …}} in llmops.yaml"
            raise _Mistake(f"{kind} asks a judge, and llmops.yaml has no default one", remedy, "method")
        if entry is None:
            remedy = did_you_mean(str(name), set(judges)) or f"add judges.{name} to llmops.yaml"
            raise _Mistake(f"there is no judge '{name}' in llmops.yaml", remedy, "judge")
        check_params(self._reader, entry.params, SETTINGS_FILE, None)
        model = resolve_model(self._models, self._settings, entry.model, SETTINGS_FILE, None)
        if model is None:
            return None
        self.own_models[model.id] = model
        # It asks once, whatever `votes` says of scorers.
        return Judge(model, {k: v for k, v in entry.params.items() if v is not None})


def _take_apart(entry: str | dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    """(kind, what stands behind it, common keys beside it)."""
    if isinstance(entry, str):
        return entry, None, {}
    names = [key for key in entry if key not in COMMON]
    if len(names) != 1:
        said = "names no guardrail" if not names else f"names {len(names)} guardrails: {', '.join(names)}"
        raise _Mistake(f"an entry {said}", "start each guardrail with '- '")
    return names[0], entry[names[0]], {key: entry[key] for key in COMMON if key in entry}


def _options(kind: GuardrailKind, value: Any) -> dict[str, Any]:
    """What stands behind a kind's name, as options: a mapping of them, or the shorthand."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return dict(value)
    if kind.shorthand is None:
        known = ", ".join([*sorted(kind.options.model_fields), *COMMON])
        raise _Mistake(f"{kind.name} takes no bare value", f"its options: {known}")
    return {kind.shorthand: value}


def _validated(kind: GuardrailKind, given: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        return kind.options.model_validate(given).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    option = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        remedy = did_you_mean(option, set(kind.options.model_fields) | set(COMMON))
        raise _Mistake(f"{kind.name} has no option '{option}'", remedy, option)
    if first["type"] == "missing":
        example = f"{{{kind.name}: …}}" if option == kind.shorthand else f"{{{kind.name}: {{{option}: …}}}}"
        raise _Mistake(f"{kind.name} needs '{option}'", f"write {example}")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    message = f"{kind.name}: '{option}' does not fit ({said})" if option else f"{kind.name}: {said}"
    raise _Mistake(message, "", option)


def _made(
    kind: str,
    common: dict[str, Any],
    on: tuple[Stage, ...],
    options: dict[str, Any],
    revision: str,
    judge: Judge | None = None,
    *,
    timeout_s: float,
    action: str = "block",
    threshold: float = 0.5,
) -> GuardrailUse:
    """The guardrail, with the keys that all kinds share.

    Args:
        action, threshold, timeout_s: where the entry says nothing.
    """
    name = common.get("name", kind)
    if not _is_text(name) or _NAME.fullmatch(name) is None:
        raise _Mistake(f"the name of {kind} must be a word of letters, digits, '_' and '-'", "", "name")
    does: Any = _one_of(kind, "action", common.get("action", action), ACTIONS)
    fails: Any = _one_of(
        kind, "on_error", common.get("on_error", "open" if does == "flag" else "closed"), ("open", "closed")
    )
    message = common.get("message", "")
    if not _is_text(message):
        raise _Mistake(f"the message of {kind} must be a text", "put it in quotes", "message")
    if does == "fallback" and not message.strip():
        raise _Mistake(f"{kind} falls back to a message, and has none", "add 'message: …'", "action")
    from_ = _number(kind, "threshold", common.get("threshold", threshold), 1.0)
    limit_s = _number(kind, "timeout_s", common.get("timeout_s", timeout_s), _LONGEST_S)
    return GuardrailUse(
        *(name, kind, on, does, options, from_, limit_s, fails, message.strip(), judge, revision)
    )


def _stages(
    kind: str, common: dict[str, Any], may: tuple[Stage, ...], on: tuple[Stage, ...]
) -> tuple[Stage, ...]:
    written = common.get("on", list(on))
    wanted = [written] if isinstance(written, str) else written
    if not isinstance(wanted, list) or not wanted:
        raise _Mistake(f"'on' of {kind} must name a stage, or a list of them", f"known: {_said(may)}", "on")
    for stage in wanted:
        if stage not in STAGES:
            raise _Mistake(f"there is no stage '{stage}'", did_you_mean(str(stage), set(STAGES)), "on")
        if stage not in may:
            raise _Mistake(f"{kind} can't look at '{stage}'", f"it looks at {_said(may)}", "on")
    return tuple(stage for stage in STAGES if stage in wanted)


def _one_of(kind: str, key: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise _Mistake(f"{kind}: there is no {key} '{value}'", did_you_mean(str(value), set(known)), key)
    return str(value)


def _number(kind: str, key: str, value: Any, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= most:
        raise _Mistake(f"{key} of {kind} must be a number above 0, at most {most:g}, not {value}", "", key)
    return float(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _said(stages: tuple[Stage, ...]) -> str:
    return ", ".join(stages)
