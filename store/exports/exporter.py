"""Sending a target what it is owed. Rule: no transaction is open while the platform thinks.

Claimed, then sent, then settled: whoever dies in between leaves a claim that ends by itself, and the message goes out
again under the same id. Three faults in a row end a round: a platform that is down is not knocked at for every message.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine

from store.exports.answer import Again, Fault, Refused, Response, Verdict, judge
from store.exports.gathering import gather
from store.exports.mapping import Kind, Unmappable, fill
from store.exports.outbox import Claimed, claim, read_on, settle
from store.exports.targets import Target
from store.privacy import FieldCipher

FAULTS_IN_A_ROW = 3


class Send(Protocol):
    """How a message goes out: `store.exports.sending.Sender`."""

    def __call__(self, kind: Kind, message: str, body: bytes, *, timestamp: int, nonce: str) -> Response | Fault:
        """Send a message and give what came back."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One target's sender with what it needs from outside: time, chance, the way out."""

    engine: Engine
    cipher: FieldCipher
    target: Target
    send: Send
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    nonce: Callable[[], str]
    report: Callable[[Verdict], None] = lambda _: None

    def batches(self) -> Iterator[int]:
        """Read the ledger on, then send what is due; gives 1 for each message that came to its end."""
        while read_on(self.engine, self.target, self.clock()):
            yield 0
        faults = 0
        while faults < FAULTS_IN_A_ROW and (message := claim(self.engine, self.target, self.clock())):
            verdict = self._deal_with(message)
            self.report(verdict)
            faults = faults + 1 if isinstance(verdict, Again) else 0
            yield 0 if isinstance(verdict, Again) else 1

    def _deal_with(self, message: Claimed) -> Verdict:
        subject: str | None = None
        try:
            gathered = gather(self.engine, self.cipher, self.target, message)
            record = fill(self.target.table, message.kind, gathered.facts, self.target.constants)
        except Unmappable as error:
            verdict: Verdict = Refused(str(error))
        else:
            subject = gathered.subject
            verdict = self._sent(message, json.dumps(record, ensure_ascii=False).encode())
        return settle(self.engine, self.target, message, verdict, self.clock(), chance=self.chance(), subject=subject)

    def _sent(self, message: Claimed, body: bytes) -> Verdict:
        moment = int(self.clock().timestamp())
        answer = self.send(message.kind, message.id, body, timestamp=moment, nonce=self.nonce())
        return judge(answer, self.target.table.answers, self.clock())
