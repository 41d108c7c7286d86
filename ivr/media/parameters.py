"""What one leg's media is to be: the settled result of offer and answer, as the pump needs it."""

from dataclasses import dataclass
from typing import Literal

Codec = Literal["PCMA", "PCMU"]


@dataclass(frozen=True, slots=True)
class MediaParameters:
    """One RTP stream both ways.

    Addresses are literal IPs without brackets. `remote_port` 0: the other side is not known yet (a late
    offer) or rejected media; nothing is sent and nothing is heard until an update names it.
    `event_payload_type` None: no telephone-event was negotiated. `send` False: on hold, nothing is sent.
    `receive` False: the other side will send nothing, so its silence is no fault.
    `rtcp_port` None: the port above `remote_port` (RFC 3550, 11).
    """

    local_address: str
    remote_address: str
    remote_port: int
    codec: Codec
    payload_type: int
    event_payload_type: int | None
    send: bool
    receive: bool
    rtcp_port: int | None

    @property
    def remote_rtcp_port(self) -> int:
        """Where reports go: the port that was named, or the odd one above."""
        return self.rtcp_port or self.remote_port + 1
