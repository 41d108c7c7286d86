"""A phone for the tests: one call at a time, every message at the test's command."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from outside.audio import Audio
from outside.service import Service
from outside.sip_client import Message, Wire, acknowledge, description, request, unique
from outside.waiting import until


class Phone:
    """A user agent client with its audio. It retransmits nothing: loopback loses nothing, and tests count messages."""

    def __init__(self, service: Service, transport: str = "udp", *, source: str = "", **audio: Any) -> None:
        """Listens on the service's own loopback address, or on `source`."""
        self.wire = Wire(service.host, service.port, transport, source=source)
        self.audio = Audio(self.wire.host, **audio)
        self.invite = Message("")
        self.answer = Message("")
        self._cseq = 1
        self._version = 1

    # --- setting up

    def offer(self, direction: str = "sendrecv", formats: str = "8 0 101") -> str:
        """An SDP of this phone's audio; a new version each time."""
        self._version += 1
        return description(self.wire.host, self.audio.port, formats=formats, direction=direction, version=self._version)

    def send_invite(self, user: str = "survey", *, sdp: str | None = None, **changes: str | None) -> Message:
        """Send an INVITE and give it back."""
        self.invite = request(self.wire, "INVITE", user, sdp=self.offer() if sdp is None else sdp, **changes)
        self.wire.send(self.invite.serialize())
        return self.invite

    def final(self, method: str = "INVITE", within: float = 5.0) -> Message:
        """The next final response to a request of that method; provisional ones and others are passed over."""
        return self.expect(
            lambda message: message.status >= 200 and message.cseq[1] == method, f"final to {method}", within
        )

    def expect(self, wanted: Any, what: str, within: float = 5.0) -> Message:
        """The first message that `wanted` accepts; fails with all that came instead."""
        deadline = time.monotonic() + within
        others = []
        while (left := deadline - time.monotonic()) > 0:
            data = self.wire.receive(left)
            if data is None:
                continue
            message = Message.parse(data)
            if wanted(message):
                return message
            others.append(f"{message.start} ({message.get('CSeq')})")
        raise AssertionError(f"no {what} within {within:g} s; instead: {others}")

    def dial(self, user: str = "survey", **changes: str | None) -> str:
        """INVITE, 200, ACK, media: an established call; its Call-ID."""
        self.send_invite(user, **changes)
        answer = self.final()
        assert answer.status == 200, answer.start
        self.established(answer)
        return self.call_id

    def established(self, answer: Message, *, body: str = "") -> None:
        """Take the 200, acknowledge it and let the audio run."""
        self.answer = answer
        self.acknowledge(body=body)
        if answer.body:
            self.audio.start(media_address(answer.body))

    def refused(self, user: str = "survey", **changes: str | None) -> Message:
        """Send an INVITE that must be refused; its final response, acknowledged."""
        self.send_invite(user, **changes)
        answer = self.final()
        assert answer.status >= 300, answer.start
        self.wire.send(acknowledge(self.invite, answer).serialize())
        return answer

    @property
    def call_id(self) -> str:
        """The Call-ID of the call at hand."""
        return self.invite.get("Call-ID")

    # --- within the dialog

    def in_dialog(self, method: str, *, cseq: int = 0, body: str = "", **changes: str | None) -> Message:
        """A request within the dialog, along the route that the 200 recorded (RFC 3261 12.1.2)."""
        if not cseq and method not in {"ACK", "CANCEL"}:
            self._cseq += 1
        number = cseq or self._cseq
        target = self.answer.get("Contact").partition("<")[2].partition(">")[0]
        plain: dict[str, str | None] = {
            "Via": f"SIP/2.0/{self.wire.transport.upper()} {self.wire.address};branch={unique('z9hG4bK')};rport",
            "Max-Forwards": "70",
            "From": self.invite.get("From"),
            "To": self.answer.get("To"),
            "Call-ID": self.call_id,
            "CSeq": f"{number} {method}",
            "Contact": self.invite.get("Contact"),
            "Content-Type": "application/sdp" if body else None,
        }
        plain |= {name.replace("_", "-"): value for name, value in changes.items()}
        routes = [("Route", value) for value in reversed(self.answer.all("Record-Route"))]
        headers = [(name, value) for name, value in plain.items() if value is not None]
        return Message(f"{method} {target} SIP/2.0", [*headers, *routes], body.encode())

    def tell(self, method: str, *, body: str = "", within: float = 5.0, **changes: str | None) -> Message:
        """Send a request within the dialog and give its final response."""
        self.wire.send(self.in_dialog(method, body=body, **changes).serialize())
        return self.final(method, within)

    def acknowledge(self, *, body: str = "") -> None:
        """ACK the last 200 to an INVITE, which may have been a re-INVITE."""
        self.wire.send(self.in_dialog("ACK", cseq=self.answer.cseq[0], body=body).serialize())

    def change(self, sdp: str) -> Message:
        """A re-INVITE; its final response, acknowledged."""
        again = self.in_dialog("INVITE", body=sdp)
        self.wire.send(again.serialize())
        answer = self.final()
        if answer.status == 200:
            self.wire.send(self.in_dialog("ACK", cseq=answer.cseq[0]).serialize())
        else:
            self.wire.send(acknowledge(again, answer).serialize())
        return answer

    def signal(self, key: str, *, kind: str = "application/dtmf-relay") -> Message:
        """A key by INFO; the response."""
        body = f"Signal={key}\r\nDuration=160\r\n" if kind.endswith("relay") else key
        return self.tell("INFO", body=body, Content_Type=kind)

    def press(self, key: str) -> None:
        """A key by RFC 4733."""
        self.audio.press(key)

    def hang_up(self) -> Message:
        """BYE; its response."""
        return self.tell("BYE")

    def asked(self, times: int = 1, within: float = 5.0) -> None:
        """Wait until the question is heard so many times."""
        until(lambda: self.audio.prompts.count("ask") >= times, "the question", within)

    def hears(self, *prompts: str, within: float = 5.0) -> None:
        """Wait until these prompts, and no others, were heard to their ends."""
        until(
            lambda: self.audio.prompts == list(prompts) and self.audio.pause,
            f"{prompts} to be heard, after {self.audio.prompts}",
            within,
        )

    def hung_up_on(self, within: float = 15.0) -> Message:
        """Wait for the service's BYE and answer it 200."""
        bye = self.expect(lambda message: message.method == "BYE", "BYE from the service", within)
        self.wire.send(response(bye, 200, "OK").serialize())
        return bye

    def close(self) -> None:
        """Give everything back; a call still up is left to the service."""
        self.audio.close()
        self.wire.close()


def response(to: Message, status: int, reason: str) -> Message:
    """Our response to the service's request."""
    kept = [(name, value) for name, value in to.headers if name.lower() in {"via", "from", "to", "call-id", "cseq"}]
    return Message(f"SIP/2.0 {status} {reason}", kept)


def media_address(sdp: bytes) -> tuple[str, int]:
    """Where an SDP with one audio stream wants its media."""
    lines = sdp.decode().split("\r\n")
    host = next(line.split(" ")[2] for line in lines if line.startswith("c="))
    port = next(int(line.split(" ")[1]) for line in lines if line.startswith("m=audio"))
    return host, port


@contextmanager
def phone(service: Service, transport: str = "udp", **options: Any) -> Iterator[Phone]:
    """A phone that is put away at the end."""
    made = Phone(service, transport, **options)
    try:
        yield made
    finally:
        made.close()
