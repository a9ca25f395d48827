"""Requests and the steps within them, as a program writes them down. Nothing in here raises."""

from __future__ import annotations

import contextlib
import os
import time

from llmops_tui.domain import semconv as a
from llmops_tui.log import completions, wrapping
from llmops_tui.log.bounded import HIDDEN, Bound, is_secret
from llmops_tui.log.context import CURRENT
from llmops_tui.log.faults import PROBLEMS, guarded
from llmops_tui.log.outbox import OUTBOX
from llmops_tui.log.signals import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType
    from typing import Any

#: Where nothing was given: None is a result too.
MISSING: Any = type("Missing", (), {"__repr__": lambda _self: "…"})()
#: What a request may be told about, and the attributes' names.
ABOUT = {
    "feature": a.FEATURE,
    "user": a.USER,
    "session": a.SESSION,
    "config": a.CONFIG,
    "version": a.VERSION,
    "environment": a.ENVIRONMENT,
    "tags": a.TAGS,
}
#: What a look of a guardrail may be told about, and the attributes' names.
LOOK = {
    "kind": a.GUARDRAIL_KIND,
    "stage": a.GUARDRAIL_STAGE,
    "score": a.GUARDRAIL_SCORE,
    "threshold": a.GUARDRAIL_THRESHOLD,
    "reason": a.GUARDRAIL_REASON,
    "failed": a.GUARDRAIL_FAILED,
    "pieces": a.GUARDRAIL_PIECES,
    "evidence": a.INPUT,
    "where": a.GUARDRAIL_WHERE,
}
_MESSAGE_SIZE = 400
#: A process that was forked off does not end what its parent began.
_process = [0]


