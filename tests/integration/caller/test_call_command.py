"""`app.py call` against servers that refuse, ring for ever, speak rubbish or say nothing: it ends, and says why."""

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class Server:
    """A SIP peer that answers each INVITE with the given statuses and remembers what it was sent."""

    def __init__(self, *statuses: str) -> None:
        self._statuses = statuses
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port = self._socket.getsockname()[1]
        self.requests: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def methods(self) -> list[str]:
        return [request.split(" ", 1)[0] for request in self.requests]

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            self.requests.append(data.decode())
            if data.startswith(b"INVITE"):
                for status in self._statuses:
                    self._socket.sendto(self._response(data.decode(), status), source)
            elif data.startswith(b"CANCEL"):
                self._socket.sendto(self._response(data.decode(), "200 OK"), source)
                self._socket.sendto(self._response(self.requests[0], "487 Request Terminated"), source)

    def _response(self, request: str, status: str) -> bytes:
        if status == "rubbish":
            return b"SIP/2.0 what\r\n\r\n\xff"
        kept = [line for line in request.split("\r\n") if re.match("Via|From|Call-ID|CSeq", line)]
        to = re.search(r"To: .*", request)[0].rstrip("\r") + ";tag=there"
        return "\r\n".join([f"SIP/2.0 {status}", *kept, to, "Content-Length: 0", "", ""]).encode()


@pytest.fixture
def server(request):
    server = Server(*request.param)
    yield server
    server.close()


def call(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PINGJIA_")}
    return subprocess.run(
        [sys.executable, ROOT / "app.py", "call", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=environment,
    )


@pytest.mark.parametrize("server", [["100 Trying", "486 Busy Here"], ["403 Forbidden"], ["503 Busy"]], indirect=True)
def test_a_refusal_is_acknowledged_told_and_exit_1(server, tmp_path):
    run = call(f"sip:survey@127.0.0.1:{server.port}", "--key", "2", folder=tmp_path)
    assert run.returncode == 1
    assert re.search(r"refused: (486|403|503) ", run.stdout)
    assert server.methods() == ["INVITE", "ACK"]
    assert "To: <sip:survey@127.0.0.1>;tag=there" in server.requests[1]
    branches = {re.search("branch=([^;\r]+)", request)[1] for request in server.requests}
    assert len(branches) == 1, "the ACK of a refusal belongs to the INVITE's transaction"


@pytest.mark.parametrize("server", [["100 Trying", "180 Ringing"]], indirect=True)
def test_a_call_nobody_answers_is_cancelled(server, tmp_path):
    run = call(f"sip:survey@127.0.0.1:{server.port}", "--answer-timeout", "0.5", folder=tmp_path)
    assert run.returncode == 1
    assert "ringing" in run.stdout
    assert "no answer within 0.5 s" in run.stdout
    assert "CANCEL" in server.methods()
    assert "did not answer our CANCEL" not in run.stdout


@pytest.mark.parametrize("server", [[]], indirect=True)
def test_a_silent_server_is_asked_again_and_then_given_up(server, tmp_path):
    run = call(f"sip:survey@127.0.0.1:{server.port}", "--answer-timeout", "2", folder=tmp_path)
    assert run.returncode == 1
    assert server.methods() == ["INVITE"] * 3, "sent again after 0.5 s and 1.5 s (RFC 3261 17.1.1.2)"
    assert len(set(server.requests)) == 1


@pytest.mark.parametrize("server", [["rubbish", "486 Busy Here"]], indirect=True)
def test_rubbish_does_not_deafen_the_caller(server, tmp_path):
    run = call(f"sip:survey@127.0.0.1:{server.port}", folder=tmp_path)
    assert run.returncode == 1
    assert "cannot read" in run.stdout
    assert "refused: 486" in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("server", [["403 Forbidden"]], indirect=True)
def test_a_token_goes_into_the_user_part(server, tmp_path):
    call(f"sip:survey@127.0.0.1:{server.port}", "--token", "pjabc234", folder=tmp_path)
    assert server.requests[0].startswith("INVITE sip:pjabc234@127.0.0.1 SIP/2.0\r\n")


@pytest.mark.parametrize("server", [["403 Forbidden"]], indirect=True)
def test_pcma_comes_first_and_in_band_offers_no_telephone_event(server, tmp_path):
    call(f"sip:survey@127.0.0.1:{server.port}", folder=tmp_path)
    call(f"sip:survey@127.0.0.1:{server.port}", "--in-band", folder=tmp_path)
    offers = [request for request in server.requests if request.startswith("INVITE")]
    assert re.search(r"m=audio \d+ RTP/AVP 8 0 101\r\n", offers[0])
    assert re.search(r"m=audio \d+ RTP/AVP 8 0\r\n", offers[1])
    assert len({re.search("Call-ID: (.*)\r", offer)[1] for offer in offers}) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--key", "x"], "--key x: one of 0 1 2"),
        (["--key", "22"], "--key 22: one of"),
        (["--key", "2", "--silent"], "exclude each other"),
        (["http://somewhere"], "write it as sip:USER@HOST:PORT"),
        (["sip:survey@[::1]:5060"], "IPv4"),
        (["sip:survey@127.0.0.1:99999"], "a port is 1 to 65535"),
        (["sip:survey@no-such-host.invalid"], "no IPv4 address here"),
        (["--transport", "tcp"], "speaks UDP only"),
        (["--token", "two words"], "not the user part"),
        (["--after", "-1"], "seconds"),
        (["--save", "nowhere/heard.wav"], "there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, said, tmp_path):
    run = call(*arguments, folder=tmp_path)
    assert run.returncode == 2
    assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1
