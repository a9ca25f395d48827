"""Where alerts go beside the screen: a command that gets JSON on its standard input, or a webhook.

What fails is a sentence and nothing more: alerts never take the collector with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.live.alert_event import AlertEvent, command_of
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import Channel
from llmops_tui.domain.safe_text import clean_line

#: A command or an endpoint has so long; an endpoint each time.
TIME_LIMIT_S = 10.0
ATTEMPTS = 3
#: Between two attempts, doubled each time.
WAIT_S = 1.0
#: How long a `Retry-After` is waited for at most.
LONGEST_WAIT_S = 10.0
#: Bytes of what a command says.
_KEPT = 1_000
_MARKS = {"fired": "🔴", "reminder": "🔴", "summary": "🔴", "cleared": "🟢", "ended": "⚪", "test": "🔵"}
_WORDS = {"reminder": "still firing", "cleared": "over", "summary": "many alerts"}


async def send(root: Path, channel: Channel, event: AlertEvent, *, wait_s: float = WAIT_S) -> str:
    """Tell a channel of an alert; why it can't be told, empty where it was.

    Args:
        root: the workspace: its `.env` has the keys, and commands run in it.
        wait_s: before a webhook is tried again.
    """
    from llmops_tui.workspace.live_settings import filled_channel

    try:
        channel = filled_channel(root, channel)
        body = json.dumps(payload(event, root.name), allow_nan=False).encode()
        if channel.command:
            return await _run(root, channel, body)
        return await _post(channel, body, wait_s)
    except LlmopsError as error:
        return str(error)
    except Exception as error:  # a channel is never a reason to stop
        return f"{channel.name}: {type(error).__name__}"


def payload(event: AlertEvent, workspace: str) -> dict[str, Any]:
    """What is sent: `text` is what Slack, Mattermost and Google Chat show, the rest is for programs."""
    asked = command_of(event.filter, event.order) if event.rule else ("llmops-tui", "alerts")
    command = [clean_line(word) for word in asked]
    sentence = clean_line(event.sentence)
    words = _WORDS.get(event.what, event.what)
    # The name of a regression's version, and of a scorer, come with the traffic.
    rule, metric = clean_line(event.rule), clean_line(event.metric)
    title = f"{_MARKS.get(event.what, '')} {event.severity}: {rule or 'alerts'} {words}".strip()
    return {
        "text": _for_chat(f"{title}\n{sentence}\n{shlex.join(command)}"),
        "state": event.what,
        "rule": rule,
        "severity": event.severity,
        "metric": metric,
        "sentence": sentence,
        "value": event.value,
        "limit": event.limit,
        "n": event.n,
        "at": event.at,
        "workspace": workspace,
        "requests": _of_filter(event.filter),
        "command": command,
    }


def _for_chat(text: str) -> str:
    """Names come from outside: none of them calls everybody (`<!channel>`, `@all`) or makes a link."""
    return text.replace("<", "‹").replace(">", "›").replace("@", "@\u2060")


def _of_filter(wanted: LiveFilter) -> dict[str, Any]:
    """What a filter says, without what it leaves open."""
    plain = LiveFilter()
    named: dict[str, Any] = msgspec.to_builtins(wanted)
    return {
        name: clean_line(value) if isinstance(value, str) else value
        for name, value in named.items()
        if value != getattr(plain, name)
    }


# -- a command


async def _run(root: Path, channel: Channel, body: bytes) -> str:
    """Run a command with the alert on its standard input; it goes with its children after the time limit."""
    told = bytearray()
    with _reading(told) as end:
        try:
            process = await asyncio.create_subprocess_exec(
                *channel.command,
                cwd=root,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=end,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return f"{channel.name}: the command {clean_line(channel.command[0])} can't be run: {why}"
        try:
            await asyncio.wait_for(process.communicate(body), TIME_LIMIT_S)
        except TimeoutError:
            return f"{channel.name}: the command took longer than {TIME_LIMIT_S:g} s and was ended"
        finally:
            # What it started, too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if not process.returncode:
        return ""
    said = clean_line(told.decode("utf-8", "replace"))[:200]
    return f"{channel.name}: the command ended with {process.returncode}" + (f": {said}" if said else "")


@contextlib.contextmanager
def _reading(into: bytearray) -> Iterator[int]:
    """The end of a pipe to write to; the beginning of what comes is kept, the rest is read and forgotten.

    No pipe of asyncio's: a child that is left behind would hold it open. No file: a flood would fill
    the disk.
    """
    mine, theirs = os.pipe()
    os.set_blocking(mine, False)

    def read() -> None:
        with contextlib.suppress(BlockingIOError):
            piece = os.read(mine, 1 << 16)
            into.extend(piece[: _KEPT - len(into)])
            if not piece:
                loop.remove_reader(mine)

    loop = asyncio.get_running_loop()
    loop.add_reader(mine, read)
    try:
        yield theirs
    finally:
        os.close(theirs)
        read()
        loop.remove_reader(mine)
        os.close(mine)


# -- a webhook


async def _post(channel: Channel, body: bytes, wait_s: float) -> str:
    """Post the alert; tried again where the endpoint may only be busy or away. Redirects are not followed:
    what is sent is meant for this place."""
    import aiohttp

    headers = {"Content-Type": "application/json", "User-Agent": "llmops-tui", **channel.headers}
    why = ""
    timeout = aiohttp.ClientTimeout(total=TIME_LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(min(max(wait_s * 2 ** (attempt - 1), 0.0), LONGEST_WAIT_S))
            try:
                async with session.post(
                    channel.url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    if 200 <= answer.status < 300:
                        return ""
                    why = f"the endpoint answered {answer.status}"
                    if answer.status < 500 and answer.status not in (408, 429):
                        break
                    if (asked := answer.headers.get("Retry-After", "")).isdecimal():
                        wait_s = max(wait_s, float(asked[:6]))
            except TimeoutError:
                why = f"the endpoint did not answer within {TIME_LIMIT_S:g} s"
            except aiohttp.InvalidURL:
                return f"{channel.name}: its URL can't be used"
            except aiohttp.ClientError as error:
                # Not its text: the URL is in it, and the URL is a key.
                why = f"the endpoint can't be reached ({type(error).__name__})"
    return f"{channel.name}: {why}"
