"""The reader's language. Rule: Chinese unless the reader asks for English; a text is found by its English sentence."""

from flask import has_request_context, request
from flask_babel import gettext

# what a browser or a system may send, and the catalogue for it; the first is the answer to no wish at all
CATALOGUES = {
    "zh-CN": "zh_Hans",
    "zh-Hans": "zh_Hans",
    "zh": "zh_Hans",
    "en": "en",
}


def catalogue() -> str:
    """Choose the catalogue for this request by Accept-Language."""
    return CATALOGUES[tag()]


def tag() -> str:
    """Give the language tag for Content-Language."""
    if not has_request_context():
        return "zh-CN"
    wanted = request.accept_languages.best_match(list(CATALOGUES), default="zh-CN")
    return "en" if wanted == "en" else "zh-CN"


def _(text: str, **values: object) -> str:
    """Give a sentence in the reader's language."""
    return str(gettext(text, **values))
