"""SIPp, the SIP tester of Debian's package sip-tester, calling the service on loopback."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from outside import ports
from outside.service import Service
from outside.sip_client import unique

SCENARIOS = Path(__file__).resolve().parents[1] / "acceptance" / "sipp"
CAPTURES = Path("/usr/share/sip-tester")


def sipp(service: Service, folder: Path, *options: str, transport: str = "udp", calls: int = 1) -> str:
    """Run one scenario (`-sf FILE` or `-sn NAME` in `options`); the prefix of its Call-IDs. Fails if a call failed."""
    if shutil.which("sipp") is None:
        pytest.skip("SIPp is not installed (apt-get install sip-tester)")
    if os.geteuid() != 0 and _plays(options):
        pytest.skip("SIPp plays captures through a raw socket, which needs root")
    name = unique("sipp")
    command = [
        "sipp", service.address, *options, "-m", str(calls), "-s", "survey", "-i", service.host,
        "-p", str(ports.sip_port(service.host)), "-mi", service.host, "-mp", str(ports.sip_port(service.host) & ~1),
        "-t", "t1" if transport == "tcp" else "u1", "-cid_str", f"{name}-%u", "-ci", "127.0.0.1", "-nostdin",
        "-timeout", "40s", "-timeout_error", "-trace_err", "-error_file", f"{name}.errors",
        "-trace_msg", "-message_file", f"{name}.messages",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False, env=_environment())
    assert done.returncode == 0, _story(folder, name, done.stdout)
    return name


def scenario(name: str) -> tuple[str, str]:
    """The option for one of our own scenarios."""
    return "-sf", str(SCENARIOS / f"{name}.xml")


def _plays(options: tuple[str, ...]) -> bool:
    """Whether a capture is played."""
    return options[:2] == ("-sn", "uac_pcap") or "play_pcap" in Path(options[1]).read_text()


def _environment() -> dict[str, str]:
    return {**os.environ, "TERM": "dumb"}


def _story(folder: Path, name: str, screen: bytes) -> str:
    parts = [folder / f"{name}.errors", folder / f"{name}.messages"]
    written = [part.read_text(errors="replace") for part in parts if part.exists()]
    return "\n".join(["SIPp failed", *written, screen.decode(errors="replace")[-2000:]])
