"""One test call from dialling to its end, each step told as it happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ivr.caller.hearing import Hearing
from ivr.caller.phone import TIMER_T1_SECONDS, Progress, TrunkCall, TrunkPhone

TICK_SECONDS = 0.005
FAREWELL_SECONDS = 2.0
STOP_WITHIN_SECONDS = 0.3  # later than this it was a pause in the sentence and not the key
LONGEST_CALL_SECONDS = 600.0

Say = Callable[[float, str], None]


class End(StrEnum):
    """How the call came to its end."""

    SERVICE = "service"  # it hung up on us: the normal end
    CALLER = "caller"  # we hung up
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    ENDLESS = "endless"  # nobody ended it


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What to dial and what to do when it is answered. Times in seconds after the answer."""

    host: str
    port: int
    user: str
    caller: str = "test-caller"
    keys: tuple[str, ...] = ()
    after: float = 3.0  # before the first key, and between keys
    hang_up_after: float | None = None
    in_band: bool = False
    answer_timeout: float = 10.0


@dataclass(slots=True)
class Press:
    """A key that was pressed and, if a voice was speaking, how long it went on."""

    key: str
    seconds: float
    voice_stopped_after_ms: int | None = None
    told: bool = False


@dataclass(slots=True)
class CallReport:
    """What happened; `hearing` holds what was heard."""

    call_id: str = ""
    end: End = End.UNANSWERED
    status: int | None = None
    presses: list[Press] = field(default_factory=list)
    seconds: float = 0.0  # from the answer to the end
    hearing: Hearing = field(default_factory=Hearing)

    @property
    def good(self) -> bool:
        """Answered, and ended as a call should."""
        return self.end in (End.SERVICE, End.CALLER)

    def save(self, path: Path) -> None:
        """Keep what was heard as a WAV."""
        self.hearing.save(path)


def place_call(plan: CallPlan, say: Say) -> CallReport:
    """Call as planned and tell each step with the seconds since the start. Raises OSError if there is no way out."""
    report = CallReport()
    phone = TrunkPhone(plan.host, plan.port, plan.caller)
    phone.start()
    try:
        _Conversation(plan, phone, report, say).hold()
    finally:
        phone.stop()
    return report


