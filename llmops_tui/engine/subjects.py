"""What can be evaluated besides what is on disk: a recorded version, or one made of parts of others.

A subject is a `Configuration`: the cases are those on disk, the version is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.domain.manifest import Manifest, Part, make_manifest, make_part
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import FunctionStep, ToolStep, program_of, prompt_blob, stand_in
from llmops_tui.domain.run import VersionInfo
from llmops_tui.store import Store


class Subject(msgspec.Struct, frozen=True):
    """A configuration to evaluate, and what had to be adapted to this machine, as sentences."""

    configuration: Configuration
    adapted: tuple[str, ...] = ()


def of_version(store: Store, root: Path, on_disk: Configuration, version: VersionInfo) -> Subject:
    """A recorded version over the cases on disk.

    A model whose pin is not to be had here (another build of the runtime, another endpoint) is taken
    as it is here, and that is said: both sides of a comparison then run on the same thing.

    Raises:
        UsageError: texts of its corpus are neither in the database, nor on disk, nor in git.
        WorkspaceError: one of its models can't be had here.
    """
    manifest = store.versions.manifest(version.id)
    if manifest.hash == on_disk.manifest.hash:
        return Subject(on_disk)
    texts = {**store.versions.texts(version.id), **on_disk.blobs}
    texts |= _from_git(root, manifest, texts)
    _check_code(store, root, on_disk, manifest, version)
    models = here(root, on_disk, manifest)
    own = here(root, on_disk, manifest, "own_models")
    adapted = []
    parts = []
    for part in manifest.parts:
        model = {"models": models, "own_models": own}.get(part.kind, {}).get(part.name)
        now = make_part(part.kind, model.id, model.identity()) if model is not None else part
        if now.hash != part.hash:
            adapted.append(_differs(version.name, part, now))
        parts.append(now)
    if adapted:
        manifest = make_manifest(parts)
    return Subject(
        of_manifest(
            *(on_disk, manifest, tuple(models.values()), texts, version.name),
            own=tuple(own.values()),
        ),
        tuple(adapted),
    )


def _check_code(
    store: Store, root: Path, on_disk: Configuration, manifest: Manifest, version: VersionInfo
) -> None:
    """A version's code must be what somebody here has seen, and find the files that it found then.

    Raises:
        UsageError: it came in a bundle and is nowhere else; or a file that it reads is another one now.
    """
    part = manifest.part("code")
    code: dict[str, str] = part.value if part is not None else {}
    if code and store.versions.came_in_bundle(version.id):
        from llmops_tui.workspace import git_texts

        unseen = {path: hash_ for path, hash_ in code.items() if hash_ not in on_disk.blobs}
        found = git_texts.find(root, unseen)
        foreign = sorted(path for path, hash_ in unseen.items() if hash_ not in found)
        if foreign:
            raise UsageError(
                Problem(
                    f"{foreign[0]} of {version.name} came in a bundle, is neither on disk nor in git, and so "
                    "is not run",
                    "look at it, and get it from where the bundle was made",
                )
            )
    program = program_of(manifest)
    runs_here = any(isinstance(step.does, FunctionStep | ToolStep) for step in program.steps)
    runs_here = runs_here or any(use.is_function for use in program.guardrails)
    if not runs_here and not manifest.of_kind("tools"):
        return  # a command is given copies of the files of its version
    for path, hash_ in sorted(code.items()):
        if not path.endswith(".py") and _on_disk(root / path) != hash_:
            raise UsageError(
                Problem(
                    f"{version.name} reads {path}, which is another one now, so it can't be asked as it was",
                    f"put {path} back as it was, or promote a version that reads the one of now",
                )
            )


def _on_disk(path: Path) -> str:
    """Hash of a file's text, or of what stands for it; empty where it can't be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return ""
    try:
        return text_digest(data.decode())
    except UnicodeDecodeError:
        return text_digest(stand_in(data))


