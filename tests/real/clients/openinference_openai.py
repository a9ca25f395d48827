r"""A program that asks OpenAI, traced by the OpenTelemetry SDK with OpenInference's instrumentor.

    pip install openai opentelemetry-sdk opentelemetry-exporter-otlp-proto-http \
        openinference-instrumentation-openai
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python openinference_openai.py

Everything before `answer` is what OpenInference's own guide asks for; nothing is particular to llmops-tui.
"""

from openai import OpenAI, OpenAIError
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "help-desk"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = OpenAI(max_retries=0)


def answer(question: str, *, model: str = "gpt-4o-mini", stream: bool = False) -> str:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    if not stream:
        made = client.chat.completions.create(model=model, messages=messages, temperature=0.2)
        return made.choices[0].message.content or ""
    chunks = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


with using_attributes(session_id="session-1", user_id="alice", metadata={"plan": "gold"}, tags=["shop"]):
    print(answer("What does delivery cost?"))
    print(answer("Do you deliver to Norway?", stream=True))
    try:
        answer("This one fails.", model="quirk-bad-model-400")
    except OpenAIError as error:
        print(type(error).__name__)
provider.shutdown()