class _Conversation:
    def __init__(self, plan: CallPlan, phone: TrunkPhone, report: CallReport, say: Say) -> None:
        self._plan = plan
        self._phone = phone
        self._report = report
        self._say = say
        self._begun = time.monotonic()
        self._rings = False
        self._resend_at, self._resend_pause = self._begun + TIMER_T1_SECONDS, TIMER_T1_SECONDS

    def hold(self) -> None:
        """From the first INVITE to the last 200."""
        plan = self._plan
        call = self._phone.dial(plan.user, self._report.hearing, in_band=plan.in_band)
        self._report.call_id = call.call_id
        self._tell(f"dialled sip:{plan.user}@{plan.host}:{plan.port}, Call-ID {call.call_id}")
        try:
            if self._await_answer(call):
                self._talk(call)
        finally:
            if call.answered_now:
                call.hangup()
                self._await_reply("BYE")
            call.give_up()

    def _await_answer(self, call: TrunkCall) -> bool:
        deadline = self._begun + self._plan.answer_timeout
        while time.monotonic() < deadline:
            for progress in self._heard():
                if progress.method == "INVITE" and progress.status >= 300:
                    self._report.end, self._report.status = End.REFUSED, progress.status
                    self._tell(f"refused: {progress.status} {progress.phrase}")
                    return False
                if progress.method == "INVITE" and progress.status >= 200:
                    self._report.status = progress.status
                    return True
                self._rings = True
                if progress.status > 100:
                    self._tell("ringing" if progress.status == 180 else f"{progress.status} {progress.phrase}")
            self._resend_if_unheard()
            time.sleep(TICK_SECONDS)
        self._tell(f"no answer within {self._plan.answer_timeout:g} s, giving up")
        if self._rings:
            # RFC 3261 9.1: nothing is cancelled before the other side has said a word
            self._phone.trunk.cancel(call.request)
            self._await_reply("CANCEL")
        return False

    def _talk(self, call: TrunkCall) -> None:
        answered = time.monotonic()
        codec = str(call.line.preference)
        self._tell(f"answered, {codec}" + ("" if call.line.event_type is None else ", keys as telephone-events"))
        speaking = False
        self._report.end = End.ENDLESS
        while (now := time.monotonic()) - answered < LONGEST_CALL_SECONDS:
            self._report.seconds = now - answered
            if any(progress.method == "BYE" for progress in self._heard()):
                self._report.end = End.SERVICE
                self._tell("hung up by the service")
                return
            if self._plan.hang_up_after is not None and now - answered >= self._plan.hang_up_after:
                self._report.end = End.CALLER
                self._tell("hanging up")
                return
            if self._report.hearing.voice(now) is not speaking:
                speaking = not speaking
                self._tell("hearing a voice" if speaking else "silence")
            self._press_if_due(call, now - answered)
            self._tell_presses(call, now)
            time.sleep(TICK_SECONDS)
        self._tell(f"not hung up on within {LONGEST_CALL_SECONDS:g} s, hanging up")

    def _press_if_due(self, call: TrunkCall, seconds: float) -> None:
        presses = self._report.presses
        if len(presses) == len(self._plan.keys) or seconds < self._plan.after * (len(presses) + 1):
            return
        key = self._plan.keys[len(presses)]
        presses.append(Press(key, seconds))
        if self._plan.in_band:
            call.line.press_in_band(key)
        elif call.line.event_type is not None:
            call.line.press(key)
        else:
            self._tell(f"cannot press {key}: the service takes no telephone-events (try --in-band)")
            return
        self._tell(f"pressed {key}")

    def _tell_presses(self, call: TrunkCall, now: float) -> None:
        """Say how long the voice went on after the last key, once that is known."""
        pressed = call.line.pressed_at
        if not pressed or len(pressed) != len(self._report.presses):
            return
        press, waited = self._report.presses[-1], now - pressed[-1]
        stopped = self._report.hearing.stopped_after(pressed[-1], now)
        if press.told:
            return
        if stopped is not None and stopped <= STOP_WITHIN_SECONDS:
            press.voice_stopped_after_ms = round(stopped * 1000)
            self._tell(f"the voice stopped within {press.voice_stopped_after_ms} ms of key {press.key}")
        elif waited > 2 * STOP_WITHIN_SECONDS:
            self._tell(f"the voice did not stop for key {press.key}")
        else:
            return
        press.told = True

    def _await_reply(self, method: str) -> None:
        """Send again until the service has answered, as a phone must over UDP."""
        self._resend_pause = TIMER_T1_SECONDS
        self._resend_at = time.monotonic() + self._resend_pause
        deadline = time.monotonic() + FAREWELL_SECONDS
        while time.monotonic() < deadline:
            if any(progress.method == method and progress.status >= 200 for progress in self._heard()):
                return
            self._resend_if_unheard()
            time.sleep(TICK_SECONDS)
        self._tell(f"the service did not answer our {method}")

    def _heard(self) -> list[Progress]:
        """What the service said since the last time; from its first word on nothing is sent again."""
        heard: list[Progress] = []
        while self._phone.trunk.progress:
            progress = self._phone.trunk.progress.popleft()
            if progress.method:
                self._resend_at = float("inf")
                heard.append(progress)
            else:
                self._tell(progress.phrase)
        return heard

    def _resend_if_unheard(self) -> None:
        if time.monotonic() >= self._resend_at:
            self._phone.trunk.resend()
            self._resend_pause *= 2
            self._resend_at += self._resend_pause

    def _tell(self, what: str) -> None:
        self._say(time.monotonic() - self._begun, what)
