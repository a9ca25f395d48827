"""How long a retrieval takes until its first answer: cold, from disk, after an edit.

    python tests/benchmarks/retrieval_index.py [--documents 10000] [--method hybrid]

Each figure is of a process of its own, from the first import to the chunks of one query. Vectors are made
up here and cost nothing, so that what is measured is ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

WORDS_IN_DOCUMENT = 300
DIMENSION = 384


def documents(count: int, edited: bool) -> dict[str, str]:
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(20_000)]
    weights = [1 / (n + 1) for n in range(len(vocabulary))]
    found = {}
    for n in range(count):
        words = draw.choices(vocabulary, weights, k=WORDS_IN_DOCUMENT)
        paragraphs = [" ".join(words[at : at + 60]) + "." for at in range(0, len(words), 60)]
        found[f"docs/{n:05}.md"] = "\n\n".join(paragraphs)
    if edited:
        found["docs/00007.md"] += "\n\nOne more paragraph that nobody wrote before."
    return found


async def measured(arguments: argparse.Namespace) -> dict[str, float]:
    docs = documents(arguments.documents, arguments.edited)
    asked = 0

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        nonlocal asked
        asked += len(texts)
        draw = random.Random(len(texts))
        vector = [draw.random() for _ in range(DIMENSION)]
        return [[x + (hash(text) % 1000) / 1000 for x in vector] for text in texts]

    started = time.perf_counter()
    from llmops_tui.domain.canonical import text_digest
    from llmops_tui.domain.program import Retrieval
    from llmops_tui.retrieval import search

    corpus = {path: text_digest(text) for path, text in docs.items()}
    blobs = {corpus[path]: text for path, text in docs.items()}
    settings = Retrieval("docs", method=arguments.method, embedding="made/up", top_k=5)
    hashed = time.perf_counter()
    query = docs["docs/00042.md"][:60]
    await search(settings, corpus, blobs, query, embed, Path(arguments.folder), identity="made-up")
    first = time.perf_counter()
    again = 20
    for n in range(again):
        await search(
            settings, corpus, blobs, f"{query} {n}", embed, Path(arguments.folder), identity="made-up"
        )
    return {
        "first_s": first - hashed,
        "hashing_s": hashed - started,
        "next_ms": (time.perf_counter() - first) / again * 1000,
        "embedded": asked - again * (arguments.method != "bm25"),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--method", choices=["bm25", "embeddings", "hybrid"], default="hybrid")
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    parser.add_argument("--edited", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(asyncio.run(measured(arguments))))
        return
    print(f"{arguments.documents:,} documents of {WORDS_IN_DOCUMENT} words, {arguments.method}")
    with tempfile.TemporaryDirectory() as folder:
        for name, more in (("cold", []), ("warm", []), ("one edited", ["--edited"])):
            command = [sys.executable, __file__, f"--documents={arguments.documents}"]
            command += [f"--method={arguments.method}", f"--folder={folder}", *more]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            figures = json.loads(done.stdout)
            print(
                f"{name:>10}: first {figures['first_s']:6.2f} s, each further {figures['next_ms']:6.1f} ms, "
                f"{figures['embedded']:6,} embedded, {figures['memory_mb']:5.0f} MB of memory"
            )
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"   on disk: {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
