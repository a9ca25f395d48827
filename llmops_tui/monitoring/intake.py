"""What is done with live traffic between its arrival and the disk: priced, attributed, made anonymous.

Nothing that is to be left out is written anywhere first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.amounts import whole
from llmops_tui.domain.live.arrival import Arrived, Aside, Batch, LiveScore, Signal
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.model import Price, Usage, cost_usd, embedding_cost_usd
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.attribution import VersionIndex
from llmops_tui.monitoring.cutting import bounded
from llmops_tui.monitoring.redaction import Redaction
from llmops_tui.monitoring.user_ids import FEW, UserIds, ids_in, is_user_name

if TYPE_CHECKING:
    from llmops_tui.domain.schema import WorkspaceFile

#: What an id of a session is replaced by the hash of, where a pattern finds something in it.
_SESSIONS = (a.SESSION, a.CONVERSATION)
#: Attributes that no person wrote: they are what figures are made of.
_FIGURES = frozenset([a.INPUT_TOKENS, a.OUTPUT_TOKENS, a.CACHED_TOKENS, a.REASONING_TOKENS, a.COST])
_DEEPEST = 100

PriceOf = Callable[[str, str], Price | None]
Versions = Callable[[], VersionIndex]
Text = Callable[[str], str]


class Intake:
    """Prepares what comes in. Belongs to one thread.

    Args:
        prices: (provider, model) → price.
        versions: gives the newest index.
        secret: key of the user ids (`user_ids.user_key`).
        secrets: values that are never kept, such as keys of providers.

    Raises:
        UsageError: a pattern of the settings is no regular expression.
    """

    def __init__(
        self,
        settings: LiveSettings,
        prices: PriceOf,
        versions: Versions,
        secret: bytes,
        secrets: Iterable[str] = (),
    ) -> None:
        self._hash_users = settings.hash_users
        self._guards_sample = settings.guards_sample
        self._hides = bool(settings.hash_users or settings.redact)
        self._redaction = Redaction(settings.redact, secrets)
        self._users = UserIds(secret)
        self._prices = prices
        self._versions = versions
        self._is_plain = self._redaction.is_empty and not self._hash_users

    def prepare(self, batch: Batch) -> Batch:
        """The batch as it is kept. What it was made of is not changed."""
        self._redaction.begin()
        versions = self._versions()
        spans = [Arrived(each.trace_id, self._attributed(each.span, versions)) for each in batch.spans]
        if self._is_plain:
            spans = [Arrived(each.trace_id, bounded(each.span)) for each in spans]
            return Batch(spans, batch.signals, batch.scores, batch.aside, self._guards_sample)
        ids: dict[str, set[str]] = {each.trace_id: set() for each in batch.spans}
        if self._hash_users:
            self._find_users(batch, ids)
        texts = {trace: self._text(found) for trace, found in ids.items()}
        other = self._text(set())
        every = self._text({id_ for found in ids.values() for id_ in found})
        return Batch(
            [
                Arrived(each.trace_id, bounded(self._anonymous(each.span, texts.get(each.trace_id, other))))
                for each in spans
            ],
            [self._signal(each, texts.get(each.trace_id, other)) for each in batch.signals],
            [self._score(each, texts.get(each.trace_id, other)) for each in batch.scores],
            [Aside(*(every(text) for text in msgspec.structs.astuple(each))) for each in batch.aside],
            self._guards_sample,
        )

    __call__ = prepare

    # -- price and version

    def _attributed(self, span: Span, versions: VersionIndex) -> Span:
        more: dict[str, Any] = {}
        has = span.attributes
        if span.kind in ("model", "embedding") and has.get(a.COST) is None:
            cost = self._cost(span)
            if cost is not None:
                more[a.COST] = cost
        if versions.size:
            if has.get(a.VERSION) or has.get(a.VERSION_HASH):
                version = versions.named(has)
            else:
                version = versions.matched(has) if span.kind in ("model", "prompt") else None
            if version is not None:
                more |= {a.CONFIG: version.config, a.VERSION: version.name, a.VERSION_HASH: version.hash}
        return msgspec.structs.replace(span, attributes={**has, **more}) if more else span

    def _cost(self, span: Span) -> float | None:
        has = span.attributes
        given, made = has.get(a.INPUT_TOKENS), has.get(a.OUTPUT_TOKENS)
        if given is None and made is None:
            return None
        provider = has.get(a.PROVIDER)
        provider = provider if isinstance(provider, str) else ""
        names = (has.get(a.RESPONSE_MODEL), has.get(a.MODEL))
        found = (self._prices(provider, name) for name in names if isinstance(name, str) and name)
        price = next((each for each in found if each is not None), None)
        usage = Usage(whole(given), whole(made), whole(has.get(a.CACHED_TOKENS)))
        return cost_usd(usage, price) if span.kind == "model" else embedding_cost_usd(usage, price)

    # -- user ids and patterns

    def _find_users(self, batch: Batch, ids: dict[str, set[str]]) -> None:
        """Put into trace → ids of its users what may stand in any text of it."""
        for each in batch.spans:
            for id_ in ids_in(each.span.attributes):
                ids[each.trace_id].add(id_)
        for signal in batch.signals:
            if signal.user:
                ids.setdefault(signal.trace_id, set()).add(signal.user)

    def _text(self, ids: set[str]) -> Text:
        """What is done with each text. A trace repeats its texts: each is looked through once."""
        pattern = self._users.pattern(ids) if self._hash_users else None
        done: dict[str, str] = {}

        def text(value: str) -> str:
            made = done.get(value)
            if made is None:
                made = value
                if pattern is not None and (len(ids) > FEW or any(id_ in value for id_ in ids)):
                    made = pattern.sub(lambda match: self._users.hashed(match[0]), made)
                if self._hash_users:
                    made = self._users.in_json(made)
                made = done[value] = self._redaction.text(made)
            return made

        return text

    def _anonymous(self, span: Span, text: Text) -> Span:
        attributes = {
            name: value if name in _FIGURES else self._attribute(name, value, text)
            for name, value in self._named(span.attributes, text)
        }
        return msgspec.structs.replace(
            span, name=text(span.name), error=text(span.error), attributes=attributes
        )

    def _named(self, mapping: dict[Any, Any], text: Text) -> Iterable[tuple[str, Any]]:
        for name, value in mapping.items():
            name = str(name)
            # Most names are of the conventions; none of these has anything in it.
            yield (name if name in _CONVENTIONAL else text(name)), value

    def _attribute(self, name: str, value: Any, text: Text, depth: int = 0) -> Any:
        if isinstance(value, str):
            if is_user_name(name):
                return self._user(value)
            return self._session(value) if name in _SESSIONS else text(value)
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            if self._hash_users and is_user_name(name):
                return self._user(str(value))
            return self._redaction.number(value)
        if depth >= _DEEPEST:
            return text(str(value))
        if isinstance(value, dict):
            return {
                key: self._attribute(key, each, text, depth + 1) for key, each in self._named(value, text)
            }
        if isinstance(value, list | tuple):
            return [self._attribute(name, each, text, depth + 1) for each in value]
        return text(str(value))

    def _user(self, id_: str) -> str:
        """Hashed where that is wanted, or a pattern finds something in it: users are still told apart."""
        hide = self._hash_users or self._redaction.text(id_) != id_
        return self._users.hashed(id_) if hide else id_

    def _session(self, id_: str) -> str:
        return self._users.hashed(id_, "s") if self._redaction.text(id_) != id_ else id_

    # -- what else comes in

    def _id(self, id_: str) -> str:
        """A signal's id may be made of what is left out: who has it must not be able to test a guess."""
        return self._users.hashed(id_, "i") if self._hides else id_

    def _signal(self, signal: Signal, text: Text) -> Signal:
        return msgspec.structs.replace(
            signal,
            id=self._id(signal.id),
            session=self._session(signal.session),
            user=self._user(signal.user),
            feature=text(signal.feature),
            comment=text(signal.comment),
            edited=text(signal.edited),
        )

    def _score(self, score: LiveScore, text: Text) -> LiveScore:
        return msgspec.structs.replace(
            score, scorer=text(score.scorer), reason=text(score.reason), error=text(score.error)
        )


_CONVENTIONAL = frozenset(
    value for name, value in vars(a).items() if name.isupper() and isinstance(value, str)
) | {"role", "parts", "type", "content", "id", "name", "arguments", "response", "source", "position", "score"}


def intake_of(root: Path, settings: WorkspaceFile, live: LiveSettings, secrets: Iterable[str] = ()) -> Intake:
    """The intake of a workspace.

    Args:
        secrets: values that are never kept (`workspace` knows them).

    Raises:
        UsageError: a pattern of the settings is no regular expression.
        StoreError: the key of user ids can't be read or made.
    """
    from llmops_tui.monitoring.attribution import WorkspaceVersions
    from llmops_tui.monitoring.pricing import prices_of
    from llmops_tui.monitoring.user_ids import user_key

    versions = WorkspaceVersions(root / ".llmops" / "llmops.db")
    return Intake(live, prices_of(settings), versions, user_key(root), secrets)
