"""Embeddings as every client asks for them: batches, what an answer holds, and what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

import msgspec

from llmops_tui.domain.call import Failure
from llmops_tui.domain.model import Usage
from llmops_tui.providers.answer_parts import ErrorInAnswer, Malformed
from llmops_tui.providers.base import Embedded

#: Texts in one request.
BATCH = 96


class _One(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    data: list[_One] | None = None
    usage: _Usage | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


def read_embeddings(body: bytes, wanted: int, latency_s: float) -> Embedded:
    """The vectors in the body of an answer.

    Args:
        wanted: how many texts were sent.

    Raises:
        ErrorInAnswer: it is an error with the status of a success.
        Malformed: anything else.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"no list of vectors ({error})") from None
    if answer.data is None:
        if bytes(answer.error) != b"null":
            raise ErrorInAnswer(msgspec.json.decode(answer.error))
        raise Malformed("it has no 'data'")
    tokens = answer.usage.prompt_tokens if answer.usage is not None else None
    return embedded([(one.index, one.embedding) for one in answer.data], wanted, tokens, latency_s)


def embedded(
    found: Sequence[tuple[int | None, list[float]]], wanted: int, tokens: int | None, latency_s: float
) -> Embedded:
    """Vectors with their numbers as one answer, in order.

    Raises:
        Malformed: there are not as many as texts, or they differ in length.
    """
    numbers = [place if index is None else index for place, (index, _) in enumerate(found)]
    if sorted(numbers) != list(range(wanted)):
        raise Malformed(f"it has {len(found)} vectors for {wanted} texts")
    vectors: list[list[float]] = [[]] * wanted
    for number, (_, vector) in zip(numbers, found, strict=True):
        vectors[number] = vector
    lengths = {len(vector) for vector in vectors}
    if len(lengths) != 1 or 0 in lengths:
        raise Malformed(f"its vectors have {' and '.join(map(str, sorted(lengths)))} numbers")
    return Embedded(vectors, Usage(input_tokens=tokens), latency_s)


async def in_batches(texts: Sequence[str], ask: Callable[[list[str]], Awaitable[Embedded]]) -> Embedded:
    """The vectors of any number of texts, asked for in batches, one after another."""
    whole: Embedded | None = None
    for batch in _batches(texts):
        part = await ask(batch)
        whole = part if whole is None else _joined(whole, part)
    return whole if whole is not None else Embedded([], attempts=0)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), BATCH):
        yield list(texts[start : start + BATCH])


def _joined(one: Embedded, two: Embedded) -> Embedded:
    return Embedded(
        one.vectors + two.vectors,
        one.usage + two.usage,
        one.latency_s + two.latency_s,
        one.attempts + two.attempts,
        one.sent_at,
    )


def about_embedding(failure: Failure, model: str, *, local: bool = False) -> Failure:
    """A failure with the remedy that is right for texts that were to be embedded."""
    too_long = failure.kind == "context_length" or "too large to process" in failure.message
    if too_long:
        remedy = "make the chunks smaller: lower retrieval.chunk_words in the configuration"
        if local:
            remedy += f", or raise providers.{failure.provider}.context in llmops.yaml"
        return msgspec.structs.replace(failure, kind="context_length", remedy=remedy)
    if failure.kind == "refused_request":
        remedy = f"look whether '{model}' is a model for embeddings"
        return msgspec.structs.replace(
            failure, remedy=f"{failure.remedy}; {remedy}" if failure.remedy else remedy
        )
    return failure
