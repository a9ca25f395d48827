"""A retrieval as a span: its query, and the chunks that it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Retrieval
from llmops_tui.providers.base import CallFailed
from llmops_tui.worker.execution import Execution, JobFailed
from llmops_tui.worker.guarding import planted
from llmops_tui.worker.render import RenderError, render_text
from llmops_tui.worker.resources import Resources
from llmops_tui.worker.tracer import LiveSpan


async def retrieve(
    resources: Resources,
    execution: Execution,
    step: str,
    settings: Retrieval,
    corpus: dict[str, str],
    seen: dict[str, Any],
    parent: LiveSpan,
    known: Any = None,
) -> tuple[Chunk, ...]:
    """The best chunks, best first, after those that a case plants; none that a guardrail leaves out.

    Args:
        seen: variables of the query.
        known: chunks as a replay gives them; then nothing is searched.

    Raises:
        JobFailed: the query can't be rendered, or the texts can't be embedded.
        Ended: a guardrail ends the request.
    """
    with parent.span("retrieval", f"retrieval {settings.source}") as span:
        try:
            query = _query(settings, execution, seen)
        except RenderError as error:
            raise execution.failed(step, "retrieval", f"retrieval.query: {error}") from error
        span.attributes |= {
            a.DATA_SOURCE: settings.source,
            a.QUERY: query,
            a.TOP_K: settings.top_k,
            a.METHOD: settings.method,
        }
        if known is not None:
            chunks = msgspec.convert(known, tuple[Chunk, ...])
        else:
            chunks = await _search(resources, execution, step, settings, corpus, query, span)
            chunks = (*planted(execution, step, chunks), *chunks)
    if execution.guarding is not None:
        chunks = await execution.guarding.chunks(step, chunks, parent)
    execution.keep_chunks(step, span, chunks)
    return chunks


def _query(settings: Retrieval, execution: Execution, seen: dict[str, Any]) -> str:
    if settings.query:
        return render_text(settings.query, seen)
    # What a retrieval is about is what the case says, with what is new in this turn.
    names = (*execution.job.case.vars, *(n for n in seen if n not in execution.job.case.vars))
    texts = [seen[n] for n in names if n not in execution.results]
    return "\n".join(v for v in texts if isinstance(v, str))


async def _search(
    resources: Resources,
    execution: Execution,
    step: str,
    settings: Retrieval,
    corpus: dict[str, str],
    query: str,
    span: LiveSpan,
) -> tuple[Chunk, ...]:
    from llmops_tui.retrieval.search import search

    embed = None
    identity = ""
    if settings.embedding:
        model = execution.job.models[settings.embedding]
        embedder = resources.embedder(model)
        identity = embedder.identity

        async def embed(texts: Sequence[str]) -> list[list[float]]:
            with span.span("embedding", f"embeddings {model.name}") as embedding:
                embedding.attributes |= {a.MODEL: model.name, a.PROVIDER: model.provider}
                embedding.attributes[EMBEDDED] = len(texts)
                found = await embedder.ask(texts)
                cost = embedder.cost_of(found.usage)
                embedding.attributes[a.INPUT_TOKENS] = found.usage.input_tokens
                if cost is not None:
                    embedding.attributes[a.COST] = cost
                execution.spent(found.usage, cost)
                spent = m.Spent(execution.job.job, model.provider, model.id, found.usage, cost)
                resources.links.send(spent)
                return found.vectors

    try:
        return await search(
            *(settings, corpus, resources.blobs, query, embed, resources.index_folder), identity=identity
        )
    except CallFailed as failed:
        raise JobFailed(failed.failure) from failed
    except ValueError as error:
        raise execution.failed(step, "retrieval", str(error)) from error


#: How many texts were embedded.
EMBEDDED = "llmops.embedding.texts"
