"""Writes a flow as an outline for people who do not read YAML."""

from collections.abc import Iterator

from ivr.flow.model import Branch, Change, Close, Collect, Flow, Menu, Node, Question, Recording, Say, Try


def outline(flow: Flow) -> Iterator[str]:
    """Write a flow, one line at a time."""
    yield f"{flow.name} {flow.version}, in {', '.join(flow.languages)}"
    yield f"rated once `{flow.rates}` is answered; at most {flow.maximum_seconds:g} s; begins at {flow.start}"
    for name, node in flow.nodes.items():
        yield ""
        yield f"{name}"
        yield from (f"  {line}" for line in _node(node))


def _node(node: Node) -> Iterator[str]:
    match node:
        case Question(question=question, keys=keys, collect=collect, confirm=confirm, change=change, next=following):
            yield f"asks `{question}`"
            yield from (f"  key {key}: {answer}" for key, answer in keys.items())
            yield from _collect(collect)
            if any(confirm.values()):
                yield f"then says back, for example: {' + '.join(next(iter(confirm.values())))}"
            yield from _change(change)
            yield f"then {following}"
        case Menu(keys=keys, collect=collect):
            yield "lets the caller choose"
            for key, choice in keys.items():
                yield f"  key {key}: {f'speak {choice.language}, ' if choice.language else ''}go to {choice.next}"
            yield from _collect(collect)
        case Say(prompts=prompts, next=following):
            yield f"says {' + '.join(prompts)}, then {following}"
        case Recording(question=question, prompts=prompts, next=following):
            yield f"says {' + '.join(prompts)} and records `{question}`, at most {node.maximum_seconds:g} s,"
            yield f"  until {node.stop_key} or {node.silence_seconds:g} s of silence, then {following}"
        case Branch(on=on, cases=cases, otherwise=otherwise):
            yield from (f"if {on} is {value}: {target}" for value, target in cases.items())
            yield f"otherwise: {otherwise}"
        case Close(prompts=prompts, outcome=outcome):
            yield f"says {' + '.join(prompts)} and ends: {outcome}" if prompts else f"ends: {outcome}"


def _collect(collect: Collect) -> Iterator[str]:
    yield from (f"try {place}: {_try(one)}" for place, one in enumerate(collect.tries, 1))
    yield f"after the last silence: {collect.noinput}"
    nomatch, replay = collect.nomatch, collect.replay
    yield f"wrong key: {' + '.join(nomatch.prompts)}; the {nomatch.tries}. goes to {nomatch.next}"
    if replay:
        yield f"key {replay.key} plays the try again, {replay.at_most} times at most"


def _change(change: Change | None) -> Iterator[str]:
    if change:
        yield f"and offers a change: {' + '.join(change.prompts)}"
        yield f"  key {change.key} within {change.window_seconds:g} s asks again ({_try(change.ask)}), "
        yield f"  {change.at_most} times at most; silence leaves the answer as it is"


def _try(one: Try) -> str:
    deaf = "" if one.barge_in else ", deaf while it plays"
    return f"{' + '.join(one.prompts)}, then {one.wait_seconds:g} s of silence{deaf}"
