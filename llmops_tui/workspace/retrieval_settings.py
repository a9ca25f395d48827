"""Retrieval as a configuration writes it: its settings, its documents, the model that embeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Retrieval
from llmops_tui.domain.schema import RetrievalSettings, WorkspaceFile
from llmops_tui.workspace.corpus import read_corpus
from llmops_tui.workspace.models import resolve_model
from llmops_tui.workspace.overlay import Lines
from llmops_tui.workspace.prompts import template_variables
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.yaml_document import Document

Loc = tuple[str | int, ...]
Read = tuple[Retrieval | None, dict[str, str], frozenset[str], Model | None]
#: Mistakes of cases that are said one by one.
SHOWN = 20
#: Of more documents than this, comparing the letters of their names would hold up the reading.
MOST_COMPARED = 1_000
#: For settings that the method does not read.
_READ_BY = {"embedding": ("embeddings", "hybrid"), "rank_constant": ("hybrid",)}


def read_retrieval(
    reader: Reader,
    settings: WorkspaceFile,
    wanted: RetrievalSettings | None,
    file: str,
    document: Document | Lines,
    at: Loc = ("retrieval",),
    models: Reader | None = None,
) -> Read:
    """(settings, path → text of the documents, variables that the query reads, the model that embeds).

    Mistakes are recorded; nothing is wanted: nothing, none, none, None.

    Args:
        file, at: where it is written: `("chain", 0, "retrieval")`.
        models: what resolves the model, where that is another reader.
    """
    if wanted is None:
        return None, {}, frozenset(), None

    def line(key: str) -> int | None:
        return document.line((*at, key))

    if wanted.overlap_words >= wanted.chunk_words:
        reader.fail(
            f"overlap_words must be less than chunk_words ({wanted.chunk_words})",
            "",
            file,
            line("overlap_words"),
        )
    _check_filters(reader, wanted, file, document, at)
    folder = reader.locate(wanted.source, file=file, line=line("source"), folder=True)
    documents = read_corpus(reader, folder, file, line("source")) if folder is not None else {}
    query = None
    if wanted.query:
        query = template_variables(reader, wanted.query, file, line("query") or 1)
    model = _embedding(reader, settings, wanted, file, line, models or reader)
    values = wanted.model_dump()
    for key, methods in _READ_BY.items():
        if wanted.method not in methods:  # what is not read makes no version
            del values[key]
    found = Retrieval(**{**values, "source": folder or wanted.source})
    return found, documents, query or frozenset(), model


def _embedding(
    reader: Reader,
    settings: WorkspaceFile,
    wanted: RetrievalSettings,
    file: str,
    line: Callable[[str], int | None],
    models: Reader,
) -> Model | None:
    if wanted.method == "bm25":
        if wanted.embedding:
            reader.warn(
                "retrieval.embedding is not read: method is 'bm25'",
                "set method to 'embeddings' or 'hybrid', or remove it",
                file,
                line("embedding"),
            )
        return None
    if not wanted.embedding:
        reader.fail(
            f"retrieval by '{wanted.method}' needs a model that embeds",
            "name it: 'embedding: provider/name', such as openai/text-embedding-3-small",
            file,
            line("method"),
        )
        return None
    return resolve_model(models, settings, wanted.embedding, file, line("embedding"))


def _check_filters(
    reader: Reader, wanted: RetrievalSettings, file: str, document: Document | Lines, at: Loc
) -> None:
    for name, value in wanted.filters.items():
        values = value if isinstance(value, list) else [value]
        plain = all(isinstance(each, str | int | float | bool) for each in values)
        if not values or not plain or (name == "path" and not all(isinstance(v, str) for v in values)):
            kind = "a glob, or a list of globs" if name == "path" else "a value, or a list of values"
            line = document.line((*at, "filters", name))
            example = "path: 'policies/*.md'" if name == "path" else f"{name}: [one, other]"
            reader.fail(f"the filter '{name}' must be {kind}", f"write {{{example}}}", file, line)


def check_sources(cases: Sequence[Case], documents: Collection[str]) -> list[Problem]:
    """Warnings about documents that a case expects and the corpus does not hold.

    Args:
        documents: paths; empty: there is no retrieval, and nothing is said.
    """
    problems: list[Problem] = []
    said: dict[str, str] = {}
    for case in cases if documents else ():
        for source in case.expected_sources:
            path = source.partition("#")[0]
            if path in documents:
                continue
            if path not in said:
                said[path] = _near(path, documents) if len(said) < SHOWN else ""
            message = f"case '{case.id}' expects '{path}', which is no document of the retrieval"
            problems.append(Problem(message, said[path], case.file, case.line, warning=True))
    if len(problems) > SHOWN:
        last = problems[SHOWN - 1]
        more = f"and {len(problems) - SHOWN} more expected documents like these"
        problems[SHOWN:] = [Problem(more, "", last.file, last.line, warning=True)]
    return problems


def _near(path: str, documents: Collection[str]) -> str:
    """What may have been meant: a document of that name, or of a few one that is written alike."""
    name = path.rpartition("/")[2]
    same = [known for known in documents if known.rpartition("/")[2] == name]
    if same:
        return f"did you mean '{min(same)}'?"
    if len(documents) > MOST_COMPARED:
        return "give its path in the workspace"
    return did_you_mean(path, set(documents))
