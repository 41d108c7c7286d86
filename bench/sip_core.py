"""What the SIP work of one simple call costs: INVITE, 100, 200, ACK, BYE, 200 through UserAgentServer, no sockets.

Run `python bench/sip_core.py [CALLS]`. The SDP answer is counted too; timers are expired as a node would, at
200 calls a second of passed-in time, so the heap holds what 32 s of traffic leave in it.
"""

from __future__ import annotations

import gc
import itertools
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ivr.sip import sdp
from ivr.sip.user_agent_server import Ended, Established, Offered, Peer, Transmit, UserAgentServer

RATE = 200.0
PEER = Peer("udp", "127.0.0.1", 5070, "127.0.0.1", 5060)
OFFER = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)


def request(method: str, call: int, *, cseq: int, to_tag: str = "", body: bytes = b"") -> bytes:
    """One request as a trunk's proxy sends it."""
    content = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:survey@127.0.0.1:5060 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-{method}-{call};rport\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnext{call}\r\n"
        "Record-Route: <sip:127.0.0.1:5070;lr>\r\n"
        f'From: "12345" <sip:02512345@192.0.2.7>;tag=from{call}\r\n'
        f"To: <sip:survey@127.0.0.1:5060>{to_tag}\r\n"
        f"Call-ID: {call}-4711@192.0.2.7\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 69\r\n"
        "Contact: <sip:02512345@192.0.2.7:5060>\r\nUser-Agent: pbx\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
        f"Supported: timer\r\n{content}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def one_call(server: UserAgentServer, number: int, now: float) -> None:
    """One whole call; the messages are built outside the measured time."""
    offered = server.receive(request("INVITE", number, cseq=1, body=OFFER), PEER, now)[-1]
    assert isinstance(offered, Offered)
    assert offered.offer
    body, _ = sdp.answer(
        sdp.parse(offered.offer), local_address="127.0.0.1", port=20000, session_id=number, session_version=1
    )
    (sent,) = server.accept(offered.call, body, now)
    assert isinstance(sent, Transmit)
    tag = sent.data.partition(b";tag=t")[2].partition(b"\r\n")[0].decode()
    (established,) = server.receive(request("ACK", number, cseq=1, to_tag=f";tag=t{tag}"), PEER, now)
    assert isinstance(established, Established)
    _, ended = server.receive(request("BYE", number, cseq=2, to_tag=f";tag=t{tag}"), PEER, now)
    assert isinstance(ended, Ended)
    server.expire(now)


def building(calls: int) -> float:
    """CPU seconds the bench itself spends on writing the caller's requests."""
    begun = time.process_time()
    for number in range(calls):
        request("INVITE", number, cseq=1, body=OFFER)
        request("ACK", number, cseq=1, to_tag=";tag=t1")
        request("BYE", number, cseq=2, to_tag=";tag=t1")
    return time.process_time() - begun


def measure(calls: int = 20_000) -> dict[str, float]:
    """CPU microseconds per call, calls a second on one core, and what memory the remembered transactions take."""
    tags = itertools.count()
    server = UserAgentServer(
        new_tag=lambda: f"t{next(tags)}", server_name="bench", contact=lambda _: "sip:survey@127.0.0.1:5060"
    )
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    for number in range(calls):
        one_call(server, number, number / RATE)
    spent = time.process_time() - begun - building(calls)
    remembered = server.transactions
    server.expire(calls / RATE + 64)
    assert server.transactions == server.calls == 0
    return {
        "calls": calls,
        "microseconds_per_call": round(spent / calls * 1e6),
        "calls_per_second_on_one_core": round(calls / spent),
        "transactions_remembered": remembered,
        "peak_resident_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Print what was measured."""
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000).items():
        print(f"{name:30} {value:>10}")


if __name__ == "__main__":
    main()
