"""Versions: numbers, names, labels, the baseline, and which was on disk last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_flow import database, manifest, version

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.errors import UsageError
from llmops_tui.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(database(tmp_path)) as opened:
        yield opened


def test_numbers_count_up_within_a_configuration(store: Store) -> None:
    names = [version(store, "a").name, version(store, "b").name, version(store, "a", "other").name]
    assert names == ["v1", "v2", "v1"]


def test_the_same_content_edited_back_is_the_same_version(store: Store) -> None:
    first = version(store, "a")
    version(store, "b")
    again, created = store.versions.ensure("helpdesk", manifest("a"), {}, at=9.0)
    assert (again.id, created) == (first.id, False)


def test_latest_is_the_one_on_disk_and_previous_the_one_before(store: Store) -> None:
    version(store, "a")
    version(store, "b")
    version(store, "a")
    assert store.versions.get("helpdesk", "latest").number == 1
    assert store.versions.get("helpdesk", "previous").number == 2
    version(store, "a")
    assert store.versions.get("helpdesk", "previous").number == 2


def test_a_version_keeps_its_manifest_its_texts_and_its_commit(store: Store) -> None:
    text = "Thirty days."
    made, _ = store.versions.ensure(
        "helpdesk", manifest("a"), {text_digest(text): text}, git_commit="abc123", git_dirty=True, at=7.0
    )
    assert store.versions.manifest(made.id) == manifest("a")
    assert store.blobs.get(text_digest(text)) == text
    assert (made.git_commit, made.git_dirty, made.created_at) == ("abc123", True, 7.0)


def test_a_version_is_found_by_number_hash_label_and_role(store: Store) -> None:
    made = version(store, "a")
    store.versions.label(made.id, "tuned on Friday")
    store.versions.set_baseline(made.id)
    for ref in (
        "v1",
        "V1",
        "1",
        made.hash,
        made.hash[:6],
        made.hash[:6].upper(),
        "tuned on Friday",
        "baseline",
    ):
        assert store.versions.get("helpdesk", ref).id == made.id, ref
    assert store.versions.get("helpdesk", "v1").labels == ("tuned on Friday",)
    assert store.versions.get("helpdesk", "v1").is_baseline


def test_a_prefix_of_several_hashes_is_ambiguous(store: Store) -> None:
    # Two manifests whose hashes begin alike are not to be had by chance: the hashes are put in by hand.
    for digits in ("abcd1", "abcd2"):
        made = manifest(digits)
        store.versions.ensure("helpdesk", type(made)(made.parts, digits.ljust(64, "0")), {}, at=1.0)
    with pytest.raises(UsageError, match=r"'abcd' is ambiguous: v2 .*, v1 .*write more digits"):
        store.versions.get("helpdesk", "abcd")
    assert store.versions.get("helpdesk", "abcd2").number == 2


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        ("v7", "has no version 'v7'"),
        ("tunde", "did you mean 'tuned'"),
        ("abc", "has no version 'abc'"),
        ("previous", "has only one version yet; change the prompt and save"),
        ("baseline", "has no baseline yet; promote a version"),
    ],
)
def test_an_unknown_name_is_told_with_what_would_be_right(store: Store, ref: str, sentence: str) -> None:
    store.versions.label(version(store, "a").id, "tuned")
    with pytest.raises(UsageError, match=sentence):
        store.versions.get("helpdesk", ref)


def test_a_configuration_without_versions_is_told(store: Store) -> None:
    with pytest.raises(UsageError, match=r"'helpdesk' has no version yet; run `llmops-tui run` once"):
        store.versions.get("helpdesk", "latest")
    version(store, "a")
    with pytest.raises(UsageError, match="did you mean 'helpdesk'"):
        store.versions.get("helpdsk", "latest")


@pytest.mark.parametrize(
    "text", ["v3", "3", "latest", "Baseline", "previous", "", "  ", "cafe12", "a\nb", "x" * 61]
)
def test_a_label_that_would_be_mistaken_is_refused(store: Store, text: str) -> None:
    made = version(store, "a")
    with pytest.raises(UsageError):
        store.versions.label(made.id, text)
    assert store.versions.get("helpdesk", "v1").labels == ()


def test_a_label_names_one_version_of_a_configuration(store: Store) -> None:
    first, second = version(store, "a"), version(store, "b")
    store.versions.label(first.id, "tuned")
    assert store.versions.label(first.id, "tuned").labels == ("tuned",)
    with pytest.raises(UsageError, match="'tuned' is v1 already"):
        store.versions.label(second.id, "tuned")
    assert store.versions.label(version(store, "a", "other").id, "tuned").labels == ("tuned",)


def test_promoting_moves_the_baseline(store: Store) -> None:
    first, second = version(store, "a"), version(store, "b")
    assert store.versions.baseline("helpdesk") is None
    store.versions.set_baseline(first.id)
    store.versions.set_baseline(second.id)
    assert [v.is_baseline for v in store.versions.list("helpdesk")] == [True, False]
    assert store.versions.configs() == ["helpdesk"]
