"""`reviews.yaml`: what people decided about changed cases. In git, so that CI and colleagues see it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.review import Decision
from llmops_tui.workspace.facts import content_hash, tool_version
from llmops_tui.workspace.places import write_atomically

if TYPE_CHECKING:
    from llmops_tui.workspace.yaml_document import Document

REVIEWS_FILE = "reviews.yaml"
MEMO = ".llmops/cache/reviews.msgpack"
LOCK = ".llmops/cache/reviews.lock"
HEADER = "# What was decided about changed answers. Written by reviewing; keep it in git.\n"
MEND = "mend the line, or take the file from git"
#: Times that a file which others write too is read again before that is called a mistake.
_TRIES = 20

_KEYS = ("case", "model", "decision", "baseline", "candidate", "note", "by", "at")


class _Kept(msgspec.Struct):
    """`reviews.yaml` as last read: it is looked at on every start."""

    mark: str
    decisions: tuple[Decision, ...]


def read(root: Path) -> tuple[Decision, ...]:
    """All decisions, in the order of the file; empty where there is no file.

    Raises:
        WorkspaceError: the file has a mistake.
    """
    data = _bytes(root)
    if data is None:
        return ()
    mark = f"{tool_version()} {content_hash(data)}"
    memo = root / MEMO
    try:
        kept = msgspec.msgpack.decode(memo.read_bytes(), type=_Kept)
        if kept.mark == mark:
            return kept.decisions
    except (OSError, msgspec.DecodeError):
        pass
    decisions = parse(_text(data))
    _remember(root, data, decisions)
    return decisions


def _remember(root: Path, data: bytes, decisions: tuple[Decision, ...]) -> None:
    """Keep what the file says, so that nobody has to parse it."""
    kept = _Kept(f"{tool_version()} {content_hash(data)}", decisions)
    with contextlib.suppress(OSError):
        write_atomically(root / MEMO, msgspec.msgpack.encode(kept))


def put(root: Path, decisions: Sequence[Decision]) -> None:
    """Add decisions; one on the same configuration, case, model and answers is replaced.

    Raises:
        WorkspaceError: the file has a mistake, or can't be written.
    """
    change(root, put=decisions)


def drop(root: Path, decisions: Sequence[Decision]) -> None:
    """Take decisions out, known by configuration, case, model and answers; absent ones are no mistake.

    Raises:
        WorkspaceError: the file has a mistake, or can't be written.
    """
    change(root, drop=decisions)


def change(root: Path, *, put: Sequence[Decision] = (), drop: Sequence[Decision] = ()) -> None:
    """Take some out, then add others, in one write; comments and other entries stay byte for byte.

    Raises:
        WorkspaceError: the file has a mistake, or can't be written.
    """
    from llmops_tui.workspace.review_text import edited

    path = root / REVIEWS_FILE
    try:
        with _alone(root):
            for _ in range(_TRIES):
                data = _bytes(root)
                text, decisions = edited(_text(data or b""), put, drop)
                new = text.encode()
                if (data or b"").startswith(b"\xef\xbb\xbf"):
                    new = b"\xef\xbb\xbf" + new
                if new == (data or b""):
                    return
                # An editor or a merge may have written meanwhile; it is not overwritten.
                if _bytes(root) == data:
                    write_atomically(path, new)
                    _remember(root, new, decisions)
                    return
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise WorkspaceError(Problem(message, "make the folder writable", REVIEWS_FILE)) from error
    raise WorkspaceError(Problem("is being written by something else", "try again", REVIEWS_FILE))


def identity(decision: Decision) -> tuple[Any, ...]:
    """What a decision is about; two of the same identity replace each other."""
    return (
        decision.config,
        decision.case_id,
        decision.model,
        tuple(sorted(decision.baseline)),
        tuple(sorted(decision.candidate)),
    )


@contextlib.contextmanager
def _alone(root: Path) -> Any:
    """Two processes that decide at once take turns. Where locking isn't had, the re-reading must do."""
    try:
        import fcntl

        lock = root / LOCK
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("wb")
    except (ImportError, OSError):
        yield
        return
    with file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bytes(root: Path) -> bytes | None:
    try:
        return (root / REVIEWS_FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = Problem(f"can't be read: {error.strerror or error}", "check its permissions", REVIEWS_FILE)
        raise WorkspaceError(problem) from error


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem("is not UTF-8 text", "save it as UTF-8", REVIEWS_FILE, line)
        raise WorkspaceError(problem) from None


# -- reading


def parse(text: str) -> tuple[Decision, ...]:
    """The decisions in a text.

    Raises:
        WorkspaceError: it has a mistake; all that are found are named, with their lines.
    """
    return parse_with_lines(text)[1]


def parse_with_lines(text: str) -> tuple[Document, tuple[Decision, ...]]:
    """The decisions in a text, and where they stand.

    Raises:
        WorkspaceError: as `parse`.
    """
    from llmops_tui.workspace.yaml_document import Document, YamlError

    for number, row in enumerate(text.splitlines(), 1):
        if row.startswith(("<<<<<<< ", ">>>>>>> ")):
            remedy = "keep the entries of both sides"
            raise WorkspaceError(Problem("holds a merge conflict", remedy, REVIEWS_FILE, number))
    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(REVIEWS_FILE)) from None
    value = document.value if document.value is not None else {}
    if not isinstance(value, dict):
        raise WorkspaceError(Problem("must be a mapping of configurations", MEND, REVIEWS_FILE, 1))
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for config, entries in value.items():
        if not isinstance(entries, (list, type(None))):
            message = f"the decisions on '{config}' must be a list"
            problems.append(Problem(message, MEND, REVIEWS_FILE, document.line((config,))))
            continue
        for n, raw in enumerate(entries or ()):
            try:
                decisions.append(_decision(config, raw))
            except _Mistake as mistake:
                line = document.line((config, n, mistake.key))
                problems.append(Problem(str(mistake), mistake.remedy or MEND, REVIEWS_FILE, line))
    if problems:
        raise WorkspaceError(*problems)
    return document, tuple(decisions)


