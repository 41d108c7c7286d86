"""baresip, a SIP phone of Debian, without a sound card: it plays a file, and its commands come over loopback."""

import json
import re
import shutil
import socket
import subprocess
import time
import wave
from pathlib import Path
from typing import Any, Self

import pytest
from outside import ports
from outside.waiting import until

MODULES = Path("/usr/lib/baresip/modules")


class Baresip:
    """One running phone. It offers the machine's own address, never loopback: see `own_address`."""

    def __init__(self, folder: Path, address: str) -> None:
        """Write its configuration."""
        self.folder = folder
        self.control = ports.http_port()
        self.log = folder / "baresip.log"
        _silence(folder / "say.wav")
        lines = {
            "module_path": MODULES,
            "ctrl_tcp_listen": f"127.0.0.1:{self.control}",
            "sip_listen": f"{address}:0",
            "audio_source": f"aufile,{folder / 'say.wav'}",
            "audio_alert": f"aufile,{folder / 'alert.wav'}",
            "rtp_ports": ports.rtp_range(20),
        }
        modules = ["module g711.so", "module aufile.so"]
        modules += [f"module_app {name}.so" for name in ("account", "menu", "ctrl_tcp")]
        text = "\n".join([*modules, *(f"{name} {value}" for name, value in lines.items())])
        (folder / "config").write_text(text + "\n")
        (folder / "accounts").write_text(f"<sip:phone@{address}>;regint=0;audio_codecs=PCMA/8000/1\n")
        (folder / "contacts").touch()
        self._buffer = b""

    def __enter__(self) -> Self:
        """Start it and connect to its control port."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(self.folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._link = until(self._connected, "baresip's control port", within=20)
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it to quit, which it does at once or not at all."""
        self._link.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connected(self) -> socket.socket | None:
        assert self._process.poll() is None, self.log.read_text(errors="replace")
        try:
            return socket.create_connection(("127.0.0.1", self.control))
        except ConnectionRefusedError:
            return None

    def tell(self, command: str, argument: str = "") -> None:
        """Give it one of its commands, as a netstring of JSON."""
        text = json.dumps({"command": command, "params": argument}).encode()
        self._link.sendall(b"%d:%s," % (len(text), text))

    def event(self, kind: str, within: float = 30.0) -> dict[str, Any]:
        """The next event of that kind."""
        deadline = time.monotonic() + within
        while True:
            while (message := self._cut()) is not None:
                if message.get("type") == kind:
                    return message
            self._link.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                self._buffer += self._link.recv(4096)
            except TimeoutError:
                pytest.fail(f"baresip does not report {kind}:\n{self.log.read_text(errors='replace')[-3000:]}")

    def _cut(self) -> dict[str, Any] | None:
        head, colon, rest = self._buffer.partition(b":")
        if not colon or len(rest) <= int(head):
            return None
        self._buffer = rest[int(head) + 1 :]
        message: dict[str, Any] = json.loads(rest[: int(head)])
        return message


def own_address(folder: Path) -> str:
    """The IPv4 address baresip would write into its SDP; skips where it is not installed or finds none."""
    if shutil.which("baresip") is None:
        pytest.skip("baresip is not installed (apt-get install baresip-core)")
    folder.mkdir()
    (folder / "config").write_text(f"module_path {MODULES}\n")
    told = subprocess.run(
        ["baresip", "-f", str(folder), "-t", "1"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    found = re.search(rb"IPv4=[^|\s]+\|([0-9.]+)", told.stdout + told.stderr)
    if found is None:
        pytest.skip("baresip needs a network interface besides loopback, and there is none")
    return found[1].decode()


def _silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 60))
