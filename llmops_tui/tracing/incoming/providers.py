"""Names of providers, made one: as the workspace and the price table know them. Pure."""

from __future__ import annotations

from typing import Any

#: The conventions' (gen_ai.provider.name, gen_ai.system), OpenInference's (llm.system, llm.provider),
#: OpenLLMetry's and the Vercel AI SDK's → ours.
_OURS = {
    "aws": "bedrock",
    "aws.bedrock": "bedrock",
    "amazon": "bedrock",
    "amazon-bedrock": "bedrock",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure_ai",
    "azure-openai": "azure",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure_ai",
    "cohere_chat": "cohere",
    "fireworks": "fireworks_ai",
    "gcp.gemini": "gemini",
    "gcp.gen_ai": "gemini",
    "gcp.vertex_ai": "vertex_ai",
    "google": "gemini",
    "google.generative-ai": "gemini",
    "google.vertex": "vertex_ai",
    "google-gla": "gemini",
    "google-vertex": "vertex_ai",
    "hugging_face": "huggingface",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot_ai": "moonshot",
    "together": "together_ai",
    "vertexai": "vertex_ai",
    "x_ai": "xai",
}
#: What the Vercel AI SDK writes after a provider's name: `openai.responses`.
_ENDINGS = (".chat", ".responses", ".completion", ".messages", ".embedding", ".textEmbedding")


def provider(value: Any) -> str | None:
    """A provider by our name for it; one that we have none for, by the name that it came with."""
    if not isinstance(value, str):
        return None
    name = value.strip()
    lower = name.lower()
    if lower in _OURS:
        return _OURS[lower]
    for ending in _ENDINGS:
        if name.endswith(ending):
            start = name.removesuffix(ending)
            return _OURS.get(start.lower(), start)
    return lower if lower.isascii() else name
