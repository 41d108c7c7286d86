"""The shipped flows, made small where a test explores them often, and lengths of prompts that no rendering changes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ivr.flow.loader import load
from ivr.flow.model import Flow

CALLFLOWS = Path(__file__).parents[3] / "callflows"
SECONDS = {"ask": 13.0, "ask_again": 10.0, "ask_slowly": 14.0, "thanks": 3.5, "silent": 5.0, "fault": 6.5}
ELSE_SECONDS = 2.0


@pytest.fixture(scope="session")
def shipped_text() -> str:
    return (CALLFLOWS / "post_call_survey.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def shipped(shipped_text: str) -> Flow:
    return load(None, shipped_text)


@pytest.fixture(scope="session")
def extended_text() -> str:
    return (CALLFLOWS / "extended_survey.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def small_extended_text(extended_text: str) -> str:
    """The same with fewer tries, so that it is explored quickly."""
    fewer = ("      - {say: ask_again, wait_seconds: 8}\n      - {say: ask_slowly, wait_seconds: 8}\n", "")
    return _replaced(extended_text, fewer, ("at_most: 2}", "at_most: 1}"), ("at_most: 2\n", "at_most: 1\n"))


@pytest.fixture(scope="session")
def extended(extended_text: str) -> Flow:
    return load(None, extended_text)


@pytest.fixture(scope="session")
def durations(shipped: Flow, extended: Flow) -> dict[tuple[str, str], float]:
    prompts = sorted({*shipped.prompts(), *extended.prompts(), "goodbye"})
    return {(language, prompt): SECONDS.get(prompt, ELSE_SECONDS) for language in ("zh-CN", "en") for prompt in prompts}


@pytest.fixture(scope="session")
def twin(shipped_text: str) -> Callable[..., str]:
    """Make the shipped flow's text with something broken; it is smaller, so that it is explored quickly."""
    small = _replaced(shipped_text, ("languages: [zh-CN, en]", "languages: [zh-CN]"))
    small = _replaced(small, ("good_call_seconds: {zh-CN: 25, en: 27}", "good_call_seconds: {zh-CN: 27}"))
    small = _replaced(small, ('replay: {key: "0", at_most: 2}', 'replay: {key: "0", at_most: 1}'))
    small = _replaced(small, ("      at_most: 2\n", "      at_most: 1\n"))

    def make(*changes: tuple[str, str]) -> str:
        return _replaced(small, *changes)

    return make


def _replaced(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, f"the shipped flow has no {old!r} any more"
        text = text.replace(old, new, 1)
    return text
