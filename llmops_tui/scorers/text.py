"""What the output says: equals, contains and its kin, starts_with."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.domain.words import plain
from llmops_tui.scorers.json_ import NotJson, json_equal, read_json
from llmops_tui.scorers.registry import Judgement, either, scorer
from llmops_tui.scorers.wording import as_text, one_text, quoted, reference, texts


@scorer("equals")
def equals(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = reference(options, case)
    if isinstance(wanted, (list, dict)):
        try:
            same = json_equal(read_json(output.text, fences=False), wanted)
        except NotJson as error:
            return Judgement(0.0, str(error))
        return either(same, "the output is the expected JSON" if same else "the output is other JSON")
    text = as_text(wanted)
    sensitive = options["case_sensitive"]
    same = (
        plain(output.text, case_sensitive=sensitive).strip() == plain(text, case_sensitive=sensitive).strip()
    )
    return either(same, f"the output is {quoted(text)}" if same else f"the output is not {quoted(text)}")


@scorer("contains")
def contains(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    text = one_text(options, case)
    there = _finder(options, output)(text)
    return either(there, f"{quoted(text)} is {'' if there else 'not '}in the output")


@scorer("contains_any")
def contains_any(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = texts(options, case)
    is_there = _finder(options, output)
    found = next((text for text in wanted if is_there(text)), None)
    if found is not None:
        return Judgement(1.0, f"{quoted(found)} is in the output")
    return Judgement(0.0, f"none of {_listed(wanted)} is in the output")


@scorer("contains_all")
def contains_all(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = texts(options, case)
    is_there = _finder(options, output)
    missing = [text for text in wanted if not is_there(text)]
    value = (len(wanted) - len(missing)) / len(wanted)
    if not missing:
        return Judgement(
            1.0, f"all {len(wanted)} are in the output" if len(wanted) > 1 else "it is in the output"
        )
    verb = "is" if len(missing) == 1 else "are"
    return Judgement(value, f"{_listed(missing)} {verb} not in the output")


@scorer("not_contains")
def not_contains(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    value = options["value"]
    unwanted = value if isinstance(value, list) else [value]
    is_there = _finder(options, output)
    found = [text for text in unwanted if is_there(text)]
    if found:
        return Judgement(0.0, f"{_listed(found)} {'is' if len(found) == 1 else 'are'} in the output")
    if len(unwanted) == 1:
        return Judgement(1.0, f"{quoted(unwanted[0])} is not in the output")
    return Judgement(1.0, f"none of the {len(unwanted)} is in the output")


@scorer("starts_with")
def starts_with(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    text = one_text(options, case)
    sensitive = options["case_sensitive"]
    start = plain(text, case_sensitive=sensitive).lstrip()
    there = plain(output.text, case_sensitive=sensitive).lstrip().startswith(start)
    if there:
        return Judgement(1.0, f"starts with {quoted(text)}")
    begin = output.text.strip()[:30]
    return Judgement(
        0.0, f"starts with {quoted(begin)}, not {quoted(text)}" if begin else "the output is empty"
    )


def _finder(options: dict[str, Any], output: Output) -> Any:
    sensitive: bool = options["case_sensitive"]
    haystack = plain(output.text, case_sensitive=sensitive)
    return lambda text: plain(text, case_sensitive=sensitive) in haystack


def _listed(wanted: list[str]) -> str:
    names = ", ".join(quoted(text) for text in wanted[:3])
    return names if len(wanted) <= 3 else f"{names} and {len(wanted) - 3} more"
