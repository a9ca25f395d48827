"""All mutations by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.mutations import disguises, encodings, roles, structure
from llmops_tui.domain.mutations.goals import LANGUAGES, Goal, phrase
from llmops_tui.domain.mutations.mutation import Group, Mutation

PLAIN = "plain"

MUTATIONS: dict[str, Mutation] = {}


def _add(group: Group, name: str, apply: Callable[[str], str], summary: str) -> None:
    MUTATIONS[name] = Mutation(name, group, summary, apply)


_add("none", PLAIN, str, "The text as it is.")

_add("encoding", "base64", encodings.base64_encoded, "Base64, with the order to decode it.")
_add("encoding", "hex", encodings.hex_encoded, "Hexadecimal digits.")
_add("encoding", "rot13", encodings.rot13, "Letters moved on by 13.")
_add("encoding", "url", encodings.url_encoded, "`%XX`.")
_add("encoding", "unicode_escapes", encodings.unicode_escapes, r"`\uXXXX`.")
_add("encoding", "html_entities", encodings.html_entities, "`&#N;`.")

_add("disguise", "zero_width", disguises.zero_width, "Zero-width spaces inside the words.")
_add("disguise", "homoglyphs", disguises.homoglyphs, "Letters of other scripts that look the same.")
_add("disguise", "bidi", disguises.bidi, "Backwards, in a right-to-left override.")
_add("disguise", "full_width", disguises.full_width, "Full-width forms.")
_add("disguise", "leet", disguises.leet, "Digits for some letters.")
_add("disguise", "spaced", disguises.spaced, "Spaces between the letters.")
_add("disguise", "backwards", disguises.backwards, "From the end to the beginning.")
_add("disguise", "tag_characters", disguises.tag_characters, "Tag characters, which are not drawn.")
_add("disguise", "mixed_case", disguises.mixed_case, "Upper and lower case in turn.")

_add("role", "dan", roles.dan, "The model is to be one that may do anything.")
_add("role", "developer_mode", roles.developer_mode, "A mode without rules is said to be on.")
_add("role", "grandmother", roles.grandmother, "A grandmother used to say it.")
_add("role", "novel", roles.novel, "It is for a novel.")
_add("role", "system_turn", roles.system_turn, "A turn of the system that the user wrote.")
_add("role", "assistant_turn", roles.assistant_turn, "A turn in which the model agreed already.")
_add("role", "close_context", roles.close_context, "The end of whatever it is quoted in.")
_add("role", "inst_tags", roles.inst_tags, "Marks of chat templates, such as `[INST]`.")

_add("structure", "many_shot", structure.many_shot, "Behind a dialogue of an obedient model.")
_add("structure", "split_payload", structure.split_payload, "In two halves that are to be joined.")
_add("structure", "suffix", structure.suffix, "Behind a harmless question.")
_add("structure", "html_comment", structure.html_comment, "In a comment of HTML.")
_add("structure", "markdown_comment", structure.markdown_comment, "In a comment of Markdown.")
_add("structure", "code_block", structure.code_block, "In a block of code.")

for _code, _name in LANGUAGES.items():
    MUTATIONS[_name] = Mutation(_name, "language", f"In {_name.capitalize()}.", None, _code)


def mutated(name: str, text: str, translations: Mapping[str, str], goal: Goal | None = None) -> str | None:
    """An attack in one disguise; None where it is not to be had in that language.

    Args:
        name: in `MUTATIONS`.
        text: of the attack; of a goal, its English phrase.
        translations: language → text. They come before the phrases that are built in.
    """
    mutation = MUTATIONS[name]
    if mutation.apply is not None:
        return mutation.apply(text)
    own = translations.get(mutation.language)
    return own if own or goal is None else phrase(goal, mutation.language)


def unknown(name: str) -> str:
    """A remedy for a mutation that there is none of."""
    return did_you_mean(name, set(MUTATIONS))
