"""How keys and tokens of providers are written.

Most patterns are those of detect-secrets. Left out of it are those whose time is not in proportion to a
hostile text, or that find too much: what they look for is found by ours (`secrets`: what is told with its
name, addresses with a password).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec


class SecretShape(msgspec.Struct, frozen=True):
    """One way to write one.

    Attributes:
        hints: one of these is in it, as it stands: looking for them costs little.
        group: what is the secret within the pattern.
        holds: further condition on it.
    """

    noun: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    group: int = 0
    holds: Callable[[str], bool] = bool


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _is_token(text: str) -> bool:
    """Letters and digits mixed, as no word and no number is."""
    return _has_digit(text) and any(char.isalpha() for char in text) and len(set(text)) > 5


def _is_mixed(text: str) -> bool:
    return _is_token(text) and text.upper() != text != text.lower()


def _key(noun: str, hint: str, rest: str, holds: Callable[[str], bool] = bool) -> SecretShape:
    """A token that begins with `hint`, and within no longer word."""
    pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(hint)}{rest}")
    return SecretShape(noun, (hint,), pattern, holds=holds)


#: What detect-secrets lacks, or has for a part of what there is.
_OWN = (
    _key("Anthropic key", "sk-ant-", r"[\w-]{16,300}"),
    _key("OpenAI key", "sk-", r"(?!ant-)[\w-]{20,300}", _is_token),
    _key("Langfuse key", "pk-lf-", r"[0-9a-f-]{20,60}"),
    _key("Google key", "AIza", r"[\w-]{35}(?![\w-])"),
    _key("Google client secret", "GOCSPX-", r"[\w-]{20,60}"),
    _key("Google token", "ya29.", r"[\w-]{20,1000}"),
    _key("Hugging Face token", "hf_", r"[A-Za-z0-9]{30,60}(?!\w)", _is_token),
    _key("Stripe key", "sk_", r"(?:live|test)_[0-9A-Za-z]{16,250}"),
    _key("Stripe key", "rk_", r"(?:live|test)_[0-9A-Za-z]{16,250}"),
    _key("Stripe webhook secret", "whsec_", r"[A-Za-z0-9+/=]{24,250}"),
    _key("GitHub token", "github_pat_", r"\w{22,250}"),
    _key("npm token", "npm_", r"[A-Za-z0-9]{36}(?!\w)"),
    _key("Slack token", "xapp-", r"[\w-]{20,250}", _has_digit),
    _key("Slack token", "xox", r"[a-z]-[\w-]{10,250}", _has_digit),
    _key("Groq key", "gsk_", r"[A-Za-z0-9]{40,80}"),
    _key("xAI key", "xai-", r"[A-Za-z0-9]{40,120}"),
    _key("Replicate token", "r8_", r"[A-Za-z0-9]{30,60}"),
    _key("Databricks token", "dapi", r"[0-9a-f]{32}"),
    _key("DigitalOcean token", "dop_v1_", r"[0-9a-f]{64}"),
    _key("Shopify token", "shpat_", r"[0-9a-fA-F]{32}"),
    _key("Artifactory token", "AKC", r"[A-Za-z0-9]{17,250}", _is_mixed),
    _key("Vault token", "hvs.", r"[\w-]{20,250}", _has_digit),
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,8000}\.[\w-]{4,16000}(?:\.[\w-]{0,2000})?")

#: Modules of detect-secrets with its class, what people call it, and signs of it. Left out: `artifactory`,
#: `basic_auth`, `cloudant`, `high_entropy_strings`, `ibm_cloud_iam`, `ibm_cos_hmac`, `ip_public`, `jwt`,
#: `keyword`, `npm`, `openai`, `private_key`, `softlayer`.
_THEIRS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("aws", "AWSKeyDetector", "AWS key", ("A3T", "ABIA", "ACCA", "AKIA", "ASIA")),
    ("azure_storage_key", "AzureStorageKeyDetector", "Azure key", ("AccountKey=",)),
    ("discord", "DiscordBotTokenDetector", "Discord token", (".",)),
    ("github_token", "GitHubTokenDetector", "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("gitlab_token", "GitLabTokenDetector", "GitLab token", ("gl", "GR1348941")),
    ("mailchimp", "MailchimpDetector", "Mailchimp key", ("-us",)),
    ("pypi_token", "PypiTokenDetector", "PyPI token", ("pypi-",)),
    ("sendgrid", "SendGridDetector", "SendGrid key", ("SG.",)),
    ("slack", "SlackDetector", "Slack token", ("xox", "XOX", "hooks.slack.com")),
    ("square_oauth", "SquareOAuthDetector", "Square secret", ("sq0csp-",)),
    ("stripe", "StripeDetector", "Stripe key", ("k_live_",)),
    ("telegram_token", "TelegramBotTokenDetector", "Telegram token", (":",)),
    ("twilio", "TwilioKeyDetector", "Twilio key", ("AC", "SK")),
)
#: Characters of the shortest; hardly a word of running text is as long.
LEAST = 20


def shapes() -> tuple[SecretShape, ...]:
    """Those within one word. It imports detect-secrets, a quarter of a second once."""
    return (*_OWN, _jwt(), *_theirs())


def _jwt() -> SecretShape:
    from detect_secrets.plugins.jwt import JwtTokenDetector

    def holds(token: str) -> bool:
        # Of a signature that was cut off the two other parts say enough.
        return bool(JwtTokenDetector.is_formally_valid(".".join(token.split(".")[:2])))

    return SecretShape("JSON web token", ("eyJ",), _JWT, holds=holds)


def _theirs() -> list[SecretShape]:
    from importlib import import_module

    found: list[SecretShape] = []
    for module, name, noun, hints in _THEIRS:
        plugin: Any = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        found += [SecretShape(noun, hints, pattern, holds=_is_token) for pattern in plugin.denylist]
    return found


_PLACEHOLDER = re.compile(
    r"[<{\[(%$*.#xX•…_-]|(?:your|my|the|some|insert|enter|example|changeme|placeholder|redacted|none|null|true|"
    r"false|undefined|optional|required|string|os\.|process\.|env\b|getenv|config|self\.|settings|password|passwd|"
    r"secret|token|\w{1,40}\()",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """What stands where a secret would: `<password>`, `${TOKEN}`, `your-key`, `os.environ[…]`."""
    return _PLACEHOLDER.match(value) is not None
