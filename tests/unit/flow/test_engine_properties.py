"""Whatever happens to a call, in whatever order: the engine keeps its contract with the gateway and the caller."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from ivr.flow.actions import Action, End, HangUp, Play, StartTimer, StoreAnswer
from ivr.flow.engine import Engine
from ivr.flow.events import (
    Answered,
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    PromptFinished,
    RecordingFailed,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.exploration import events, idle_events
from ivr.flow.model import KEYS, Flow
from ivr.flow.surroundings import Surroundings

ATTEMPTS = st.integers(-1, 12)
ANY_EVENT: st.SearchStrategy[Event] = st.one_of(
    st.builds(Answered, st.sampled_from([None, "zh-CN", "en", "xx"])),
    st.builds(KeyPressed, st.sampled_from([*KEYS, "", "12", "x"])),
    st.builds(PromptFinished, ATTEMPTS),
    st.builds(PromptFailed, ATTEMPTS),
    st.builds(TimerFired, st.sampled_from(Timer), ATTEMPTS),
    st.builds(AnswerStored, ATTEMPTS),
    st.builds(AnswerNotStored, ATTEMPTS),
    st.builds(RecordingFinished, ATTEMPTS, st.sampled_from(["", "a1"]), st.floats(0, 60)),
    st.builds(RecordingFailed, ATTEMPTS),
    st.builds(HungUp, st.sampled_from(["caller", "service", "media", "node"])),
)


@given(received=st.lists(ANY_EVENT, max_size=60), which=st.sampled_from(["shipped", "extended"]))
@settings(max_examples=150, deadline=None)
def test_events_in_any_order_yield_at_most_one_end_as_the_last_action_of_all(
    shipped: Flow, extended: Flow, received: list[Event], which: str
) -> None:
    engine = Engine({"shipped": shipped, "extended": extended}[which])
    actions = [action for event in received for action in engine.handle(event)]
    ends = [place for place, action in enumerate(actions) if isinstance(action, End)]
    assert ends in ([], [len(actions) - 1])
    assert engine.outcome == (actions[-1].outcome if ends else None)  # type: ignore[union-attr]


def _possible(flow: Flow, around: Surroundings, data: DataObject) -> Event:
    """Something that can happen now, or now and then something stale; hang-ups are rare or no call would be long."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(st.sampled_from(list(idle_events(around))))
    likely = [one for one in events(flow, around) if not isinstance(one, HungUp) and not _is_call_length(one)]
    if not likely or data.draw(st.integers(0, 30)) == 0:
        return data.draw(st.sampled_from(list(events(flow, around))))
    return data.draw(st.sampled_from(likely))


def _is_call_length(event: Event) -> bool:
    return isinstance(event, TimerFired) and event.timer is Timer.CALL_LENGTH


@given(data=st.data(), which=st.sampled_from(["shipped", "extended"]))
@settings(max_examples=150, deadline=None)
def test_a_call_goes_its_way_to_one_outcome_and_breaks_no_promise_on_it(
    shipped: Flow, extended: Flow, data: DataObject, which: str
) -> None:
    flow = {"shipped": shipped, "extended": extended}[which]
    engine, around, done = Engine(flow), Surroundings(), _Done(flow)
    for _ in range(150):
        if around.outcome is not None:
            break
        event = _possible(flow, around, data)
        settled = dict(engine.answers)
        actions = engine.handle(event)
        around = around.after(event, actions)  # the gateway's side of the contract: raises if it is broken
        done.note(event, actions, engine, settled)
    done.conclude(engine)


class _Done:
    """What has been done in a call, told only from its events and actions."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.on_disk: dict[str, str] = {}
        self.writing: StoreAnswer | None = None
        self.asked = 0
        self.outcomes: list[str] = []

    def note(self, event: Event, actions: list[Action], engine: Engine, settled: dict[str, object]) -> None:
        if event == (self.writing and AnswerStored(self.writing.attempt)):
            assert self.writing is not None
            self.on_disk[self.writing.question] = self.writing.answer
            self.writing = None
        else:
            assert dict(engine.answers) == settled, f"{event} changed an answer"
        if self.writing and event in self._refusals(self.writing.attempt):
            self.writing = None
        for action in actions:
            self._note(action)
        assert {name: given.answer for name, given in engine.answers.items()} == self.on_disk

    @staticmethod
    def _refusals(attempt: int) -> tuple[Event, ...]:
        """Who is given up for late, may still write; but its word is stale."""
        return AnswerNotStored(attempt), TimerFired(Timer.JOURNAL, attempt)

    def _note(self, action: Action) -> None:
        match action:
            case Play(prompts=("thanks",)):
                assert "grade" in self.on_disk, "thanks without a durable grade"
            case Play(prompts=("silent",)):
                assert "grade" not in self.on_disk, "a grade is taken for silence"
            case Play(prompts=(("ask" | "ask_again" | "ask_slowly" | "ask_short"),)):
                self.asked += 1
            case StoreAnswer():
                self.writing = action
            case StartTimer(seconds=seconds):
                assert 0 < seconds <= self.flow.maximum_seconds
            case End(outcome):
                self.outcomes.append(outcome)
            case HangUp():
                assert not self.outcomes

    def conclude(self, engine: Engine) -> None:
        assert engine.attempts == self.asked
        assert len(self.outcomes) <= 1
        if self.outcomes == ["rated"]:
            assert "grade" in self.on_disk
        elif self.outcomes and self.outcomes != ["error"]:
            assert "grade" not in self.on_disk
