"""Examines each recording against what the line, the ear and the catalogue ask of it. It reads and judges, no more."""

from dataclasses import dataclass
from itertools import pairwise

from prompts import levels, listening_figures, recipe
from prompts.catalogue import Catalogue, Prompt, Recording
from prompts.levels import Samples
from prompts.listening_figures import Figures, FiguresUnreadable
from prompts.neutrality import steering
from prompts.rendering import sha256
from prompts.waveform import PEAK_LIMIT_DBOV, RATE, TARGET_DBOV, NotARecording, Wav, read_wav

LEVEL_TOLERANCE_DB = 2.0
LEADING_LIMIT_SECONDS, TRAILING_LIMIT_SECONDS = 0.3, 0.5
PAUSE_TOLERANCE_MS = 5
PHRASE_SPREAD_DB = 1.5  # between the softest and the loudest sentence of one prompt
ASK_LIMIT_SECONDS = 15.0  # what a caller is asked to sit through
FULL_SCALE = 32767 / 32768


@dataclass(frozen=True, slots=True)
class Examined:
    """One recording, what was measured of it (None if it cannot be read) and what is wrong with it."""

    language: str
    id: str
    voice: str
    approved: bool
    wav: Wav | None
    level: levels.SpeechLevel | None
    ends: levels.Ends | None
    findings: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """How long it is."""
        return self.wav.samples.size / self.wav.rate if self.wav else None


def examine(catalogue: Catalogue) -> list[Examined]:
    """Examine every recording of the catalogue, in its order."""
    return [
        _examine(catalogue, prompt, language, recording)
        for prompt in catalogue.prompts.values()
        for language, recording in prompt.recordings.items()
    ]


def listened(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """List (language, id, what is wrong) of the committed figures of listening."""
    try:
        figures = Figures.load(catalogue.folder)
    except FiguresUnreadable as error:
        return [("", "", str(error))]
    return [*listening_figures.stale(catalogue, figures), *listening_figures.too_much(figures)]


def _examine(catalogue: Catalogue, prompt: Prompt, language: str, recording: Recording) -> Examined:
    path = catalogue.path(language, prompt.id)
    spoken = [] if prompt.tone else recipe.sentences(recording.text)
    findings = steering(spoken, language, before_grade=prompt.before_grade)
    wav = level = ends = None
    try:
        wav = read_wav(path)
    except NotARecording as error:
        findings.append(str(error) if path.exists() else "is missing")
    if wav is not None:
        findings += _header(wav)
        findings += _written_down(prompt, recording, catalogue.lead_in(language, prompt.id), path.read_bytes())
        level = levels.speech_level(wav.samples, wav.rate)
        ends = levels.silence_at_ends(wav.samples, wav.rate)
        findings += _sound(prompt, wav, level, ends)
        findings += _phrases(prompt, recording, wav.samples) if wav.rate == RATE else []
    return Examined(language, prompt.id, recording.voice, recording.approved, wav, level, ends, tuple(findings))


def _header(wav: Wav) -> list[str]:
    wanted = (("rate", wav.rate, RATE, " Hz"), ("channels", wav.channels, 1, ""), ("bits", wav.bits, 16, ""))
    return [f"{name} {is_}{unit}, not {must}{unit}" for name, is_, must, unit in wanted if is_ != must]


def _written_down(prompt: Prompt, recording: Recording, lead_in: str, content: bytes) -> list[str]:
    findings = []
    if sha256(content) != recording.sha256:
        findings.append("is not the file the catalogue notes (sha256 differs)")
    if recipe.fingerprint(prompt, recording, lead_in) != recording.recipe:
        findings.append("is stale: its text, voice or pauses changed since it was made")
    return findings


def _sound(prompt: Prompt, wav: Wav, level: levels.SpeechLevel, ends: levels.Ends) -> list[str]:
    if wav.samples.size == 0:
        return ["is empty"]
    findings = []
    if prompt.tone is None and abs(level.active_dbov - TARGET_DBOV) > LEVEL_TOLERANCE_DB:
        findings.append(f"level {level.active_dbov:.1f} dBov, not {TARGET_DBOV:.0f} ± {LEVEL_TOLERANCE_DB:.0f}")
    if level.peak_dbov > PEAK_LIMIT_DBOV + 0.01:
        findings.append(f"peaks at {level.peak_dbov:.1f} dBov, over {PEAK_LIMIT_DBOV:.0f}")
    if _clipped(wav.samples):
        findings.append("is clipped")
    if ends.leading_seconds > LEADING_LIMIT_SECONDS:
        findings.append(f"{ends.leading_seconds:.2f} s of silence at its start")
    if ends.trailing_seconds > TRAILING_LIMIT_SECONDS:
        findings.append(f"{ends.trailing_seconds:.2f} s of silence at its end")
    seconds = wav.samples.size / wav.rate
    if prompt.id == "ask" and seconds > ASK_LIMIT_SECONDS:
        findings.append(f"lasts {seconds:.1f} s, more than the {ASK_LIMIT_SECONDS:.0f} s a question may")
    return findings


def _clipped(samples: Samples) -> bool:
    """Two samples in a row at full scale."""
    full = abs(samples) >= FULL_SCALE
    return bool((full[1:] & full[:-1]).any())


def _phrases(prompt: Prompt, recording: Recording, samples: Samples) -> list[str]:
    """Where the sentences' places are known: the same pause between all, the same level for each."""
    marks = recording.phrases_ms
    if prompt.tone or not marks:
        return []
    pauses = {after - before for (_, before), (after, _) in pairwise(marks)}
    findings = []
    if any(abs(pause - prompt.pause_ms) > PAUSE_TOLERANCE_MS for pause in pauses):
        findings.append(f"pauses of {sorted(pauses)} ms, not {prompt.pause_ms} each")
    sounds = [samples[start * RATE // 1000 : end * RATE // 1000] for start, end in marks]
    found = [levels.speech_level(sound, RATE).active_dbov for sound in sounds]
    if max(found) - min(found) > PHRASE_SPREAD_DB:
        findings.append(f"sentences {max(found) - min(found):.1f} dB apart")
    return findings
