"""One IVR node: SIP address, media process, flow and journal joined. It never touches the database.

Start-up refuses in one sentence what would fail a caller later: a flow with mistakes, a missing prompt, a taken
port, a journal in use. Stopping lets running calls finish: no new ones (OPTIONS 503), then a limit, then BYE.
"""

import asyncio
import contextlib
import gc
import itertools
import secrets
import signal
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

import structlog

from ivr.flow.loader import FlowMistakes, load
from ivr.flow.model import Flow
from ivr.gateway import figures
from ivr.gateway.admission import Door
from ivr.gateway.call_control import CallControl
from ivr.gateway.durable import append_to
from ivr.gateway.journal_records import Record, UnreadableRecord, parse, unfinished
from ivr.gateway.last_words import LastWords
from ivr.gateway.leg import Node
from ivr.gateway.media_link import MediaLink, MediaUnavailable
from ivr.gateway.media_messages import MediaEvent, PumpLost
from ivr.gateway.sip_trunk import PortTaken, SipTrunk
from ivr.journal import Journal, JournalError
from ivr.proof import NotProved, prove_once
from ivr.readiness import notify
from ivr.sip.effects import Effect, Peer
from ivr.sip.uri import bracketed
from ivr.sip.user_agent_server import Limits, UserAgentServer
from prompts.catalogue import Catalogue, PromptError, duration
from store.privacy import FieldCipher
from store.secret import Keys

log = structlog.get_logger("node")

FIGURES_SECONDS = 0.5
GARBAGE_THRESHOLD = 50_000
# for a BYE and one retransmission of it (RFC 3261 17.1.2.2: T1 = 0.5 s)
FAREWELL_SECONDS = 2.0
MEDIA_RESTART_PAUSES = (0.1, 0.5, 2.0, 5.0)

Network = IPv4Network | IPv6Network


class NodeRefused(Exception):
    """The node will not start; the message is the one sentence for the engineer."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The values one node runs by; the names are those of the settings they come from."""

    node: str
    sip_bind: tuple[str, int]
    sip_trunks: tuple[Network, ...]
    silent_to_strangers: bool
    sip_users: frozenset[str]
    media_address: str | None
    rtp_ports: tuple[int, int]
    max_calls: int
    media_timeout_seconds: float
    drain_seconds: float
    refuse_unmatched: bool
    flow: Path
    prompts: Path
    language: str | None
    proofs_dir: Path
    journal_dir: Path
    journal_max_bytes: int
    keys: Keys


async def run(settings: NodeSettings) -> None:
    """Run until SIGTERM or SIGINT, then drain; raises NodeRefused if it cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    flow = load_flow(settings.flow)
    catalogue = open_catalogue(settings.prompts)
    recordings = recordings_of(flow, catalogue)
    try:
        prove_once(flow, catalogue.durations(), settings.proofs_dir)
    except NotProved as error:
        raise NodeRefused(str(error)) from error
    with open_journal(settings) as journal:
        close_unfinished(journal)
        node = IvrNode(settings, flow, recordings, journal)
        await node.start()
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        await node.drain()


def load_flow(path: Path) -> Flow:
    """Read the flow or refuse with all its mistakes."""
    try:
        return load(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NodeRefused(f"the flow {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NodeRefused(f"the flow {path} is not UTF-8 text") from error
    except FlowMistakes as mistakes:
        raise NodeRefused(f"the flow has mistakes, nothing was started:\n{mistakes}") from mistakes


def open_catalogue(folder: Path) -> Catalogue:
    """The catalogue of recordings, or refuse."""
    try:
        return Catalogue.load(folder)
    except PromptError as error:
        raise NodeRefused(str(error)) from error


def recordings_of(flow: Flow, catalogue: Catalogue) -> dict[tuple[str, str], Path]:
    """Every recording the flow can play, (language, prompt) to its file; refuses if one is missing or no WAV."""
    if flow.records:
        raise NodeRefused(f"the flow {flow.name} records a comment, which this gateway cannot do yet")
    try:
        wanted = [(language, prompt) for language in flow.languages for prompt in sorted(flow.prompts())]
        recordings = {key: catalogue.path(*key) for key in wanted}
    except PromptError as error:
        raise NodeRefused(str(error)) from error
    missing = [str(path) for path in recordings.values() if not path.is_file()]
    if missing:
        raise NodeRefused(f"the flow {flow.name} needs recordings that are not there: {', '.join(missing)}")
    broken = [str(path) for path in recordings.values() if duration(path) is None]
    if broken:
        raise NodeRefused(f"the flow {flow.name} needs recordings that are no WAV files: {', '.join(broken)}")
    return recordings


@contextlib.contextmanager
def open_journal(settings: NodeSettings) -> Iterator[Journal]:
    """The node's journal, opened and repaired; refuses if another process writes it or it cannot be opened."""
    journal = Journal(settings.journal_dir, max_bytes=settings.journal_max_bytes)
    try:
        journal.open()
    except (JournalError, OSError) as error:
        raise NodeRefused(f"the journal {settings.journal_dir} cannot be opened: {error}") from error
    try:
        yield journal
    finally:
        journal.close()


