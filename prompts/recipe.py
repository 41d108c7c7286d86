"""How a prompt is made, as data and as a hash: what is rendered again is what this hash says has changed."""

import hashlib
import json
import re

from prompts.catalogue import CATALOGUE, Catalogue, CatalogueMistake, Prompt, Recording, Source, Speaker
from prompts.mandarin import is_mandarin

VERSION = 1  # raise it when the chain from text to WAV changes what it yields
KOKORO = "Kokoro-82M"
ESPEAK = "espeak-ng"
TONE = "tone"


def sentences(text: str) -> list[str]:
    """Split at the full stops, question and exclamation marks of both scripts: each sentence is spoken by itself."""
    return [found.strip() for found in re.findall(r".+?(?:[。？！]|[.?!](?=\s|$)|$)", text) if found.strip()]


def speaker(catalogue: Catalogue, sentence: str) -> Speaker:
    """The voice of a sentence follows its script, so that one prompt may speak two languages."""
    language = "zh-CN" if is_mandarin(sentence) else "en"
    if language not in catalogue.speakers:
        raise CatalogueMistake(f"{catalogue.folder / CATALOGUE}: `voices:` names no voice for {language}")
    return catalogue.speakers[language]


def voice_of(catalogue: Catalogue, prompt: Prompt, text: str, engine: str) -> str:
    """What the catalogue says of who speaks: engine, voices and speeds."""
    if prompt.tone:
        return TONE
    speakers = dict.fromkeys(speaker(catalogue, sentence) for sentence in sentences(text))
    if engine == ESPEAK:
        return ESPEAK
    return f"{engine} " + ", ".join(f"{one.voice} at {one.speed:.2f}" for one in speakers)


def fingerprint(prompt: Prompt, recording: Recording, lead_in: str) -> str:
    """Hash of everything that decides how the recording sounds; of a person's, of the text that was read.

    `lead_in` is the text spoken before it in the same breath (Catalogue.lead_in).
    """
    parts: list[object] = [recording.source, recording.text]
    if recording.source is not Source.RECORDED:
        tone = [prompt.tone.hertz, prompt.tone.milliseconds] if prompt.tone else None
        parts += [VERSION, recording.voice, prompt.pause_ms, tone, lead_in]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]