def _from_git(root: Path, manifest: Manifest, texts: Mapping[str, str]) -> dict[str, str]:
    """Documents and modules that neither database nor disk has: a colleague's baseline, in a clone."""
    named = [part.value for part in (*manifest.of_kind("corpus"), *manifest.of_kind("code"))]
    lacking = {path: hash_ for each in named for path, hash_ in each.items() if hash_ not in texts}
    if not lacking:
        return {}
    from llmops_tui.workspace import git_texts

    return git_texts.find(root, lacking)


def of_manifest(
    on_disk: Configuration,
    manifest: Manifest,
    models: tuple[Model, ...],
    texts: Mapping[str, str],
    name: str,
    own: tuple[Model, ...] = (),
) -> Configuration:
    """Any manifest over the cases on disk.

    Args:
        models: those of the manifest, in order.
        texts: hash → text, at least of the documents that it names.
        name: what to call it when something is missing.
        own: models that its steps name for themselves.

    Raises:
        UsageError: the text of a document or of a module is missing.
    """
    prompts = [prompt_blob(part.value) for part in manifest.of_kind("prompt")]
    blobs = {text_digest(text): text for text in prompts}
    named: dict[str, str] = {}
    for part in (*manifest.of_kind("corpus"), *manifest.of_kind("code")):
        named |= part.value
    lacking = sorted(path for path, hash_ in named.items() if hash_ not in texts)
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise UsageError(
            Problem(
                f"{name} was made with {lacking[0]}{more}, whose text is neither in this database nor in git",
                "load the baseline's bundle (llmops-tui bundle load FILE), or promote a version made here",
            )
        )
    blobs |= {hash_: texts[hash_] for hash_ in named.values()}
    target = program_of(manifest)
    return msgspec.structs.replace(
        on_disk, manifest=manifest, target=target, blobs=blobs, models=models, own_models=own
    )


def here(root: Path, on_disk: Configuration, manifest: Manifest, kind: str = "models") -> dict[str, Model]:
    """The models of a manifest as they are on this machine, by id, in order.

    Args:
        kind: of the parts: `models`, or `own_models` for those that single steps name.

    Raises:
        WorkspaceError: one can't be had.
    """
    from llmops_tui.engine.plan import models_of
    from llmops_tui.workspace import resolve_models

    known = {model.id: model for model in (*on_disk.models, *on_disk.own_models)}
    known |= {model.id: model for model in models_of(manifest, kind) if model.client == "program"}
    others = [p.name for p in manifest.of_kind(kind) if p.name not in known]
    if others:
        try:
            known |= {model.id: model for model in resolve_models(root, others)}
        except WorkspaceError as error:
            problems = [Problem(p.message, p.remedy) for p in error.problems]
            raise WorkspaceError(*problems) from None
    return {part.name: known[part.name] for part in manifest.of_kind(kind)}


def scaled(configuration: Configuration, factor: int) -> Configuration:
    """The same with `factor` times the planned trials of every case."""
    if factor == 1:
        return configuration
    cases = tuple(
        msgspec.structs.replace(case, trials=case.trials * factor) if case.trials else case
        for case in configuration.cases
    )
    return msgspec.structs.replace(configuration, cases=cases, trials=configuration.trials * factor)


def _differs(name: str, before: Part, now: Part) -> str:
    old, new = _flat(before), _flat(now)
    what = [f"{key} {old.get(key)} → {new.get(key)}" for key in sorted(old.keys() | new.keys())]
    changed = [
        w
        for w, key in zip(what, sorted(old.keys() | new.keys()), strict=True)
        if old.get(key) != new.get(key)
    ]
    return (
        f"{name} was pinned to another {before.name} than is here ({', '.join(changed)}); "
        "it is asked on the one that is here, like the candidate"
    )


def _flat(part: Part) -> dict[str, str]:
    flat = {k: str(v) for k, v in part.value.items() if k != "pin"}
    return {**flat, **{k: str(v)[:40] for k, v in part.value.get("pin", {}).items()}}