def close_unfinished(journal: Journal) -> None:
    """End in the journal the calls an earlier life of this node left open; what was answered in them stands."""
    for ended in unfinished(readable(payload for _, payload in journal.read()), datetime.now(UTC)):
        journal.append(ended.payload(), reserve=True).result()
        log.warning("call of an earlier run closed", call=ended.id[:8], outcome=ended.outcome)


def readable(payloads: Iterable[bytes]) -> Iterator[Record]:
    """Every record that can be read; the delivery sets the others aside."""
    for payload in payloads:
        with contextlib.suppress(UnreadableRecord):
            yield parse(payload)


class IvrNode:
    """The running parts of a node."""

    def __init__(
        self, settings: NodeSettings, flow: Flow, recordings: dict[tuple[str, str], Path], journal: Journal
    ) -> None:
        """Nothing listens before `start`."""
        self._settings = settings
        self._flow = flow
        self._recordings = recordings
        self._journal = journal
        self._core = UserAgentServer(
            new_tag=partial(secrets.token_hex, 8),
            server_name="Pingjia",
            contact=contact_of,
            limits=Limits(max_calls=settings.max_calls),
        )
        self._trunk = SipTrunk(
            self._core,
            admits=partial(admits, settings.sip_trunks),
            silent_to_strangers=settings.silent_to_strangers,
            on_effect=self._effect,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Media first, then the SIP address: who can reach us can be served."""
        settings = self._settings
        try:
            media = await self._start_media()
        except MediaUnavailable as error:
            raise NodeRefused(str(error)) from error
        self._last_words = LastWords(partial(append_to, self._journal, reserve=True))
        shared = Node(
            name=settings.node,
            core=self._core,
            trunk=self._trunk,
            media=media,
            journal=self._journal,
            last_words=self._last_words,
            cipher=FieldCipher(settings.keys.fields),
            media_address=settings.media_address,
        )
        door = Door(settings.keys, settings.sip_users, settings.refuse_unmatched)
        self._control = CallControl(shared, door, self._flow, settings.language)
        try:
            host, port = await self._trunk.listen(*settings.sip_bind)
        except PortTaken as error:
            await media.shut_down()
            raise NodeRefused(str(error)) from error
        self._in_background(self._report_figures())
        gc.collect()
        gc.freeze()  # what start-up made lives as long as the process: never walk it again
        # A call leaves no cycles behind: look for them only if something else piles up. At 400 calls the usual
        # thresholds cost 4 % of the time and pauses of up to 80 ms.
        gc.set_threshold(GARBAGE_THRESHOLD)
        log.info("node ready", node=settings.node, sip=f"{bracketed(host)}:{port}", flow=self._flow.version)

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_media(self) -> MediaLink:
        media = await MediaLink.start(
            prompts=self._recordings,
            rtp_ports=self._settings.rtp_ports,
            media_timeout_seconds=self._settings.media_timeout_seconds,
            on_event=self._media_event,
        )
        for language, prompt, reason in media.unreadable:
            log.error("recording cannot be played", language=language, prompt=prompt, reason=reason)
        return media

    def _effect(self, effect: Effect) -> None:
        self._control.effect(effect)

    def _media_event(self, event: MediaEvent) -> None:
        self._control.media_event(event)
        if isinstance(event, PumpLost):
            self._in_background(self._restart_media())

    async def _restart_media(self) -> None:
        """Bring the media process back; calls that arrive in between are answered 503."""
        for pause in itertools.chain(MEDIA_RESTART_PAUSES, itertools.repeat(MEDIA_RESTART_PAUSES[-1])):
            await asyncio.sleep(pause)
            try:
                self._control.use_media(await self._start_media())
            except MediaUnavailable as error:
                log.error("media process cannot be started", reason=str(error))
            else:
                figures.note(figures.PUMP_RESTARTS, 1)
                log.info("media process started again")
                return

    async def _report_figures(self) -> None:
        while True:
            state = self._journal.figures()
            figures.note(figures.JOURNAL_BYTES, state.bytes_used)
            figures.note(figures.JOURNAL_FULL, 1 if state.full or state.failed else 0)
            for _ in range(4):
                figures.write_down()
                await asyncio.sleep(FIGURES_SECONDS)

    async def drain(self) -> None:
        """No new calls (OPTIONS 503); running ones may finish within the limit, then they are hung up."""
        self._core.draining = True
        log.info("draining", calls=self._control.active)
        await self._control.idle(self._settings.drain_seconds)
        self._control.take_down_all("node")
        await self._control.idle(FAREWELL_SECONDS)
        self._last_words.flush()
        figures.write_down()
        for task in self._tasks:
            task.cancel()
        await self._control.media.shut_down()
        self._trunk.close()
        log.info("node stopped")


def admits(trunks: tuple[Network, ...], host: str) -> bool:
    """Whether an address may call; an IPv4 address in IPv6 clothes counts as IPv4."""
    address = ip_address(host.partition("%")[0])
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in network for network in trunks if network.version == plain.version)


def contact_of(peer: Peer) -> str:
    """Our Contact URI as this peer reaches us (RFC 3261 8.1.1.8)."""
    transport = "" if peer.transport == "udp" else f";transport={peer.transport}"
    return f"sip:pingjia@{bracketed(peer.local_host)}:{peer.local_port}{transport}"
