"""The embedded model in a process of its own: `python -m llmops_tui.providers.model_server`.

Reads its settings as one JSON line from stdin, loads the model, prints one JSON line with the
address, and serves an OpenAI-compatible endpoint on loopback until stdin closes. So it ends when
its owner ends, however that ended.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import msgspec

from llmops_tui.providers.gguf import has_pooling


class Settings(msgspec.Struct, frozen=True):
    """What a server is started with.

    Attributes:
        path: GGUF file.
        slots: answers made at once; with more than one, answers depend on what else is asked.
        context: tokens for each slot.
        prompt_cache: reuse what an earlier request left in a slot: faster, not deterministic.
        embeddings: it embeds texts, and does not answer.
        api_key: random; without it nobody else on this machine can ask.
    """

    path: str
    slots: int = 1
    context: int = 2048
    prompt_cache: bool = False
    embeddings: bool = False
    api_key: str = ""


class Started(msgspec.Struct, frozen=True):
    """What it prints: where it listens and what runs the model, or why it does not."""

    address: str = ""
    runtime: str = ""
    error: str = ""


def main() -> None:
    owner = sys.stdin.buffer
    settings = msgspec.json.decode(owner.readline(), type=Settings)
    # Only ours may go to stdout; the runtime writes to both.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    watch = threading.Thread(target=_end_with, args=(owner,), daemon=True)
    watch.start()
    try:
        server, runtime = _serve(settings)
        started = Started(server.listening_address, runtime)
    except Exception as error:  # native code raises whatever it likes; the owner tells the person
        server, started = None, Started(error=f"{error}" or type(error).__name__)
    print(json.dumps(msgspec.to_builtins(started)), file=out, flush=True)
    if server is None:
        os._exit(1)
    watch.join()


def _end_with(owner: Any) -> None:
    while owner.read(4096):
        pass
    # Not sys.exit: the runtime's threads would have to agree.
    os._exit(0)


def _serve(settings: Settings) -> tuple[Any, str]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings.path
    params.n_parallel = settings.slots
    params.n_ctx = settings.context * settings.slots
    params.kv_unified = False
    params.ctx_shift = False
    params.cache_prompt = settings.prompt_cache
    params.cache_ram_mib = 0
    if settings.embeddings:
        params.embedding = True
        # A text is embedded as a whole: it has to fit into one batch.
        params.n_batch = params.n_ubatch = settings.context
        if not has_pooling(settings.path):
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.cache_idle_slots = False
    params.slot_prompt_similarity = 0.1 if settings.prompt_cache else 0.0
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = thread_count(cpus())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings.api_key]
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.endpoint_metrics = False
    params.server_tools = []
    params.verbosity = 1
    return xllamacpp.Server(params), f"xllamacpp {xllamacpp.__version__}"


def cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(processors: int) -> int:
    """Threads of the model: never all processors.

    llama.cpp's threads wait for each other by spinning after every operation. Where they have to
    share a processor with anything else (the app, an editor, a test run), one that is not running
    stalls all: on two busy processors, two threads were 5 to 12 times slower than one. From five
    processors on, half of them: the other half are mostly the same cores seen twice.
    """
    return max(1, processors - 1) if processors <= 4 else max(3, processors // 2)


if __name__ == "__main__":
    main()
