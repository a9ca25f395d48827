"""Reads a whole workspace: every file, every mistake, and what it all comes to."""

from __future__ import annotations

from llmops_tui.domain.configuration import Budget, Code, Configuration, Otlp, Watch, Workspace
from llmops_tui.domain.errors import Problem, WorkspaceError, did_you_mean
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.workspace.code import read_code
from llmops_tui.workspace.configurations import read_configuration
from llmops_tui.workspace.live_settings import live_of
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import CONFIGS, SETTINGS_FILE
from llmops_tui.workspace.settings import check_gate, gate_of, read_settings, setups_of
from llmops_tui.workspace.validation import read_document


def read_workspace(reader: Reader, *, only: str | None = None) -> Workspace:
    """Read everything below the reader's root.

    Args:
        only: name of the one configuration to read.

    Raises:
        WorkspaceError: the root is no folder.
    """
    if not reader.root.is_dir():
        raise WorkspaceError(Problem(f"there is no folder {reader.root}", "make one with: llmops-tui init"))
    settings = read_settings(reader)
    # A version that was read with half of the settings would be another version.
    settings_are_right = not reader.problems or all(p.warning for p in reader.problems)
    source = read_code(reader)
    configurations: dict[str, Configuration] = {}
    files = config_files(reader, only)
    if settings.default is not None and only is None and settings.default not in files:
        document = read_document(reader, SETTINGS_FILE)
        line = document.line(("default",)) if document is not None else None
        remedy = did_you_mean(settings.default, set(files))
        reader.fail(f"there is no configuration '{settings.default}'", remedy, SETTINGS_FILE, line)
    for name, path in files.items():
        configuration = read_configuration(reader, settings, source, name, path)
        if configuration is not None and settings_are_right:
            configurations[name] = configuration
    live = live_of(reader, settings, source, set(files) if only is None else None)
    if only is None and configurations and all(p.warning for p in reader.problems):
        check_gate(reader, settings, configurations.values())
    return Workspace(
        root=str(reader.root),
        configurations=configurations,
        problems=_sorted(reader.problems),
        setups=setups_of(settings),
        watch=Watch(settings.watch.mode, settings.watch.debounce_ms),
        budget=Budget(settings.budget.per_run_usd, settings.budget.per_day_usd),
        gate=gate_of(settings),
        code=Code(source.modules, settings.code.timeout_s),
        default=settings.default or "",
        otlp=_otlp(settings),
        live=live,
    )


def _otlp(settings: WorkspaceFile) -> Otlp | None:
    otlp = settings.tracing.otlp
    return None if otlp is None else Otlp(otlp.endpoint, otlp.headers, otlp.project, otlp.live)


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (p.file or "", p.line or 0)))


def config_files(reader: Reader, only: str | None) -> dict[str, str]:
    """Name → path of every configuration, by name."""
    found: dict[str, str] = {}
    for file in reader.listing(CONFIGS):
        stem, dot, suffix = file.rpartition(".")
        if not dot or suffix.lower() not in ("yaml", "yml"):
            continue
        path = f"{CONFIGS}/{file}"
        if stem in found:
            reader.fail(f"the configuration '{stem}' is there twice ({found[stem]})", "rename one", path)
            continue
        found[stem] = path
    if not found:
        reader.fail(
            "there is no configuration",
            "write one (prompt, models, evals) as configs/NAME.yaml, or make a workspace: llmops-tui init",
            f"{CONFIGS}/",
        )
    if only is None:
        return found
    if only not in found and found:
        reader.fail(f"there is no configuration '{only}'", did_you_mean(only, set(found)), f"{CONFIGS}/")
    return {only: found[only]} if only in found else {}
