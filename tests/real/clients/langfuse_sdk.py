"""A program traced by the Langfuse SDK, whose server is the collector.

    pip install langfuse openai
    LANGFUSE_BASE_URL=http://127.0.0.1:4318 LANGFUSE_PUBLIC_KEY=any LANGFUSE_SECRET_KEY=token \\
        python langfuse_sdk.py

The secret key is sent as the password: it is the collector's token, where it has one.
"""

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import openai

client = openai.OpenAI(max_retries=0)
langfuse = get_client()


@observe(name="find", as_type="retriever")
def find(question: str) -> list[str]:
    return ["Standard delivery costs 4.90 euros."]


@observe(name="help-desk")
def answer(question: str, *, model: str = "gpt-4o-mini") -> str:
    with propagate_attributes(
        user_id="bob", session_id="session-2", tags=["shop"], metadata={"plan": "gold"}
    ):
        context = "\n".join(find(question))
        messages = [
            {"role": "system", "content": f"Answer from this: {context}"},
            {"role": "user", "content": question},
        ]
        made = client.chat.completions.create(model=model, messages=messages, temperature=0.2)
        return made.choices[0].message.content or ""


print(answer("What does delivery cost?"))
print(answer("Do you deliver to Norway?"))
try:
    answer("This one fails.", model="quirk-bad-model-400")
except openai.OpenAIError as error:
    print(type(error).__name__)
langfuse.flush()
langfuse.shutdown()
