"""`live`, `channels` and `alerts` of `llmops.yaml`, resolved; mistakes with their lines."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection
from pathlib import Path

import msgspec

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.errors import Problem, WorkspaceError, did_you_mean
from llmops_tui.domain.live.duration import duration_s
from llmops_tui.domain.live.settings import (
    DEFAULT_RULES,
    REDACTED,
    AlertRule,
    Canary,
    Channel,
    LiveSettings,
    Sampling,
)
from llmops_tui.domain.live_schema import ChannelEntry
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.workspace.alert_rules import read_rule
from llmops_tui.workspace.code import Source
from llmops_tui.workspace.judges import with_judges
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import SETTINGS_FILE
from llmops_tui.workspace.scorer_uses import ScorerCatalogue, ScorerMistake
from llmops_tui.workspace.validation import Loc, read_document
from llmops_tui.workspace.yaml_document import Document

#: A canary more often than that would be a bill.
LEAST_CANARY_S = 600.0
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IS_SECRET = re.compile("auth|key|token|secret|password", re.IGNORECASE)
_IS_NAME = re.compile(r"[a-z_]+")


def live_of(
    reader: Reader, settings: WorkspaceFile, source: Source, configs: Collection[str] | None
) -> LiveSettings:
    """How live traffic is taken in and watched; mistakes are recorded.

    Args:
        source: the workspace's Python, for its scorers.
        configs: names of configurations; None: not known here, so none is missed.
    """
    written = settings.model_fields_set & {"live", "channels", "alerts"}
    # Parsed again for the lines: only where there is something to say it of.
    document = read_document(reader, SETTINGS_FILE) if written else None
    if document is None:
        return LiveSettings(rules=DEFAULT_RULES)
    return _Reading(reader, settings, document, configs).all(source)


class _Reading:
    """One reading of the settings; it knows the lines."""

    def __init__(
        self, reader: Reader, settings: WorkspaceFile, document: Document, configs: Collection[str] | None
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._document = document
        self._configs = configs

    def fail(self, message: str, remedy: str, loc: Loc) -> None:
        self._reader.fail(message, remedy, SETTINGS_FILE, self._document.line(loc))

    def warn(self, message: str, remedy: str, loc: Loc) -> None:
        self._reader.warn(message, remedy, SETTINGS_FILE, self._document.line(loc))

    def all(self, source: Source) -> LiveSettings:
        live = self._settings.live
        if live.token is not None:
            self._check_secret(live.token, "token", "LLMOPS_TUI_TOKEN", ("live", "token"))
        for n, pattern in enumerate(live.redact):
            self._check_pattern(pattern, ("live", "redact", n))
        channels = [
            made
            for name, entry in self._settings.channels.items()
            if (made := self._channel(name, entry)) is not None
        ]
        return LiveSettings(
            live.port,
            live.token or "",
            live.keep_days,
            live.max_mb,
            live.hash_users,
            tuple(live.redact),
            self._sampling(source),
            self._canary(),
            self._rules(),
            tuple(channels),
            live.guards_sample,
        )

    def _check_secret(self, text: str, what: str, name: str, loc: Loc) -> None:
        if "${" not in text:
            self.warn(
                "a key is written out in a file that is in git",
                f"write {what}: ${{{name}}} and put {name}=… into .env",
                loc,
            )

    def _check_pattern(self, pattern: str, loc: Loc) -> None:
        if pattern in REDACTED:
            return
        if _IS_NAME.fullmatch(pattern) and did_you_mean(pattern, set(REDACTED)).startswith("did you mean"):
            self.warn(
                f"'{pattern}' is taken for a regular expression: no built-in pattern has this name",
                did_you_mean(pattern, set(REDACTED)),
                loc,
            )
        import regex

        try:
            empty = regex.compile(pattern).match("") is not None
        except regex.error as error:
            self.fail(f"'{pattern}' is not a regular expression: {error}", "mend it", loc)
            return
        if empty:
            self.fail(
                f"'{pattern}' matches nothing at all, and so everywhere", "make it match something", loc
            )

    # -- sampling and the canary

    def _sampling(self, source: Source) -> Sampling:
        sample = self._settings.live.sample
        loc: Loc = ("live", "sample")
        scorers = self._scorers(source, loc)
        if (sample.rate or any(sample.features.values())) and not sample.scorers:
            self.warn(
                "requests are sampled, and no scorer judges them",
                "add scorers: [{refusal: false}] below sample",
                loc,
            )
        return Sampling(
            sample.rate,
            dict(sample.features),
            sample.always,
            sample.per_day_usd,
            sample.per_minute,
            scorers,
        )

    def _scorers(self, source: Source, loc: Loc) -> tuple[ScorerUse, ...]:
        entries = self._settings.live.sample.scorers
        if not entries:
            return ()
        catalogue = ScorerCatalogue(source, source.revision({}))
        uses: list[ScorerUse] = []
        for n, entry in enumerate(entries):
            here = (*loc, "scorers", n)
            try:
                found = catalogue.resolve(entry)
            except ScorerMistake as mistake:
                self.fail(mistake.message, mistake.remedy, here)
                continue
            if found.needs_expected:
                self.fail(
                    f"{found.use.name} needs 'expected', which a live request does not have",
                    "give it a value of its own, or use another scorer",
                    here,
                )
                continue
            uses.append(_labelled(found.use, uses))
        line = self._document.line((*loc, "scorers"))
        case = Case(id="live", vars={}, scorers=tuple(uses), file=SETTINGS_FILE, line=line)
        (judged,), _key = with_judges(self._reader, self._settings, (case,), None)
        return judged.scorers

    def _canary(self) -> Canary | None:
        canary = self._settings.live.canary
        if canary is None:
            return None
        if self._configs is not None and canary.config not in self._configs:
            self.fail(
                f"there is no configuration '{canary.config}'",
                did_you_mean(canary.config, set(self._configs)),
                ("live", "canary", "config"),
            )
        every_s = duration_s(canary.every)
        if every_s is None or every_s < LEAST_CANARY_S:
            self.fail(
                f"'{canary.every}' is not how often a canary can run",
                "write 6h or 1d; every 10m at most",
                ("live", "canary", "every"),
            )
            return None
        return Canary(canary.config, every_s)

    # -- channels and rules

    def _channel(self, name: str, entry: ChannelEntry) -> Channel | None:
        loc: Loc = ("channels", name)
        if (entry.command is None) == (entry.webhook is None):
            self.fail(
                f"the channel '{name}' needs exactly one of command and webhook",
                "write {command: [notify-send, llmops]} or {webhook: ${CHAT_WEBHOOK}}",
                loc,
            )
            return None
        if entry.command is not None:
            return self._command(name, entry.command, loc)
        assert entry.webhook is not None
        url = entry.webhook
        if "${" not in url:
            if not url.startswith(("http://", "https://")):
                # Not shown: whoever has the URL may write to the chat.
                self.fail(
                    f"the webhook of the channel '{name}' is not a URL",
                    "write ${CHAT_WEBHOOK} and put CHAT_WEBHOOK=https://… into .env",
                    (*loc, "webhook"),
                )
                return None
            if not _is_here(url):
                self._check_secret(url, "webhook", f"{_upper(name)}_WEBHOOK", (*loc, "webhook"))
        for header, value in entry.headers.items():
            if _IS_SECRET.search(header):
                self._check_secret(value, header, f"{_upper(name)}_KEY", (*loc, "headers", header))
        return Channel(name, url=url, headers=dict(entry.headers))

    def _command(self, name: str, command: str | list[str], loc: Loc) -> Channel | None:
        try:
            words = shlex.split(command) if isinstance(command, str) else command
        except ValueError as error:
            self.fail(f"the command of the channel '{name}' can't be read: {error}", "check its quotes", loc)
            return None
        if not words or any("\0" in word for word in words):
            self.fail(f"the command of the channel '{name}' names no program", "write its words", loc)
            return None
        return Channel(name, tuple(words))

    def _rules(self) -> tuple[AlertRule, ...]:
        entries = self._settings.alerts
        if entries is None:
            return DEFAULT_RULES
        rules: dict[str, AlertRule] = {}
        for n, entry in enumerate(entries):
            if entry.name in rules:
                self.fail(
                    f"there are two alerts named '{entry.name}'",
                    "give one another name",
                    ("alerts", n, "name"),
                )
                continue
            rule = read_rule(self, entry, ("alerts", n), set(self._settings.channels))
            if rule is not None:
                rules[entry.name] = rule
                self._check_versions(rule, ("alerts", n, "reference"))
        return tuple(rules.values())

    def _check_versions(self, rule: AlertRule, loc: Loc) -> None:
        """Versions are those of one configuration: `v3` of one says nothing of `v2` of another."""
        configs = sorted(self._configs or ())
        if len(configs) > 1 and rule.is_change and rule.reference == "version" and not rule.config:
            self.warn(
                f"'{rule.name}' compares versions of all {len(configs)} configurations with each other",
                f"write a rule for each of them, with config: {configs[0]}",
                loc,
            )


def _labelled(use: ScorerUse, before: list[ScorerUse]) -> ScorerUse:
    """The use under a label that none before it has: `contains#2`."""
    label = use.label or use.name
    taken = {other.label for other in before}
    shown, n = label, 1
    while shown in taken:
        n += 1
        shown = f"{label}#{n}"
    return msgspec.structs.replace(use, label=shown)


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def _is_here(url: str) -> bool:
    return re.match(r"https?://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", url) is not None


def unset_in(root: Path, channel: Channel) -> tuple[str, ...]:
    """Variables that a channel needs and that are neither in the environment nor in `.env`."""
    from llmops_tui.workspace.connection import read_env_file

    names = _variables_of(channel)
    variables = {**(read_env_file(root)[0] if names else {}), **os.environ}
    return tuple(name for name in names if not variables.get(name))


def _variables_of(channel: Channel) -> tuple[str, ...]:
    texts = (channel.url, *channel.headers.values())
    return tuple(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def filled_channel(root: Path, channel: Channel) -> Channel:
    """A channel with variables filled in from the environment and `.env`.

    Raises:
        WorkspaceError: a variable is not set.
    """
    from llmops_tui.workspace.connection import ENV_FILE, read_env_file

    if not _variables_of(channel):
        return channel
    own, torn = read_env_file(root)
    variables = {**own, **os.environ}
    absent = [
        Problem(
            f"the channel '{channel.name}' needs the variable {name}, which is not set",
            f"set it in the environment, or write {name}=… into {ENV_FILE}",
            SETTINGS_FILE,
        )
        for name in unset_in(root, channel)
    ]
    if absent:
        raise WorkspaceError(*absent, *torn)

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda found: variables[found.group(1)], text)

    return Channel(
        channel.name,
        channel.command,
        filled(channel.url),
        {name: filled(value) for name, value in channel.headers.items()},
    )
