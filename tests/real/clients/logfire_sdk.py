"""A program traced by the Logfire SDK, sent to the collector and nowhere else.

pip install logfire openai
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python logfire_sdk.py
"""

import logfire
from openai import OpenAI, OpenAIError


def keep_session(match: logfire.ScrubMatch) -> object:
    """Logfire takes what is called a session for a secret, unless it is told otherwise."""
    return match.value if match.path[-1] == "session.id" else None


logfire.configure(
    send_to_logfire=False,
    console=False,
    service_name="help-desk",
    scrubbing=logfire.ScrubbingOptions(callback=keep_session),
)
client = OpenAI(max_retries=0)
logfire.instrument_openai(client)


def answer(question: str, *, model: str = "gpt-4o-mini") -> str:
    with logfire.span("help desk", question=question, **{"user.id": "carol", "session.id": "visit-3"}):
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
        made = client.chat.completions.create(model=model, messages=messages, temperature=0.2)
        return made.choices[0].message.content or ""


print(answer("What does delivery cost?"))
print(answer("Do you deliver to Norway?"))
try:
    answer("This one fails.", model="quirk-bad-model-400")
except OpenAIError as error:
    print(type(error).__name__)
logfire.force_flush()
logfire.shutdown()