class _Mistake(Exception):
    """What is wrong with an entry, and at which of its keys."""

    def __init__(self, message: str, key: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.remedy = remedy


def _decision(config: str, raw: Any) -> Decision:
    if not isinstance(raw, dict):
        raise _Mistake("a decision must be a mapping with 'case'")
    for key in raw:
        if key not in _KEYS:
            from llmops_tui.domain.errors import did_you_mean

            raise _Mistake(f"'{key}' is not known in a decision", key, did_you_mean(key, _KEYS))
    for key in ("case", "model"):
        if raw.get(key) in (None, ""):
            raise _Mistake(f"a decision has no '{key}'")
    choice = raw.get("decision")
    if choice not in (None, "accepted", "rejected"):
        remedy = "write accepted or rejected, or leave it out for a note alone"
        raise _Mistake(f"the decision '{choice}' is not known", "decision", remedy)
    return Decision(
        config=config,
        case_id=_word(raw, "case"),
        model=_word(raw, "model"),
        choice=choice,
        baseline=_answers(raw, "baseline"),
        candidate=_answers(raw, "candidate"),
        note=_word(raw, "note"),
        by=_word(raw, "by"),
        at=_word(raw, "at"),
    )


def _word(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    # A case that is called 12 needs no quotes; what is not written as it is read (1.0, true) does.
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    raise _Mistake(f"'{key}' must be text", key, "put it in quotes")


def _answers(raw: dict[str, Any], key: str) -> tuple[str, ...]:
    """First digits of hashes; a prefix of digits alone may stand there as a number."""
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or any(
        isinstance(v, bool) or not isinstance(v, (str, int)) for v in value
    ):
        raise _Mistake(f"'{key}' must be a list of answers, by the first digits of their hash", key)
    return tuple(sorted({str(v) for v in value}))
