"""SIPp as the callers: N at a time, each streaming RTP for its whole call."""

import csv
import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import sound

SCENARIO = Path(__file__).resolve().parent / "sipp" / "survey_call.xml"
MEDIA_PORT = 10_000
"""SIPp streams each call's speech from the next free even port from here on, and plays its key from the next multiple
of four above it, 2,500 of them in turn."""
MEDIA_PORTS = 10_000
CALL_SECONDS = 5.1
GRADES = {
    "1": "very_satisfied",
    "2": "satisfied",
    "3": "basically_satisfied",
    "4": "dissatisfied",
    "5": "very_dissatisfied",
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """SIPp's own last word."""

    created: int
    completed: int
    failed: int
    retransmissions: int
    unexpected: int


class Callers:
    """One run of SIPp in `folder`."""

    def __init__(self, folder: Path, target: tuple[str, int], *, concurrent: int, calls: int) -> None:
        """Write the sounds and start calling at once, at the rate that keeps `concurrent` calls up."""
        for key in GRADES:
            sound.write_key(folder / f"key{key}.pcap", key)
        sound.write_speech(folder / "speech.alaw")
        keys = itertools.islice(itertools.cycle("31524"), 1000)
        (folder / "keys.csv").write_text("SEQUENTIAL\n" + "".join(f"{key};\n" for key in keys), encoding="ascii")
        self._folder = folder
        command = ["sipp", f"{target[0]}:{target[1]}", "-sf", str(SCENARIO), "-inf", "keys.csv", "-i", target[0]]
        command += ["-r", f"{concurrent / CALL_SECONDS:.3f}", "-l", str(concurrent * 2), "-m", str(calls)]
        command += ["-mp", str(MEDIA_PORT), "-trace_stat", "-stf", "sipp.csv", "-fd", "1", "-nostdin"]
        command += ["-trace_err", "-error_file", "sipp_errors.log", "-timeout", f"{60 + 2 * calls}s"]
        with (folder / "sipp.log").open("wb") as screen:
            self.process = subprocess.Popen(command, cwd=folder, stdout=screen, stderr=subprocess.STDOUT)

    def wait(self, seconds: float) -> Statistics:
        """Wait for the last call's end; raises TimeoutExpired. SIPp ends with 1 if a call failed: that is a figure."""
        try:
            self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
        return read_statistics(self._folder / "sipp.csv")


def read_statistics(path: Path) -> Statistics:
    """The last line of SIPp's statistics file."""
    with path.open(encoding="latin-1", newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Statistics(
        created=int(last["TotalCallCreated"]),
        completed=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
        unexpected=int(last["FailedUnexpectedMessage(C)"]),
    )
