"""``netlab run``: experiments without the app. Steps, ticks, pictures and the reason, as text.

The exit status is 0 if everything was seen that must be seen, 1 if not, 2 for a wrong command line. Ctrl+C
ends the run and everything that it started.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from netlab.capture.model import Endpoint
from netlab.lab.experiments.labs import FreshLabs
from netlab.lab.experiments.run_events import (
    Awaited,
    Expected,
    Finished,
    LabOpened,
    LanesShown,
    Ran,
    RunEvent,
    RunOutcome,
    Shown,
    Stepped,
    Stood,
    Verdict,
)
from netlab.lab.experiments.runner import perform
from netlab.lab.experiments.sandbox import aimed
from netlab.lab.experiments.swim_lanes_text import SIDE_BY_SIDE, render_boards
from netlab.lab.processes.setup import passing_certificates
from netlab.load.experiment_load import experiment_load
from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named, topics
from netlab.topics.experiment import Experiment

Found = tuple[Topic, Experiment]
_WIDEST = 100


def main(argv: Sequence[str]) -> int:
    """Run ``netlab run`` with its arguments; return the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        found = list(_found(arguments.experiments, arguments.all or (arguments.list and not arguments.experiments)))
    except KeyError as error:
        parser.error(str(error.args[0]))
    if not found:
        parser.error("which experiment? --list shows them, --all runs them all")
    if arguments.list:
        _list(found)
        return 0
    try:
        with passing_certificates() as folder:
            verdicts = [
                _run(FreshLabs(topic, folder, experiment_load), topic, experiment, arguments.json)
                for topic, experiment in found
            ]
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; nothing is left running\n")
        raise
    if len(verdicts) > 1 and not arguments.json:
        _write(_summary(found, verdicts))
    return 0 if all(verdict.outcome is RunOutcome.SEEN for verdict in verdicts) else 1


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab run``."""
    parser = argparse.ArgumentParser(
        prog="netlab run",
        description="Run experiments; each thing that must be seen gets a tick or a cross.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "experiments",
        nargs="*",
        metavar="EXPERIMENT",
        help="such as tcp/backlog; a topic's name stands for all its experiments",
    )
    parser.add_argument("--all", action="store_true", help="the experiments of all topics")
    parser.add_argument("--list", action="store_true", help="list the experiments with their questions; run none")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line instead of text")
    return parser


def _found(names: Sequence[str], everything: bool) -> Iterator[Found]:
    """The chosen experiments; raises `KeyError` with a sentence for an unknown name."""
    for topic in topics().values() if everything else ():
        yield from ((topic, experiment) for experiment in topic.experiments())
    for name in () if everything else names:
        yield from _named(name)


def _named(name: str) -> list[Found]:
    first, slash, rest = name.partition("/")
    topic = topic_named(first)
    wanted = [(topic, each) for each in topic.experiments() if not slash or each.name == rest]
    if not wanted:
        there = ", ".join(f"{first}/{each.name}" for each in topic.experiments()) or "none"
        raise KeyError(f"no experiment {name!r}; there are {there}")
    return wanted


def _list(found: Sequence[Found]) -> None:
    width = max(len(f"{topic.name}/{experiment.name}") for topic, experiment in found)
    for topic, experiment in found:
        _write(f"{topic.name + '/' + experiment.name:<{width}}  {experiment.question}")


def _run(labs: FreshLabs, topic: Topic, experiment: Experiment, as_json: bool) -> Verdict:
    name = f"{topic.name}/{experiment.name}"
    if as_json:
        _write(json.dumps({"event": "began", "experiment": name, "question": experiment.question}))
        return perform(experiment, labs, _json_line)
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    _write("\n".join(introduction(name, experiment, width)))
    verdict = perform(experiment, labs, lambda event: _print(event, width))
    at = Endpoint("127.0.0.1", topic.port)
    _write("\n".join(conclusion(experiment, verdict, width, at)))
    return verdict


def introduction(name: str, experiment: Experiment, width: int) -> list[str]:
    """The question and the predictions."""
    choices = [_wrapped(f"{_letter(i)}) ", text, width) for i, text in enumerate(experiment.predictions)]
    return [f"━━ {name}", *_wrapped("", experiment.question, width), "", *(row for rows in choices for row in rows), ""]


def conclusion(experiment: Experiment, verdict: Verdict, width: int, at: Endpoint) -> list[str]:
    """The right answer, the reason, the code it is about (with this address in it), and the verdict."""
    rows = []
    if verdict.outcome is RunOutcome.SEEN:
        answer = f"The right answer: {_letter(experiment.answer)}) "
        rows += ["", *_wrapped(answer, experiment.predictions[experiment.answer], width, indent=2)]
        rows += [*_wrapped("Why: ", experiment.why, width, indent=2)]
        rows += _code("The tutorial's own code, as it stands:", aimed(experiment.quoted, at))
        rows += _code("Repaired:", aimed(experiment.repaired, at))
    return [*rows, "", verdict.words, ""]


def rows_of(event: RunEvent, width: int) -> list[str]:
    """An event as rows of text."""
    match event:
        case LabOpened(model, options):
            return [f"   · a server, model {model}" + (f", with {options}" if options else "")]
        case Stepped(number, text):
            return _wrapped(f"{number:>2} ", text, width)
        case Expected(_, what, seen, found):
            return _wrapped(f"   {'✓' if seen else '✗ not seen:'} ", what, width, 5) + _indented(found, width)
        case Stood(places):
            return [row for line in places for row in _wrapped("   ▸ ", line, width, 5)]
        case Shown(text):
            return ["", *(f"   {row}" for row in text.split("\n")), ""]
        case LanesShown(boards):
            return ["", *(f"   {row}" for row in render_boards(boards, width - 3, beside=width >= SIDE_BY_SIDE)), ""]
        case Ran(text):
            return [f"   · {text}"]
        case Awaited() | Finished():
            return []


def _print(event: RunEvent, width: int) -> None:
    if rows := rows_of(event, width):
        _write("\n".join(row.rstrip() for row in rows))


def _json_line(event: RunEvent) -> None:
    fields = _plain(event)
    assert isinstance(fields, dict)
    _write(json.dumps({"event": _event_name(event), **fields}))


def _event_name(event: RunEvent) -> str:
    return "opened" if isinstance(event, LabOpened) else type(event).__name__.lower()


def _plain(value: object) -> object:
    """A frozen value as JSON has it."""
    if isinstance(value, RunOutcome):
        return value.value
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _summary(found: Sequence[Found], verdicts: Sequence[Verdict]) -> str:
    names = [f"{topic.name}/{experiment.name}" for topic, experiment in found]
    return "\n".join(
        f"{'✓' if verdict.outcome is RunOutcome.SEEN else '✗'} {name}: {verdict.words}"
        for name, verdict in zip(names, verdicts, strict=True)
    )


def _letter(index: int) -> str:
    return chr(ord("a") + index)


def _code(title: str, code: str) -> list[str]:
    return ["", title, *(f"    {row}".rstrip() for row in code.strip("\n").split("\n"))] if code else []


def _indented(text: str, width: int) -> list[str]:
    return _wrapped("     ", text, width) if text else []


def _wrapped(first: str, text: str, width: int, indent: int | None = None) -> list[str]:
    rest = " " * (len(first) if indent is None else indent)
    return textwrap.wrap(text, max(width, 20), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
