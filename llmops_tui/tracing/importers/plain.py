"""Records of any shape, with a mapping that says which field is what: `--map input=question.text`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.tracing.importers import answers, ids
from llmops_tui.tracing.importers.formats import CannotImport, Importer, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.reading import count, number, texts, word

#: Word → what it is, for the documentation and the messages.
WORDS = {
    "input": "what went in: a text, or chat messages",
    "output": "what came out",
    "id": "of the record; by default its content",
    "trace": "records of the same trace belong together",
    "time": "when it began",
    "end": "when it ended",
    "latency_s": "how long it took",
    "latency_ms": "the same in milliseconds",
    "ttft_s": "seconds to the first token",
    "user": "who asked",
    "session": "requests that belong together",
    "feature": "part of the product",
    "config": "configuration",
    "version": "its version",
    "environment": "production, staging …",
    "model": "that answered",
    "provider": "of the model",
    "input_tokens": "that it read",
    "output_tokens": "that it wrote",
    "cost_usd": "what it cost",
    "error": "what it failed with",
    "tags": "a list of texts",
    "thumb": "of its user: up, down, 1, 0",
    "rating": "of its user, in [0, 1]",
    "comment": "of its user",
}
_SIGNALS = ("thumb", "rating")
_WORDS = {
    "user": a.USER,
    "session": a.SESSION,
    "feature": a.FEATURE,
    "config": a.CONFIG,
    "version": a.VERSION,
    "environment": a.ENVIRONMENT,
}


def mapping_of(entries: list[str]) -> dict[str, str]:
    """`["input=question.text"]` → word → path.

    Raises:
        CannotImport: an entry is none, or its word unknown.
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, is_there, path = entry.partition("=")
        if not is_there or not path.strip():
            raise CannotImport(
                Problem(f"--map takes WORD=FIELD, not '{entry}'", "for example --map input=question")
            )
        if name.strip() not in WORDS:
            raise CannotImport(
                Problem(f"--map knows no word '{name.strip()}'", did_you_mean(name.strip(), list(WORDS)))
            )
        found[name.strip()] = path.strip()
    return found


@importer("plain", "plain records with a mapping")
class Plain(Importer):
    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:  # noqa: ARG003
        return ""  # by --map alone

    def read(self, record: dict[str, Any], into: Portion) -> None:
        has = {name: at(record, path) for name, path in self.options.mapping.items()}
        if has.get("input") is None and has.get("output") is None:
            paths = [
                self.options.mapping[name] for name in ("input", "output") if name in self.options.mapping
            ]
            raise BadSpan(f"the record has no {' and no '.join(repr(path) for path in paths) or 'input'}")
        own = word(has.get("id")) or ids.digest("plain", record)
        trace = word(has.get("trace")) or own
        start = ids.moment(has.get("time"))
        if start is None and has.get("time") is not None:
            raise BadSpan(f"'{str(has['time'])[:40]}' is no time")
        start = self.options.file_time if start is None else start
        length = ids.seconds(has.get("latency_s"))
        if length is None and (milliseconds := ids.seconds(has.get("latency_ms"))) is not None:
            length = milliseconds / 1000
        end = ids.moment(has.get("end")) or start + (length or 0.0)
        error = has.get("error")
        failed = error not in (None, "", False, 0, [], {})
        attributes = _attributes(has)
        name = f"chat {has['model']}" if has.get("model") else "request"
        raw = raw_span(
            trace, own, "", name, start, end, attributes, error=str(error)[:2000] if failed else None
        )
        into.span(raw)
        for kind in _SIGNALS:
            if has.get(kind) is not None:
                about = ids.digest("plain", own, kind)[:32]
                comment = word(has.get("comment")) or ""
                into.verdict(
                    raw.trace_id,
                    kind,
                    has[kind],
                    end,
                    source="import",
                    id=about,
                    comment=comment,
                    by_user=True,
                )


def _attributes(has: dict[str, Any]) -> dict[str, Any]:
    is_call = any(
        has.get(name) is not None for name in ("model", "input_tokens", "output_tokens", "cost_usd")
    )
    found: dict[str, Any] = {
        a.KIND: "model" if is_call or isinstance(has.get("input"), list) else "request",
        a.DIALECT: "import",
        a.MODEL: word(has.get("model")),
        "gen_ai.system": word(has.get("provider")),
        a.INPUT_TOKENS: count(has.get("input_tokens")),
        a.OUTPUT_TOKENS: count(has.get("output_tokens")),
        a.COST: number(has.get("cost_usd")),
        a.TIME_TO_FIRST_CHUNK: ids.seconds(has.get("ttft_s")),
        a.TAGS: texts(has.get("tags")),
    }
    found |= {name: word(has.get(each)) for each, name in _WORDS.items()}
    if found[a.KIND] == "model":
        found[a.INPUT_MESSAGES] = answers.chat(has.get("input"), "user")
        found[a.OUTPUT_MESSAGES] = answers.chat(has.get("output"), "assistant")
    for name, each in ((a.INPUT, "input"), (a.OUTPUT, "output")):
        if found.get(a.INPUT_MESSAGES if each == "input" else a.OUTPUT_MESSAGES) is None:
            found[name] = has.get(each)
    return found


def at(record: Any, path: str) -> Any:
    """A field by its path, `answer.choices.0.text`; a name that has dots itself counts first."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    head, _dot, rest = path.partition(".")
    if isinstance(record, list) and head.lstrip("-").isdigit():
        place = int(head) if len(head) < 10 else len(record)
        found = record[place] if -len(record) <= place < len(record) else None
    else:
        found = record.get(head) if isinstance(record, Mapping) else None
    return at(found, rest) if rest and found is not None else found
