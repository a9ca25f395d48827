"""What users ask, found out after it was stored: the language of a request's input and its terms, for drift.

Of a sample, every few minutes, and never while a sender waits. Only terms that several requests share are
kept, as sums outlive the texts: a name that one user wrote is not among them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from llmops_tui.domain.words import words
from llmops_tui.monitoring import pausing
from llmops_tui.monitoring.pausing import Pause

EVERY_S = 600.0
#: Requests looked at each time.
SAMPLE = 200
#: Requests younger than that may still be incomplete.
LAG_S = 120.0
#: A term has to be in so many requests of a sample to be kept.
SHARED = 3
SHORTEST_TERM = 4
#: Values of one request.
MOST_TERMS = 12
OTHER = "(other)"
#: The language model takes 100 MB, so it runs in a process of its own that ends when it has answered.
PROCESS_S = 60.0


class TraitTask:
    """Looks for traits beside the collector.

    Args:
        root: the workspace.
        clock: Unix seconds. pause: waits so many of them, or until `stop` is set.
    """

    name = "traits"

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], float] = time.time,
        pause: Pause = pausing.pause,
    ) -> None:
        self._root = root
        self._clock = clock
        self._pause = pause

    async def run(self, stop: asyncio.Event) -> None:
        """Look every ten minutes until `stop` is set.

        Raises:
            StoreError: the database can't be had.
        """
        while not stop.is_set():
            await self.look()
            await self._pause(EVERY_S, stop)

    async def look(self) -> int:
        """Describe a sample of what is new; gives how many.

        Raises:
            StoreError: the database can't be had.
        """
        waiting, upto, known = await asyncio.to_thread(self._waiting)
        texts = [text for _id, text in waiting]
        if not texts:
            return 0
        told = await languages(texts)
        terms = terms_of(texts, known)
        found = [
            (id_, {"language": [language] if language else [], "terms": own})
            for (id_, _text), language, own in zip(waiting, told, terms, strict=True)
        ]
        return await asyncio.to_thread(self._describe, found, upto)

    def _waiting(self) -> tuple[list[tuple[int, str]], int, set[str]]:
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            waiting, upto = store.traits.waiting(self._clock() - LAG_S, SAMPLE)
            return waiting, upto, store.traits.known("terms")

    def _describe(self, found: list[tuple[int, dict[str, list[str]]]], upto: int) -> int:
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        with LiveStore.open(self._root / LIVE_DATABASE) as store:
            return store.traits.describe(found, upto)


def terms_of(texts: Sequence[str], known: Iterable[str] = ()) -> list[list[str]]:
    """The terms of each text: those that several of them share, or that are known; `OTHER` where it has none.

    Args:
        known: terms that were kept before.
    """
    own = [
        list(dict.fromkeys(w for w in words(text) if len(w) >= SHORTEST_TERM and w.isalpha()))
        for text in texts
    ]
    counted = Counter(word for each in own for word in each)
    kept = {word for word, n in counted.items() if n >= SHARED} | set(known)
    return [[word for word in each if word in kept][:MOST_TERMS] or [OTHER] for each in own]


async def languages(texts: Sequence[str]) -> list[str]:
    """The language of each text, ISO 639-1; `unsure` where it can't be told.

    Where the process that finds them can't be had, all are empty, and nothing is counted: drift is then not
    seen in languages, and nothing else is lost.
    """
    unknown = [""] * len(texts)
    process = await asyncio.create_subprocess_exec(
        # -P: what lies in the folder, a workspace that nobody has trusted, is no module of ours.
        *(sys.executable, "-P", "-m", "llmops_tui.monitoring.language_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        body = json.dumps(list(texts)).encode()
        said, _ = await asyncio.wait_for(process.communicate(body), PROCESS_S)
        told = json.loads(said)
    except (TimeoutError, ValueError, OSError):
        return unknown
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    fits = isinstance(told, list) and len(told) == len(texts) and all(isinstance(t, str) for t in told)
    return told if fits else unknown