def _forked() -> None:
    _process[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Span:
    """One request, or one step of it. Begins when it is made, ends with its `with` block.

    Attributes:
        attributes: names of `semconv` → JSON values of bounded size.
        start_ns, end_ns: Unix nanoseconds; the end is 0 while it goes on.
        failed, failure: what it failed with, a bounded text.
    """

    __slots__ = (
        "_bound",
        "_clock",
        "_input",
        "_open",
        "_output",
        "_process",
        "_root",
        "_token",
        "attributes",
        "end_ns",
        "failed",
        "failure",
        "id",
        "name",
        "parent_id",
        "start_ns",
        "trace_id",
    )

    def __init__(
        self,
        name: str,
        attributes: dict[str, Any],
        parent: Span | None,
        input_name: str = a.INPUT,
        output_name: str = a.OUTPUT,
    ) -> None:
        self.name = name if type(name) is str else "request"
        self.attributes = attributes
        self.id = os.urandom(8).hex()
        self.failed = False
        self.failure = ""
        self.end_ns = 0
        self._input, self._output = input_name, output_name
        self._bound = Bound()
        self._token: Token[Span | None] | None = None
        self._process = _process[0]
        self._open: dict[str, Span] = {}
        if parent is None:
            self._root = self
            self.trace_id, self.parent_id = os.urandom(16).hex(), ""
        else:
            self._root = parent._root
            self.trace_id, self.parent_id = parent.trace_id, parent.id
            self._root._open[self.id] = self
        self.start_ns = time.time_ns()
        self._clock = time.perf_counter_ns()

    def __repr__(self) -> str:
        return f"<{self.name} of trace {self.trace_id}>"

    # -- what it was about

    @guarded
    def input(self, value: Any) -> Span:
        """What went in."""
        return self._set(self._input, value)

    @guarded
    def output(self, value: Any) -> Span:
        """What came out: of a model a text, messages, or the provider's answer (tokens and model are taken
        from it); of a retrieval the documents; of a tool its result."""
        if self._output == a.OUTPUT_MESSAGES:
            found = completions.read(value)
            if found is not None:
                for name, each in found.items():
                    if each is not None:
                        self._set(name, each)
                return self
        if self._output == a.DOCUMENTS:
            value = [completions.document(each, n) for n, each in enumerate(value)]
        return self._set(self._output, value)

    @guarded
    def result(self, value: Any) -> Span:
        """What a function gave: its output, where it did not say one itself."""
        return self if self._output in self.attributes else self.output(value)

    @guarded
    def about(self, **words: Any) -> Span:
        """Of the request: `feature`, `user`, `session`, `config`, `version`, `environment`, `tags`; anything
        else is kept with it as metadata."""
        root = self._root
        if root.end_ns:
            return self
        more = dict(root.attributes.get(a.METADATA, ()))
        for word, value in words.items():
            if word == "tags":
                tags = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
                root._set(a.TAGS, [str(root._bound.of(tag))[:80] for tag in tags])
            elif word in ABOUT:
                said = root._bound.of(value)
                if said is not None and said != "":
                    root.attributes[ABOUT[word]] = str(said)
            else:
                more[word] = HIDDEN if is_secret(word) else root._bound.of(value)
        if more:
            root.attributes[a.METADATA] = more
        return self

    @guarded
    def usage(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> Span:
        """Of a call: what it took."""
        for name, value in (
            (a.INPUT_TOKENS, input_tokens),
            (a.OUTPUT_TOKENS, output_tokens),
            (a.COST, cost_usd),
        ):
            if value is not None:
                self._set(name, value)
        return self

    @guarded
    def set(self, name: str, value: Any) -> Span:
        """An attribute of any name."""
        return self._set(name, value)

    @guarded
    def first_token(self) -> Span:
        """The first piece of the answer is here; later ones change nothing."""
        if not self.end_ns and a.TIME_TO_FIRST_CHUNK not in self.attributes:
            self.attributes[a.TIME_TO_FIRST_CHUNK] = (time.perf_counter_ns() - self._clock) / 1e9
        return self

    def stream(self, chunks: Any) -> Any:
        """The same chunks, watched: time to the first, and what they say put together. Sync or async."""
        try:
            return wrapping.watched(self, chunks)
        except Exception as error:
            PROBLEMS.fault(error)
            return chunks

    @guarded
    def error(self, error: BaseException | str) -> Span:
        """It failed, though the program goes on."""
        self._fail(error)
        return self

    @guarded
    def signal(self, kind: str, value: float | None = None, **more: str) -> None:
        """What the user did with this answer: see `log.signal`."""
        signal(kind, value, trace=self.trace_id, **more)

    # -- steps of it

    @guarded
    def step(self, name: str) -> Span:
        return Span(name, {a.KIND: "step", a.STEP: name}, self._parent())

    @guarded
    def model(
        self,
        model: str = "",
        messages: Any = MISSING,
        output: Any = MISSING,
        *,
        provider: str = "",
        latency_s: float | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
        **params: Any,
    ) -> Span:
        """A call of a model: to go around it with `with`, or with its `output` once it is done."""
        attributes: dict[str, Any] = {a.KIND: "model", a.OPERATION: "chat", a.MODEL: model}
        if provider:
            attributes[a.PROVIDER] = provider
        made = Span(f"chat {model}", attributes, self._parent(), a.INPUT_MESSAGES, a.OUTPUT_MESSAGES)
        for name, value in params.items():
            made._set(f"{a.REQUEST}{name}", value)
        made.usage(input_tokens, output_tokens, cost_usd)
        return made._given(messages, output, latency_s)

    @guarded
    def embedding(self, model: str = "", texts: Any = MISSING, *, input_tokens: int | None = None) -> Span:
        made = Span(
            f"embeddings {model}",
            {a.KIND: "embedding", a.OPERATION: "embeddings", a.MODEL: model},
            self._parent(),
        )
        made.usage(input_tokens)
        return made._given(texts, MISSING, None)

    @guarded
    def retrieval(
        self,
        query: Any = MISSING,
        documents: Any = MISSING,
        *,
        source: str = "",
        latency_s: float | None = None,
    ) -> Span:
        """A look into a store of documents: texts, or mappings with `id`, `content`, `score`, `source`."""
        attributes = {a.KIND: "retrieval", a.OPERATION: "retrieval"}
        if source:
            attributes[a.DATA_SOURCE] = source
        name = f"retrieval {source}".strip()
        return Span(name, attributes, self._parent(), a.QUERY, a.DOCUMENTS)._given(
            query, documents, latency_s
        )

    @guarded
    def tool(
        self, name: str, arguments: Any = MISSING, result: Any = MISSING, *, latency_s: float | None = None
    ) -> Span:
        attributes = {a.KIND: "tool", a.OPERATION: "execute_tool", a.TOOL_NAME: name}
        made = Span(f"execute_tool {name}", attributes, self._parent(), a.TOOL_ARGUMENTS, a.TOOL_RESULT)
        return made._given(arguments, result, latency_s)

    @guarded
    def guardrail(self, name: str, triggered: bool | None = None, action: str = "flag") -> Span:
        """A check that looked at what went in or came out; `action` is `block`, `redact`, `flag` or
        `fallback`. Without `triggered` it goes on until it ends, and `look` says what came of it."""
        made = Span(name, {a.KIND: "guardrail", a.GUARDRAIL: name}, self._parent())
        return made if triggered is None else made.look(triggered, action if triggered else "").end()

    @guarded
    def look(self, triggered: bool, action: str = "", **more: Any) -> Span:
        """Of a guardrail: what came of it, with the words of `LOOK`."""
        self._set(a.TRIGGERED, bool(triggered))
        if action:
            self._set(a.ACTION, action)
        for word, value in more.items():
            if value is not None and value != "":
                self._set(LOOK[word], value)
        return self

    @guarded
    def made_with(self, config: str, version_hash: str) -> Span:
        """Of the request: the version that was loaded, unless the program says one itself."""
        has = self._root.attributes
        told = a.VERSION in has or a.VERSION_HASH in has or has.get(a.CONFIG, config) != config
        if not told and not self._root.end_ns:
            has |= {a.CONFIG: config, a.VERSION_HASH: version_hash}
        return self

    # -- its end

    @guarded
    def end(self) -> Span:
        """Once; later calls change nothing. What is still open within a request ends with it."""
        if self.end_ns or self._process != _process[0]:
            return self
        self.end_ns = self.start_ns + max(time.perf_counter_ns() - self._clock, 0)
        if self._root is self:
            for inner in list(self._open.values()):
                inner.end()
        else:
            self._root._open.pop(self.id, None)
        OUTBOX.put(self, self._bound.used + 400)
        return self

    def __enter__(self) -> Span:
        try:
            self._token = CURRENT.set(self)
        except Exception as error:
            PROBLEMS.fault(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            self.leave()
            if error is not None and not isinstance(error, GeneratorExit):
                self._fail(error)
            self.end()
        except Exception as fault:
            PROBLEMS.fault(fault)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def enter(self) -> None:
        """Be the span that others are made in, from here; `leave` undoes it."""
        self._token = CURRENT.set(self)

    def leave(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            with contextlib.suppress(ValueError):  # another context's variable is not ours to set back
                CURRENT.reset(token)

    # -- inside

    def _parent(self) -> Span:
        """The innermost open step of the same request; in a thread that knows of none, this."""
        inner = CURRENT.get()
        return inner if inner is not None and inner._root is self._root and not inner.end_ns else self

    def _set(self, name: str, value: Any) -> Span:
        if not self.end_ns:  # what has ended may be on its way
            self.attributes[name] = self._bound.of(value)
        return self

    def _given(self, input_: Any, output: Any, latency_s: float | None) -> Span:
        """Takes what is known at once; with an output it is over, and took as long as was said."""
        if input_ is not MISSING:
            self.input(input_)
        if output is not MISSING:
            self.output(output)
            if latency_s is not None:
                self.start_ns -= int(latency_s * 1e9)
                self._clock -= int(latency_s * 1e9)
            self.end()
        return self

    def _fail(self, error: BaseException | str) -> None:
        if self.end_ns:
            return
        self.failed = True
        if isinstance(error, str):
            self.failure = error[:_MESSAGE_SIZE]
            return
        kind = type(error)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        self.attributes[a.ERROR_TYPE] = f"{module}{kind.__qualname__}"
        try:
            self.failure = str(error)[:_MESSAGE_SIZE]
        except Exception as fault:  # its `__str__` is the program's
            PROBLEMS.fault(fault)
