"""The engine in a thread of its own, for the app: commands in, events out.

The thread has one event loop and owns the connection that writes. The UI thread never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Callable
from pathlib import Path

from llmops_tui.domain.errors import LlmopsError, StoreError
from llmops_tui.engine.engine import DATABASE, Engine
from llmops_tui.engine.events import (
    Event,
    Notice,
    RunRequest,
    Viewing,
    WorkRequest,
    WorkspaceBroken,
    WorkspaceLoaded,
)
from llmops_tui.engine.playground_events import PlaygroundRequest
from llmops_tui.engine.session_runs import SessionRuns
from llmops_tui.store import WorkspaceLock, kept_for_long

#: The first paint and what it is followed by come first.
WARM_UP_AFTER_S = 0.2
FOLLOW_EVERY_S = 0.5
REVIEWS_FILE = "reviews.yaml"


class Session(SessionRuns):
    """See `session_api.SessionApi`."""

    def __init__(self, root: Path, config: str | None = None) -> None:
        super().__init__(root, config)
        self._thread: threading.Thread | None = None
        self._lock: WorkspaceLock | None = None
        self._watching = True
        self._showing: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[None] | None = None

    # -- life

    def start(self, on_event: Callable[[Event], None]) -> None:
        self._emit = on_event
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.close_live()
        if self._loop is None or self._thread is None or self._stop is None:
            return
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=2.0)

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except LlmopsError as error:
            self._emit(WorkspaceBroken(error.problems))
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._lock = WorkspaceLock(self.root)
        why = self._only_views(self._lock)
        self._viewing = why is not None
        self._engine = Engine.open(self.root, read_only=self._viewing)
        self._ready.set()
        if why is not None:
            self._emit(Viewing(why))
        # The settings of the watch are in the files; what is saved from here on is seen.
        self._engine.load()
        watcher = asyncio.create_task(self._watch())
        follower = asyncio.create_task(self._follow()) if self._viewing else None
        await asyncio.sleep(0)
        self._load(opening=True)
        self._loop.call_later(WARM_UP_AFTER_S, self._warm_up)
        try:
            await self._stop.wait()
        finally:
            watcher.cancel()
            if follower is not None:
                follower.cancel()
            self._stop_asking()
            if self._run is not None:
                self._engine.cancel()
                await asyncio.wait([self._run], timeout=1.0)
            self._engine.close()
            self._lock.release()

    def _only_views(self, lock: WorkspaceLock) -> str | None:
        """What keeps this app from writing, as a clause; None where the workspace is ours."""
        try:
            owner = lock.acquire()
        except StoreError:
            if not (self.root / DATABASE).is_file():
                raise
            return "this folder can't be written"
        return None if owner is None else f"{owner} has this workspace open"

    def _warm_up(self) -> None:
        """Make ready what the next save will need: the reading libraries, the worker, the model."""
        engine = self._engine
        assert engine is not None
        if self._viewing or self._config is None or engine.workspace.watch.mode == "off":
            return
        from llmops_tui.workspace import warm_up

        warm_up()
        configuration = engine.workspace.configurations.get(self._config)
        if configuration is not None:
            with contextlib.suppress(LlmopsError):  # a missing key is said when something is asked
                engine.warm_up(configuration)
        # What is there now stays: the collector need not walk it at every save.
        gc.freeze()

    # -- files

    def _load(self, *, opening: bool = False) -> None:
        """Read the workspace and show it; evaluate what a save touched."""
        engine = self._engine
        assert engine is not None
        if not self._viewing and not (self.root / DATABASE).exists():
            engine = self._begin_anew(engine)
        with kept_for_long():
            workspace = engine.load(None if self._viewing else engine.launch_worker)
        try:
            configuration = engine.configuration(self._chosen())
        except LlmopsError as error:
            self._release()
            self._emit(WorkspaceBroken(error.problems))
            if not self._viewing and self._fetching is None:
                self._fetching = asyncio.create_task(self._fetch_weights())
            return
        self._config = configuration.name
        if self._viewing:
            self._emit(WorkspaceLoaded(workspace, self._config, None))
            self._compared()
            return
        version = engine.version(configuration)
        loaded = WorkspaceLoaded(workspace, self._config, version)
        runs = self._watching and workspace.watch.mode != "off"
        if opening or not runs:
            self._emit(loaded)
            self._compared()
        else:
            # Requests leave first; the screen hears of it with the start of the run.
            self._held.append(loaded)
        if not runs:
            return
        request = RunRequest(configuration.name, "manual" if opening else "save")
        self._start_run(request, ask_first=workspace.watch.mode == "ask", free_only=opening)

    def _begin_anew(self, engine: Engine) -> Engine:
        """The database was removed under us: what is written to it now would be lost."""
        assert self._lock is not None
        engine.close()
        self._lock.release()
        self._engine = Engine.open(self.root)
        self._only_views(self._lock)
        text = "The database (.llmops) was removed while the app was open; a new one was begun."
        self._emit(Notice("warning", text))
        return self._engine

    async def _follow(self) -> None:
        """While viewing: show what the app that has the workspace stores."""
        engine = self._engine
        assert engine is not None
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            if self._config is not None and engine.store.changed():
                self._compared()

    async def _fetch_weights(self) -> None:
        """A broken workspace may only lack weights that can be had: fetch them once, and load again."""
        engine = self._engine
        assert engine is not None
        loop = asyncio.get_running_loop()

        def tell(name: str, done: int, all_: int) -> None:
            share = f" {100 * done // all_}%" if all_ else ""
            text = f"Fetching {name} from the Hugging Face hub, once:{share} {done // 1_000_000} MB"
            loop.call_soon_threadsafe(self._emit, Notice("info", text, key="weights"))

        try:
            fetched = await engine.fetch_weights(tell)
        except LlmopsError as error:
            self._emit(Notice("error", str(error), key="weights"))
            return
        finally:
            self._fetching = None
        if fetched:
            self._emit(Notice("info", "", key="weights"))
            self._load(opening=True)

    def _chosen(self) -> str | None:
        """The configuration on screen; on opening, the one evaluated last, else the first."""
        assert self._engine is not None
        known = self._engine.workspace.configurations
        if self._config is not None:
            return self._config
        last = self._engine.store.runs.last_config()
        if last in known:
            return last
        default = self._engine.workspace.default
        return default if default in known else next(iter(known), None)

    async def _watch(self) -> None:
        from llmops_tui.workspace import trust, watch

        engine = self._engine
        assert engine is not None
        assert self._stop is not None
        debounce = engine.workspace.watch.debounce_ms
        said = False
        outside = []
        if not engine.workspace.code.trusted:
            # `llmops-tui trust` in another terminal is a change too.
            outside.append(trust.file())
            with contextlib.suppress(OSError):
                outside[0].parent.mkdir(parents=True, exist_ok=True)
        async for changed in watch(self.root, outside, debounce_ms=debounce, stop=self._stop):
            try:
                if changed == {REVIEWS_FILE}:
                    # Decided in another terminal, or pulled: nothing has to be asked, and nothing stops.
                    self._reviews_changed()
                else:
                    self._load()
            except LlmopsError as error:
                said = True
                self._emit(Notice("error", str(error), key="load"))
            else:
                if said:
                    self._emit(Notice("error", "", key="load"))
                said = False

    def _reviews_changed(self) -> None:
        if self._config is not None and self._decisions_changed():
            self._judge_soon()

    # -- commands

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def choose_config(self, name: str) -> None:
        def choose() -> None:
            self._config, self._pair, self._shown = name, (None, None), None
            self._load(opening=True)

        self._call(choose)

    def run(self, request: RunRequest | WorkRequest | PlaygroundRequest) -> None:
        if isinstance(request, RunRequest):
            self._call(lambda: self._start_run(request))
        elif isinstance(request, PlaygroundRequest):
            self._call(lambda: self._start_asking(request))
        else:
            self._call(lambda: self._start_work(request))

    def cancel(self) -> None:
        self._call(lambda: self._engine.cancel() if self._engine else None)

    def set_watching(self, on: bool) -> None:
        def set_() -> None:
            was, self._watching = self._watching, on
            if on and not was:
                self._load()

        self._call(set_)

    def choose_comparison(self, baseline: str | None, candidate: str | None) -> None:
        async def show() -> None:
            await self._rescore()
            self._compared()

        def choose() -> None:
            self._pair = (baseline, candidate)
            self._compared()
            self._showing = asyncio.create_task(show())

        self._call(choose)
