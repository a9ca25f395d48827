"""Keys, tokens and passwords are found; words about them are not."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.guardrails.registry import About, Deadline, Found, TooSlow
from llmops_tui.guardrails.secrets import secrets

ABOUT = About("output")
A36 = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
HEX64 = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"


def look(text: str, *, limit_s: float = 60.0, **options: Any) -> Found:
    given = GUARDRAILS["secrets"].options.model_validate(options).model_dump()
    return secrets(given)(text, ABOUT, Deadline(limit_s))


def redacted(text: str, **options: Any) -> str:
    found, done, parts = look(text, **options), 0, []
    for match in found.matches:
        assert done <= match.start < match.end <= len(text)
        parts += [text[done : match.start], match.label]
        done = match.end
    assert found.score == float(bool(found.matches))
    return "".join([*parts, text[done:]])


# Each is put together here, so that no scanner takes this file for a leak.
@pytest.mark.parametrize(
    "parts",
    [
        ("sk-", "ant-api03-", A36, A36),
        ("sk-", "proj-", A36, "_x", A36),
        ("sk-", A36[:20], "T3Blbk", "FJ", A36[:20]),
        ("pk-lf-", "550e8400-e29b-41d4-a716-446655440000"),
        ("AIza", A36[:35]),
        ("GOCSPX-", A36[:28]),
        ("ya29.", A36),
        ("hf_", A36[:34]),
        ("sk_", "live_", A36[:24]),
        ("rk_", "test_", A36[:24]),
        ("whsec_", A36[:32]),
        ("AKIA", "IOSFODNN7EXAMPLE"),
        ("ASIA", "Y34FZKBOKMUTVV7A"),
        ("AccountKey=", A36, A36, A36[:14], "=="),
        ("ghp_", A36),
        ("github_pat_", A36),
        ("glpat-", A36[:20]),
        ("npm_", A36),
        ("pypi-", "AgEIcHlwaS5vcmc", A36, A36),
        ("SG.", A36[:22], ".", A36, A36[:7]),
        ("xoxb-", "123456789012-1234567890123-", A36[:24]),
        ("https://hooks.slack.com/services/", "T00000000/B00000000/", A36[:24]),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", "-us12"),
        ("AC", HEX64[:32]),
        ("123456789:", A36[:35]),
        ("AKC", A36[:30]),
        ("dapi", HEX64[:32]),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4", ".Cl2FMQ.", "ZnCjm1XVW7vRze4b7Cq4se7kKWs"),
        tuple(JWT.partition(".")),
    ],
)
def test_a_key_of_a_provider_is_found_whole(parts: tuple[str, ...]) -> None:
    key = "".join(parts)
    assert redacted(key) == "[secret]"
    assert redacted(f"It is {key} for you.") == "It is [secret] for you."
    assert redacted(f'{{"x": "{key}", "y": 1}}') == '{"x": "[secret]", "y": 1}'
    assert key[10:] not in look(key).reason


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("password: ", "hunter2", ""),
        ("Password = '", "correct-horse!", "'"),
        ("the password is ", "Tr0ub4dor&3", "."),
        ("PASSWORD=", "12345678", ""),
        ("DB_PASSWORD=", "s3cr3t-pa55", "\nX=1"),
        ('{"pwd": "', "Winter2026!", '"}'),
        ('"{\\"pwd\\": \\"', "Winter2026!", '\\"}"'),
        ("Das Passwort lautet: ", "Sommer2026", ""),
        ("api_key = ", "0123456789abcdef", ""),
        ("API key: `", "q7w8e9r0t1y2u3", "`"),
        ("client_secret: ", "Z9x8C7v6B5n4M3", ""),
        ('aws_secret_access_key = "', "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0", '"'),
        ("Authorization: Bearer ", A36, ""),
        ("softlayer_api_key: ", HEX64, ""),
        ("cloudant_password = ", HEX64, ""),
        ("ibm_cloud_iam_api_key ", A36 + "aB3dE5fG", ""),
        ("cos_hmac_secret_access_key=", HEX64[:48], ""),
        ("//registry.npmjs.org/:_authToken=", "550e8400-e29b-41d4-a716-446655440000", ""),
        ("postgres://shop:", "hunter2", "@db.internal:5432/shop"),
        ("redis://:", "p4ssw0rd", "@cache:6379"),
        ("https://user:", HEX64, "@host.cloudant.com"),
    ],
)
def test_what_is_told_with_its_name_is_found_and_the_name_stays(before: str, secret: str, after: str) -> None:
    assert redacted(f"See {before}{secret}{after}") == f"See {before}[secret]{after}"


def test_a_private_key_is_found_to_its_end() -> None:
    body = "MIIEowIBAAKCAQEA7bq8Tz\n" + "q1w2e3r4t5y6u7i8o9p0\n" * 8
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"
    assert redacted(f"Here:\n{key}\nKeep it.") == "Here:\n[secret]\nKeep it."
    cut = key.partition("-----END")[0]
    assert body[:20] not in redacted(f"Here:\n{cut}")
    escaped = key.replace("\n", "\\n")
    assert redacted(f'{{"private_key": "{escaped}"}}') == '{"private_key": "[secret]"}'


@pytest.mark.parametrize(
    "text",
    [
        "To reset your password: click the link in the e-mail.",
        "Your password must have at least 8 characters and 1 digit.",
        "password is required, token is missing, secret is optional",
        "password: string, token: <your-token>, api_key: ${API_KEY}",
        "api_key = os.environ['API_KEY']",
        "OPENAI_API_KEY=your-key-here-1234567890",
        "password=********",
        "max_tokens: 2048, tokens: 1234567890123",
        "The token is 30 days valid; a token costs $0.0000025.",
        "the secret: practise every day",
        "key: value, keyboard: qwerty12345678",
        "What does BEGIN RSA PRIVATE KEY mean?",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "https://lark-desk.example:8080/help@home?x=1",
        "mailto:jane@example.org and git@github.com:team/repo.git",
        "postgres://user:<password>@host/db",
        "commit 3c78ec6e1b2a4d5f6a7b8c9d0e1f2a3b4c5d6e7f",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha256:" + HEX64,
        "sk-learn-is-a-library-for-machines and risk-management-of-large-companies",
        "https://example.org/a-very-long-path/with/many-parts_and.more.dots.than.usual?q=abcdefghijk",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        "APACHE SOFTWARE FOUNDATION APARTMENTSANDHOUSES12",
        "6UHQQ09CBS/6V3hKc/AP8CqCrUcpmop3Cx48eDB4yEECjVQrlZb80CRN8t6OM/teag",
        "order 4001234567-2026-AB, tracking 1Z999AA10123456784",
        "eyJhbGciOi is how a JSON web token begins",
        "xoxo-and-kisses-to-all-of-you-there",
        "Supercalifragilisticexpialidocious Donaudampfschifffahrtsgesellschaft",
    ],
)
def test_words_about_secrets_and_other_codes_stay(text: str) -> None:
    assert redacted(text) == text


def test_the_reason_names_kinds_and_no_secret() -> None:
    found = look("password: hunter22, pwd=hunter33 and AKIA" + "IOSFODNN7EXAMPLE")
    assert found.reason == "2 × password, AWS key"


def test_a_key_with_something_invisible_in_it_is_found() -> None:
    assert redacted(f"ghp_\u200b{A36[:10]}\u200b{A36[10:]}.") == "[secret]."


def test_what_is_allowed_stays() -> None:
    text = "password: hunter22, password: demo-1234"
    assert redacted(text, allow=["demo-*"]) == "password: [secret], password: demo-1234"


@given(
    st.lists(
        st.sampled_from(
            ["password", ": ", "=", "hunter2", "://", "a:b1@", JWT, "\u200b", "İ", "sk-", A36, " "]
        )
    )
)
@settings(deadline=None)
def test_matches_are_in_order_and_within_the_text_whatever_the_text(pieces: list[str]) -> None:
    redacted("".join(pieces))


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ", "sk-", "://", "://a:", "//:_authToken", "token ", "token" + " " * 50, "password:", "aws key '",
        "AKC", "xoxb-1-", "-----BEGIN PRIVATE KEY-----", "PuTTY-User-Key-File-2:", "SG.a", "1:", "M.", "a",
        "ghp_", "glagent-", "pypi-AgEIcHlwaS5vcmc", "eyJa.", "İ", "bearer", "key=",
    ],
)  # fmt: skip
def test_a_megabyte_is_told_or_is_too_slow_and_never_hangs(piece: str) -> None:
    with contextlib.suppress(TooSlow):
        look(piece * (1_000_000 // len(piece)), limit_s=0.5)


def test_detect_secrets_is_imported_by_who_uses_it_alone() -> None:
    code = "import sys, llmops_tui.guardrails.secrets; sys.exit('detect_secrets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
