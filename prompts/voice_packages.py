"""Packages of requirements-voices.txt, imported by name on use: neither the service nor its checks need them."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from prompts.catalogue import PromptError


class VoiceUnavailable(PromptError):
    """A part of the voice or of the recogniser is not installed or not what it should be."""


def package(name: str) -> ModuleType:
    """Import a module, or raise VoiceUnavailable naming the package that is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise VoiceUnavailable(_missing(str(error.name or name).partition(".")[0])) from error


def part(name: str, file: str) -> Path:
    """Find a data file inside an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise VoiceUnavailable(_missing(name))
    return Path(spec.origin).parent / file


def _missing(name: str) -> str:
    return f"the Python package {name.replace('_', '-')} is missing: `make voices` installs it into .venv-voices"
