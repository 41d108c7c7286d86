"""Matches messages to transactions (RFC 3261 17.1.3, 17.2.3) and keeps their number bounded."""

from __future__ import annotations

from collections.abc import Callable

from ivr.sip.effects import Effect, Peer
from ivr.sip.message import Request, Response
from ivr.sip.timers import Timers
from ivr.sip.transaction import InviteServer, NonInviteClient, NonInviteServer

Key = tuple[object, ...]


def transaction_key(request: Request, method: str) -> Key:
    """What names the server transaction of `request`; ACK and CANCEL look with the method of what they belong to.

    A hop that speaks RFC 2543 gives no unique branch, so more of the request has to speak for it. The To tag is
    left out: the INVITE had none yet, its ACK has.
    """
    via = request.via
    if via.identifies_transaction:
        return (via.branch, via.sent_by, method)
    return (
        request.headers("via")[0],
        request.uri_text,
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        method,
    )


def merge_key(request: Request) -> Key:
    """What two branches of one forked request share (RFC 3261 8.2.2.2)."""
    return (request.call_id, request.from_.tag, request.cseq.number)


class TransactionLayer:
    """The transactions of a node; at `limit` server transactions no new one is remembered."""

    __slots__ = ("_clients", "_limit", "_merges", "_servers", "timers")

    def __init__(self, limit: int) -> None:
        self.timers = Timers()
        self._limit = limit
        self._servers: dict[Key, InviteServer | NonInviteServer] = {}
        self._merges: dict[Key, Key] = {}
        self._clients: dict[tuple[str, str], NonInviteClient] = {}

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    @property
    def full(self) -> bool:
        """Whether further requests can only be answered without being remembered."""
        return len(self._servers) >= self._limit

    def find(self, request: Request, method: str) -> InviteServer | NonInviteServer | None:
        """The server transaction a request belongs to."""
        return self._servers.get(transaction_key(request, method))

    def find_invite(self, request: Request) -> InviteServer | None:
        """The INVITE transaction that an ACK or CANCEL means."""
        found = self.find(request, "INVITE")
        return found if isinstance(found, InviteServer) else None

    def is_merged(self, request: Request) -> bool:
        """Whether another branch of this new INVITE is here already."""
        return merge_key(request) in self._merges

    def open_invite(self, request: Request, peer: Peer, tag: str) -> InviteServer:
        """Remember a new INVITE, to be answered with this To tag."""
        key, merge = transaction_key(request, "INVITE"), merge_key(request)

        def forget() -> None:
            self._servers.pop(key, None)
            self._merges.pop(merge, None)

        transaction = InviteServer(self.timers, peer, tag, forget)
        self._servers[key] = transaction
        self._merges[merge] = key
        return transaction

    def open_other(self, request: Request, peer: Peer) -> NonInviteServer:
        """Remember a request other than INVITE, if there is room: unremembered, a copy of it is judged anew."""
        key = transaction_key(request, request.method)
        remembered = not self.full

        def forget() -> None:
            self._servers.pop(key, None)

        transaction = NonInviteServer(self.timers, peer, forget, remembered=remembered)
        if remembered:
            self._servers[key] = transaction
        return transaction

    def send(
        self,
        method: str,
        branch: str,
        data: bytes,
        peer: Peer,
        *,
        now: float,
        on_final: Callable[[int, float], list[Effect]],
    ) -> list[Effect]:
        """Send a request of ours; `on_final(status, now)` hears how it ended."""
        key = (branch, method)

        def finish(status: int, now: float) -> list[Effect]:
            self._clients.pop(key, None)
            return on_final(status, now)

        transaction = NonInviteClient(self.timers, data, peer, finish)
        self._clients[key] = transaction
        return transaction.start(now)

    def receive(self, response: Response, now: float) -> list[Effect] | None:
        """Hand a response to the request it answers; None if there is none (RFC 3261 17.1.3: branch and method)."""
        transaction = self._clients.get((response.via.branch, response.cseq.method))
        return None if transaction is None else transaction.receive(response.status, now)

    def disconnect(self, connection: int, now: float) -> list[Effect]:
        """End our requests that were under way on a connection now lost (RFC 3261 8.1.3.1: as if 503 had come)."""
        lost = [client for client in self._clients.values() if client.peer.connection == connection]
        return [effect for client in lost for effect in client.receive(503, now)]
