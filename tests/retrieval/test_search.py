"""Embeddings, both together, and what is kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import Counted, asearch, searched

from llmops_tui.retrieval import kept
from llmops_tui.retrieval.ranking import best, fused
from llmops_tui.retrieval.search import KEPT, forget
from llmops_tui.retrieval.vectors import BATCH

DOCS = {
    "docs/a.md": "You get money for a return.",
    "docs/b.md": "A parcel needs two days.",
    "docs/c.md": "We open on monday.",
    "docs/d.md": "Refund forms are in the office.",
}
BY_VECTORS = {"method": "embeddings", "embedding": "gateway/e"}
HYBRID = {"method": "hybrid", "embedding": "gateway/e"}


@pytest.fixture(autouse=True)
def nothing_in_memory() -> None:
    forget()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".llmops" / "index"


# -- ranking


def test_embeddings_find_what_shares_no_word_with_the_query() -> None:
    found = searched(DOCS, "refund", 2, embed=Counted(), **BY_VECTORS)
    assert [chunk.source for chunk in found] == ["docs/d.md", "docs/a.md"]
    assert found[0].score == pytest.approx(1.0, abs=1e-6)
    assert 0.9 < found[1].score < 1.0


def test_both_together_are_fused_by_their_ranks() -> None:
    found = searched(DOCS, "refund", 3, embed=Counted(), **HYBRID)
    # d is first by words and by vectors, a is second by vectors and not found by words.
    assert [chunk.source for chunk in found][:2] == ["docs/d.md", "docs/a.md"]
    assert found[0].score == pytest.approx(2 / 61, abs=1e-6)
    assert found[1].score == pytest.approx(1 / 62, abs=1e-6)
    found = searched(DOCS, "refund", 1, embed=Counted(), rank_constant=0, **HYBRID)
    assert found[0].score == 2.0


def test_the_fusion_of_a_worked_example() -> None:
    ranked = fused([[3, 1, 2], [1, 4]], 60, 9)
    assert ranked == [
        (1, pytest.approx(1 / 62 + 1 / 61)),
        (3, pytest.approx(1 / 61)),
        (4, pytest.approx(1 / 62)),
        (2, pytest.approx(1 / 63)),
    ]
    assert [place for place, _ in fused([[7, 5], [5, 7]], 60, 9)] == [5, 7]


@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, -0.5, 1.0]) | st.floats(-1, 1), max_size=30),
    st.integers(1, 12),
    st.none() | st.just(0.0),
)
def test_the_best_are_those_of_a_full_sort(scores: list[float], most: int, above: float | None) -> None:
    places = [n for n, score in enumerate(scores) if above is None or score > above]
    assert best(np.array(scores), most, above) == sorted(places, key=lambda n: (-scores[n], n))[:most]


def test_equally_near_chunks_come_by_path_and_place() -> None:
    docs = {"docs/z.md": "parcel ship parcel ship", "docs/a.md": "ship parcel"}
    found = searched(docs, "delivery", 9, embed=Counted(), chunk_words=2, **BY_VECTORS)
    assert [(chunk.source, chunk.position) for chunk in found] == [
        ("docs/a.md", 0),
        ("docs/z.md", 0),
        ("docs/z.md", 1),
    ]


@pytest.mark.parametrize("settings", [BY_VECTORS, HYBRID])
def test_equal_corpora_give_equal_results_from_disk_and_anew(settings: dict[str, str], folder: Path) -> None:
    more = {"embed": Counted(), "folder": folder, "identity": "m", **settings}
    first = searched(DOCS, "refund by parcel", 4, **more)
    forget()
    assert searched(dict(reversed(DOCS.items())), "refund by parcel", 4, **more) == first
    assert searched(DOCS, "refund by parcel", 4, embed=Counted(), **settings) == first


def test_an_empty_query_asks_nobody_and_finds_nothing() -> None:
    embed = Counted()
    assert searched(DOCS, " \n", 3, embed=embed, **HYBRID) == []
    assert searched({}, "refund", 3, embed=embed, **HYBRID) == []
    assert searched({"docs/a.md": " "}, "refund", 3, embed=embed, **HYBRID) == []
    assert embed.requests == []


# -- what is asked for, and kept


def test_each_text_is_embedded_once_however_many_ask_at_once() -> None:
    embed = Counted()

    async def all_at_once() -> None:
        queries = ["refund", "parcel", "refund"] * 20
        await asyncio.gather(*(asearch(DOCS, query, embed=embed, **HYBRID) for query in queries))

    asyncio.run(all_at_once())
    assert sorted(embed.texts) == sorted([*DOCS.values(), "refund", "parcel"])


def test_chunks_are_asked_for_in_batches_and_equal_ones_once() -> None:
    embed = Counted()
    docs = {f"docs/{n:03}.md": f"parcel {n % 150}" for n in range(300)}
    searched(docs, "refund", 3, embed=embed, **BY_VECTORS)
    assert sorted(map(len, embed.requests), reverse=True) == [BATCH, 150 - BATCH, 1]


def test_an_edit_embeds_only_the_chunks_that_changed(folder: Path) -> None:
    embed = Counted()
    more = {"embed": embed, "folder": folder, "identity": "m", **HYBRID, "chunk_words": 6}
    long = "One two three four five six.\n\nSeven eight nine ten eleven twelve."
    searched({**DOCS, "docs/long.md": long}, "refund", 3, **more)
    assert len(embed.texts) == len(DOCS) + 2 + 1
    forget()
    embed.requests.clear()
    searched({**DOCS, "docs/long.md": long}, "refund", 3, **more)
    assert embed.requests == []
    searched({**DOCS, "docs/long.md": long.replace("nine", "9")}, "refund", 3, **more)
    assert embed.texts == ["Seven eight 9 ten eleven twelve."]


def test_vectors_of_one_model_are_not_those_of_another(folder: Path) -> None:
    embed = Counted()
    searched(DOCS, "refund", 3, embed=embed, folder=folder, identity="m", **BY_VECTORS)
    forget()
    searched(DOCS, "refund", 3, embed=embed, folder=folder, identity="n", **BY_VECTORS)
    assert len(embed.texts) == 2 * (len(DOCS) + 1)
    assert len(list(folder.glob("vectors-*.records"))) == 2


def test_a_model_without_an_identity_leaves_nothing_on_disk(folder: Path) -> None:
    searched(DOCS, "refund", 3, embed=Counted(), folder=folder, **BY_VECTORS)
    assert not list(folder.glob("vectors-*"))


def test_models_that_were_not_used_for_long_make_room(folder: Path) -> None:
    for n in range(kept.MODELS + 3):
        forget()
        searched(DOCS, "refund", 3, embed=Counted(), folder=folder, identity=f"m{n}", **BY_VECTORS)
    assert len(list(folder.glob("vectors-*.records"))) == kept.MODELS


def test_an_index_on_disk_that_is_rubbish_is_made_anew(folder: Path) -> None:
    more = {"folder": folder, "identity": "m", **HYBRID}
    first = searched(DOCS, "refund", 3, embed=Counted(), **more)
    for file in folder.glob("*.records"):
        file.write_bytes(b"rubbish" * 100)
    forget()
    assert searched(DOCS, "refund", 3, embed=Counted(), **more) == first


def test_documents_are_cut_once_and_then_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts: list[str] = []
    real = kept.cut

    def counted(text: str, *cutting: object) -> kept.Document:
        cuts.append(text)
        return real(text, *cutting)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "cut", counted)
    first = searched(DOCS, "refund", 3, folder=folder)
    forget()
    assert searched(DOCS, "refund", 3, folder=folder) == first
    assert len(cuts) == len(DOCS)
    searched({**DOCS, "docs/a.md": "Other."}, "refund", 3, folder=folder)
    assert cuts[len(DOCS) :] == ["Other."]
    searched(DOCS, "refund", 3, folder=folder, chunk_words=5)
    assert len(cuts) == 2 * len(DOCS) + 1


def test_indexes_in_memory_are_few() -> None:
    embed = Counted()
    for words in range(50, 51 + KEPT):
        searched(DOCS, "refund", 3, embed=embed, chunk_words=words, **BY_VECTORS)
    asked = len(embed.texts)
    searched(DOCS, "refund", 3, embed=embed, chunk_words=50 + KEPT, **BY_VECTORS)
    assert len(embed.texts) == asked
    searched(DOCS, "refund", 3, embed=embed, chunk_words=50, **BY_VECTORS)
    assert len(embed.texts) > asked


# -- what goes wrong


def test_what_the_model_says_is_not_kept_from_whoever_asks_and_the_next_asks_again() -> None:
    class Down(Counted):
        async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
            await super().__call__(texts)
            if len(self.requests) == 1:
                raise ConnectionError("it is down")
            return [self.vector(text) for text in texts]

    embed = Down()
    with pytest.raises(ConnectionError, match="it is down"):
        searched(DOCS, "refund", 3, embed=embed, **HYBRID)
    assert searched(DOCS, "refund", 3, embed=embed, **HYBRID)


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (lambda texts: [[1.0]], "gave 1 vectors for 4 texts"),
        (
            lambda texts: [[1.0] * (n + 1) for n in range(len(texts))],
            "vectors of 1 and 2 and 3 and 4",
        ),
        (lambda texts: [[]] * len(texts), "vectors of 0 numbers"),
        (lambda texts: [[float("nan")]] * len(texts), "not finite"),
        (lambda texts: [[1.0] * len(texts)] * len(texts), "a vector of 1 numbers, and 4 before"),
    ],
)
def test_vectors_that_can_not_be_used_are_a_sentence(vectors, says: str) -> None:  # type: ignore[no-untyped-def]
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return vectors(texts)  # type: ignore[no-any-return]

    with pytest.raises(ValueError, match=says):
        searched(DOCS, "refund", 3, embed=embed, **HYBRID)


def test_without_a_model_that_embeds_the_remedy_is_said() -> None:
    with pytest.raises(ValueError, match=r"'hybrid' needs retrieval.embedding"):
        searched(DOCS, "refund", 3, method="hybrid")


def test_a_text_without_a_meaning_is_near_nothing() -> None:
    class Zero(Counted):
        @staticmethod
        def vector(text: str) -> list[float]:
            return [0.0, 0.0] if text == "We open on monday." else [1.0, 0.0]

    found = searched(DOCS, "refund", 9, embed=Zero(), **BY_VECTORS)
    assert [chunk.score for chunk in found] == [1.0, 1.0, 1.0, 0.0]


def test_a_job_that_is_cancelled_leaves_the_index_to_the_others() -> None:
    embed = Counted()

    async def main() -> list[str]:
        first = asyncio.create_task(asearch(DOCS, "refund", embed=embed, **HYBRID))
        second = asyncio.create_task(asearch(DOCS, "refund", embed=embed, **HYBRID))
        await embed.asked.wait()
        first.cancel()
        return [chunk.source for chunk in await second]

    assert asyncio.run(main())[0] == "docs/d.md"
    assert len(embed.texts) == len(DOCS) + 1
