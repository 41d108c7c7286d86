"""`/openapi.json` beyond what the views say. Rule: every error is described as what it is, a problem (RFC 9457)."""

from typing import Any

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In the language of Accept-Language: zh-CN or en."},
        "errors": {
            "type": "array",
            "description": "One entry for each field that cannot be taken.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ANYWHERE = {"400": "Bad request", "422": "Cannot be processed"}


def describe(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
    """Give every error of every operation its media type and shape."""
    assert isinstance(spec, dict), "SPEC_FORMAT is json"
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPError", "ValidationError"):
        schemas.pop(name, None)
    for path in spec["paths"].values():
        for method, operation in path.items():
            if method == "parameters":
                continue
            for status, words in _ANYWHERE.items():
                operation["responses"].setdefault(status, {"description": words})
            for status, response in operation["responses"].items():
                if status >= "400":
                    response["content"] = _CONTENT
    return spec
