"""Names of attributes of spans.

OpenTelemetry's GenAI semantic conventions (`gen_ai.*`, `openai.*`: semantic-conventions-genai, schema
gen-ai/1.42.0 and what its main branch has since) and its general ones (`error.*`, `code.*`, `process.*`:
semantic-conventions 1.44.0); where those have nothing, OpenInference (`llm.*`, `input.*`, `output.*`); what
is ours alone is `llmops.*`. `docs/traces-export.md` has the table.
"""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"

# -- the whole
WORKFLOW_NAME = "gen_ai.workflow.name"
CONFIG = "llmops.config"
VERSION = "llmops.version"
VERSION_HASH = "llmops.version.hash"
CASE_ID = "llmops.case.id"
TRIAL = "llmops.trial"
#: The model that is evaluated, on the whole: there `gen_ai.request.model` would count as a call.
EVALUATED_MODEL = "llmops.model"
INPUT = "input.value"
OUTPUT = "output.value"
ERROR_TYPE = "error.type"

# -- a step of a program
STEP = "llmops.step.name"
#: The result was made before and comes from the cache; the times are of when it was made.
CACHED = "llmops.cached"

#: The result was handed over by a replay; nothing was run.
GIVEN = "llmops.given"

# -- retrieval
DATA_SOURCE = "gen_ai.data_source.id"
QUERY = "gen_ai.retrieval.query.text"
TOP_K = "gen_ai.retrieval.top_k"
#: List of `{"id", "source", "position", "score", "content"}`, best first.
DOCUMENTS = "gen_ai.retrieval.documents"
METHOD = "llmops.retrieval.method"

# -- prompt assembly
#: As a person would write it (`prompt_text`).
TEMPLATE = "llm.prompt_template.template"
#: Mapping.
VARIABLES = "llm.prompt_template.variables"
#: Start of the names of single variables, for export: `gen_ai.prompt.variable.question`.
PROMPT_VARIABLE = "gen_ai.prompt.variable."

#: Kept with a prompt's span and resolved when the trace is read: the blob of its template, and the steps
#: whose results it reads.
PROMPT_HASH = "llmops.prompt.hash"
STEPS_READ = "llmops.prompt.steps"

# -- a model call
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
#: Start of the parameters' names: `gen_ai.request.temperature`.
REQUEST = "gen_ai.request."
#: Start of the names of parameters that the conventions do not name.
OTHER_PARAM = "llmops.params."
#: List of `{"role", "parts"}`; a part is `{"type": "text", "content"}`,
#: `{"type": "tool_call", "id", "name", "arguments"}` or `{"type": "tool_call_response", "id", "response"}`.
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
OUTPUT_TYPE = "gen_ai.output.type"
RESPONSE_FORMAT = "llmops.request.response_format"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FINGERPRINT = "openai.response.system_fingerprint"
#: Seconds.
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
#: USD.
COST = "llmops.cost_usd"
ATTEMPTS = "llmops.attempts"
CALL_KEY = "llmops.call.key"
#: What the provider answered, as one chat completion, JSON.
RAW_RESPONSE = "llmops.response.raw"

# -- a tool call
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
#: Mapping, or a text where the model gave no JSON object.
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
#: `live`, `recorded` or `canned`.
TOOL_MODE = "llmops.tool.mode"

# -- Python and commands
FUNCTION = "code.function.name"
COMMAND = "process.command"

#: Start of the hash of the code that ran (of a tool: its own).
CODE = "llmops.code.revision"

# -- scorers
EVALUATION = "gen_ai.evaluation.name"
SCORE = "gen_ai.evaluation.score.value"
#: `pass` or `fail`.
SCORE_LABEL = "gen_ai.evaluation.score.label"
EXPLANATION = "gen_ai.evaluation.explanation"
#: Unix seconds: an output may be judged long after it was made.
SCORED_AT = "llmops.scored_at"

# -- live traffic
#: Which part of a product asked: what figures are grouped by first.
FEATURE = "llmops.feature"
#: Who used it, perhaps as a hash.
USER = "user.id"
#: Requests that belong together: OpenTelemetry's `session.id`, of a conversation `gen_ai.conversation.id`.
SESSION = "session.id"
CONVERSATION = "gen_ai.conversation.id"
SERVICE = "service.name"
ENVIRONMENT = "deployment.environment.name"
#: List of texts.
TAGS = "llmops.tags"
#: Mapping.
METADATA = "llmops.metadata"
#: The model would not answer.
REFUSED = "llmops.refused"
#: The conventions, or the tool, that a span was written by: `openinference`, `gen_ai`, `vercel` …
DIALECT = "llmops.dialect"
#: Of `domain.trace.Kind`, as an export tells it to another llmops-tui.
KIND = "llmops.kind"
#: Events that were told of within a span and are no messages: `{"name", "time", "attributes"}` each.
EVENTS = "events"

# -- guardrails
GUARDRAIL = "llmops.guardrail.name"
TRIGGERED = "llmops.guardrail.triggered"
#: `block`, `redact`, `flag` or `fallback`: what was done.
ACTION = "llmops.guardrail.action"
GUARDRAIL_KIND = "llmops.guardrail.kind"
#: `input`, `context`, `tool_call`, `tool_result` or `output`. What it fired on is `input.value`, bounded,
#: with the text around it; nothing where it passed.
GUARDRAIL_STAGE = "llmops.guardrail.stage"
#: In [0, 1]; it fires from the threshold on.
GUARDRAIL_SCORE = "llmops.guardrail.score"
GUARDRAIL_THRESHOLD = "llmops.guardrail.threshold"
GUARDRAIL_REASON = "llmops.guardrail.reason"
#: `open` or `closed`: it failed itself (the span's error says how), and what was done then.
GUARDRAIL_FAILED = "llmops.guardrail.failed"
#: List of places of the pieces it fired on, and where each of them is, for people: `docs/refunds.md#0`.
GUARDRAIL_PIECES = "llmops.guardrail.pieces"
GUARDRAIL_WHERE = "llmops.guardrail.where"
