"""What both sides agreed on for one leg, kept as SDP says it and handed out as the media process needs it."""

from ivr.media.parameters import MediaParameters
from ivr.sip.sdp import LocalSession, Negotiated, NotAcceptable, SessionDescription, agreement, parse


class MediaSession:
    """Offer and answer of one leg (RFC 3264). NotAcceptable and MalformedDescription rise from every step."""

    def __init__(self, local_address: str, session_id: int) -> None:
        """`local_address` is a numeric host, IPv6 without brackets."""
        self._address = local_address
        self._session_id = session_id
        self._offer: SessionDescription | None = None
        self._local: LocalSession | None = None

    def begin(self, offer: bytes | None) -> MediaParameters:
        """Agree to an offer before a port is bound; without one (a late offer) the other side is not known yet."""
        if offer is None:
            return self._unknown_peer()
        self._offer = parse(offer)
        return self._parameters(agreement(self._offer, local_address=self._address))

    def describe(self, port: int) -> bytes:
        """Our first description, for the 200: the answer, or our offer where theirs is late."""
        self._local = LocalSession(self._session_id, address=self._address, port=port)
        return self._local.offer() if self._offer is None else self._local.answer(self._offer)[0]

    def settle(self, answer_body: bytes | None) -> MediaParameters:
        """Take the answer to our offer; NotAcceptable if the ACK brought none (RFC 3261 13.2.1)."""
        if answer_body is None:
            raise NotAcceptable("the ACK brought no answer to our offer")
        assert self._local is not None
        return self._parameters(self._local.accept(parse(answer_body)))

    def change(self, offer: bytes) -> tuple[bytes, MediaParameters]:
        """Answer a new offer inside the dialog: hold, another codec, another address (RFC 3264 8)."""
        assert self._local is not None
        body, agreed = self._local.answer(parse(offer))
        return body, self._parameters(agreed)

    def offer_again(self) -> bytes:
        """Our offer for a re-INVITE that came without one (RFC 3261 14.2)."""
        assert self._local is not None
        return self._local.offer()

    def _parameters(self, agreed: Negotiated) -> MediaParameters:
        return MediaParameters(
            local_address=self._address,
            remote_address=agreed.remote_address,
            remote_port=agreed.remote_port,
            codec=agreed.codec,
            payload_type=agreed.payload_type,
            event_payload_type=agreed.event_payload_type,
            send=agreed.send,
            receive=agreed.receive,
            rtcp_port=agreed.rtcp_port,
        )

    def _unknown_peer(self) -> MediaParameters:
        return MediaParameters(
            self._address, self._address, 0, "PCMA", 8, None, send=False, receive=False, rtcp_port=None
        )
