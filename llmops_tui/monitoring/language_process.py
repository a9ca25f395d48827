"""A process that tells languages: a JSON list of texts on standard input, a list of ISO 639-1 codes back.

The model is langid.py's (Lui & Baldwin, *langid.py: An off-the-shelf language identification tool*, 2012).
"""

from __future__ import annotations

import json
import sys

UNSURE = "unsure"
#: Below this probability a text is too short or too mixed to tell.
LEAST = 0.35


def tell(texts: list[str]) -> list[str]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    told = (model.classify(text) for text in texts)
    return [str(language) if sure >= LEAST else UNSURE for language, sure in told]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tell(json.load(sys.stdin))))
