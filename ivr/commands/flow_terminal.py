"""Shows a simulated call as it is heard: who speaks, what is pressed, what is stored, how it ends."""

from collections.abc import Callable, Iterable

import click
from rich.console import Console
from rich.text import Text

from ivr.flow.actions import Action, End, HangUp, Play, Record, StoreAnswer
from ivr.flow.conversation import Happening, lines
from ivr.flow.events import (
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.script import ScriptMistake, parse
from ivr.flow.simulator import Simulation
from prompts.catalogue import Catalogue, PromptError


class Terminal:
    """One terminal. `sleep` is called between happenings if the call takes its real time."""

    def __init__(self, catalogue: Catalogue, sleep: Callable[[float], None] | None, *, trace: bool) -> None:
        """Stand at the call's beginning."""
        self._console = Console(highlight=False, soft_wrap=True)
        self._catalogue = catalogue
        self._sleep = sleep
        self._trace = trace
        self._now = 0.0

    def tell(self, happenings: Iterable[Happening]) -> None:
        """Show what happens, as it happens."""
        for happening in happenings:
            if self._sleep and happening.at_seconds > self._now:
                self._sleep(happening.at_seconds - self._now)
            self._now = happening.at_seconds
            if self._trace:
                for line in lines([happening]):
                    self._console.print(Text(line))
                continue
            self._event(happening.event)
            for action in happening.actions:
                self._action(action)

    def converse(self, simulation: Simulation) -> None:
        """Ask the person at the keyboard whenever it is the caller's turn; end of input hangs up."""
        while not simulation.ended:
            self.tell(simulation.until_waiting())
            if not simulation.ended:
                self._turn(simulation)

    def conclude(self, simulation: Simulation) -> None:
        """Show the outcome and what was answered."""
        engine = simulation.engine
        self._console.print(Text(f"outcome: {engine.outcome}", style="bold"))
        self._console.print(f"  {simulation.now:.1f} s, the question put {engine.attempts} times, in {engine.language}")
        for question, given in engine.answers.items():
            key = f" (key {given.key})" if given.key else ""
            self._console.print(Text(f"  {question} = {given.answer}{key}"))

    def _turn(self, simulation: Simulation) -> None:
        try:
            typed = click.prompt("keys", default="", show_default=False, prompt_suffix="> ")
            tokens = parse(typed.strip() or "-")
        except click.Abort:
            tokens = parse("h")
        except ScriptMistake as mistake:
            self._console.print(Text(str(mistake), style="red"))
            return
        for token in tokens:
            self.tell(simulation.act(token))

    def _event(self, event: Event) -> None:
        match event:
            case KeyPressed(key):
                self._say("caller", f"presses {key}", "cyan")
            case HungUp(by):
                self._say(by, "hangs up", "cyan")
            case TimerFired(Timer.NOINPUT):
                self._say("caller", "is silent", "cyan")
            case RecordingFinished(_, reference, seconds):
                self._say("caller", f"spoke for {seconds:g} s" if reference else "said nothing", "cyan")
            case PromptFailed():
                self._say("trouble", "the prompt could not be played", "red")
            case AnswerStored():
                self._say("journal", "it is on disk", "green")
            case AnswerNotStored() | TimerFired(Timer.JOURNAL):
                self._say("trouble", "the journal did not keep it", "red")
            case _:
                pass

    def _action(self, action: Action) -> None:
        match action:
            case Play(_, prompts, language):
                for prompt in prompts:
                    self._say("service", f"{self._text(language, prompt)}  [{prompt}]", "")
            case StoreAnswer(_, question, answer):
                self._say("service", f"stores {question} = {answer}", "green")
            case Record(_, max_seconds, stop_key, _):
                self._say("service", f"records, at most {max_seconds:g} s, until {stop_key} or silence", "")
            case HangUp():
                self._say("service", "hangs up", "")
            case End():
                pass
            case _:
                pass

    def _text(self, language: str, prompt: str) -> str:
        try:
            return self._catalogue.text(language, prompt)
        except PromptError:
            return "(no such prompt)"

    def _say(self, who: str, what: str, style: str) -> None:
        self._console.print(Text(f"{self._now:6.1f} s  {who:8} {what}", style=style))
