"""``netlab call``: one session from the shell. Each expression, or line of a file, is a console line.

Results go to stdout as a Python prompt shows them, what happened between the lines to stderr; the exit status is 0,
1 when a call failed (one line on stderr says which and why), 2 for a wrong command line.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path

from netlab.capture.model import Endpoint
from netlab.commands.arguments import Ended, address, help_formatter, seconds, topic_of
from netlab.commands.call_lines import STANDARD_INPUT, CallLine, of_file, of_words
from netlab.dissect.text import safe
from netlab.lab.client import transcript_text
from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.parse import parse, unknown
from netlab.lab.processes.setup import lab_certificates
from netlab.lab.state import Entry, EntryKind, PythonLine
from netlab.lab.views.reading_lines import Known, read_line
from netlab.lab.views.view_table import Segment, no_capture
from netlab.serve.options import add_options, chosen_options, folder
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic

USAGE = "usage: netlab call TOPIC 'EXPRESSION' … | -f FILE [--to HOST:PORT] [options]"
ABOUT = """Runs console lines in one client: against --to HOST:PORT, or a server of its own.
-f FILE takes them from a file.
`netlab call TOPIC --help` has the options."""
_EVERYTHING = 1 << 40
_OWN = "--to starts no server: leave --model out"


def main(argv: Sequence[str]) -> int:
    """Run ``netlab call`` with its arguments; return the exit status."""
    try:
        topic = topic_of("netlab call", argv, USAGE, ABOUT)
    except Ended as ended:
        return int(ended.args[0])
    parser = build_parser(topic)
    arguments = parser.parse_intermixed_args(argv[1:])
    if arguments.to is not None and arguments.model is not None:
        parser.error(_OWN)
    try:
        lab = _lab(topic, arguments)
        lines = _lines(arguments)
        if arguments.file != STANDARD_INPUT:
            _check_all(lab, lines)
    except OSError as error:
        parser.error(f"cannot read {safe(str(arguments.file))}: {error.strerror}")
    except (LabError, ValueError) as error:
        parser.error(str(error))
    return _call(lab, lines, arguments)


def build_parser(topic: Topic) -> argparse.ArgumentParser:
    """The command line behind ``netlab call TOPIC``."""
    parser = argparse.ArgumentParser(
        prog=f"netlab call {topic.name}",
        description=topic.summary,
        formatter_class=help_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("expressions", nargs="*", metavar="EXPRESSION", help="a call such as recv(8192), or bare text")
    text = "run the lines of this file; - reads standard input as it comes. Empty lines and # comments are left out"
    parser.add_argument("-f", "--file", metavar="FILE", help=text)
    parser.add_argument("--keep-going", action="store_true", help="run the other lines when one has failed")
    parser.add_argument("--to", type=address, metavar="HOST:PORT", help="the server (default: one of our own)")
    parser.add_argument("--model", choices=topic.models, help="for a server of our own")
    parser.add_argument("--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g")
    add_options(parser, map(_for_the_client, topic.options))
    if topic.certificates:
        text = "folder of certificates: whom the client trusts, what it shows, and a server of our own"
        parser.add_argument("--certificates", type=folder, metavar="DIR", help=text)
    return parser


def _for_the_client(option: Option) -> Option:
    whose = "; the client's alone, a server of our own keeps its own" if option.secret and option.client else ""
    return replace(option, help=option.help + whose)


def _lab(topic: Topic, arguments: argparse.Namespace) -> Lab:
    """A lab that has not started. Secrets may come from files and the environment, as for ``netlab serve``.

    As in a tab, a secret on the command line is the client's alone; the environment is for both sides.
    """
    chosen = chosen_options(arguments, topic.options)
    given = {option.name: chosen[option.name] for option in topic.options if chosen[option.name] != option.default}
    own = [option.name for option in topic.options if option.client and _is_typed(option, arguments)]
    lab = Lab(
        topic,
        model=arguments.model,
        options={name: value for name, value in given.items() if name not in own},
        timeout=arguments.timeout,
        certificates=_certificates(arguments) if topic.certificates else None,
    )
    for name in own:
        lab.options.give_client(name, chosen[name])
    return lab


def _is_typed(option: Option, arguments: argparse.Namespace) -> bool:
    """Whether a secret, or a file that holds it, is on the command line."""
    given = vars(arguments)
    return option.secret and not (given[option.name] is None and given[f"{option.name}_file"] is None)


def _certificates(arguments: argparse.Namespace) -> Callable[[], Path] | None:
    """The folder that was named. For a server of our own it is filled if necessary; else it is used as it is."""
    named: Path | None = arguments.certificates
    if named is None:
        return None
    return lambda: named if arguments.to is not None else lab_certificates(named)


def _lines(arguments: argparse.Namespace) -> Iterable[CallLine]:
    """What to run. Raises `OSError`, or `ValueError` with a sentence."""
    if bool(arguments.expressions) == (arguments.file is not None):
        raise ValueError("what to call is needed: EXPRESSION …, or -f FILE")
    return of_words(arguments.expressions) if arguments.file is None else of_file(arguments.file)


def _check_all(lab: Lab, lines: Iterable[CallLine]) -> None:
    """Raise `ValueError` if one of the lines cannot be run, before any of them runs."""
    names: set[str] = set()
    for line in lines:
        try:
            _check(lab, line.text, names)
        except LabError as error:
            raise ValueError(line.about(str(error))) from None


def _check(lab: Lab, expression: str, names: set[str]) -> None:
    """Raise `LabError` if a line cannot be run. ``names`` are those that the lines before it gave; its own is added."""
    if any("\ud800" <= character <= "\udfff" for character in expression):
        raise LabError(f"{safe(expression)[:40]} is not UTF-8", "bytes are written as b'\\xff'")
    of_views = read_line(expression, Known(names, lab.topic.variable, lab.operations, lab.remote))
    if of_views is not None:
        of_views.rename(names)
        return
    meaning = parse(expression, lab.operations, lab.topic.variable, remote=lab.remote)
    if not isinstance(meaning, Call) and expression.lstrip().startswith(":"):
        what = f"{safe(expression)[:40]} is a command to a lab on the screen"
        raise LabError(what, "call takes calls and bare text")


def _call(lab: Lab, lines: Iterable[CallLine], arguments: argparse.Namespace) -> int:
    status = 0
    try:
        with _session(lab, arguments.to) as printed:
            for line in lines:
                if (failed := _run(lab, printed, line)) and not arguments.keep_going:
                    return failed
                status = max(status, failed)
    except _OutputClosed as closed:
        raise BrokenPipeError from closed
    except Exception as error:  # noqa: BLE001 - the server may not start, or a line may be too long
        return _failed(_line(error))
    return status


def _run(lab: Lab, printed: Printed, line: CallLine) -> int:
    """Run one line; its exit status."""
    try:
        _check(lab, line.text, set(printed.session.views.names))
        printed.run(line.text)
    except _OutputClosed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a client raises is this command's failure
        return _failed(line.about(_line(error)))
    return 0


def _failed(text: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"netlab call: {text}\n")
    return 1


def _line(error: Exception) -> str:
    text = str(error) if isinstance(error, LabError) else transcript_text.error_line(error)
    meaning = (transcript_text.meaning(error) or "").replace(":timeout SECONDS", "--timeout SECONDS")
    return " ".join((f"{text} ({meaning})" if meaning else text).split())


@contextlib.contextmanager
def _session(lab: Lab, to: Endpoint | None) -> Iterator[Printed]:
    """One session with a server somewhere, or with one of our own."""
    if to is None:
        with lab:
            yield from _printed(lab, lambda: lab.address, lab.payload_of)
    else:
        yield from _printed(lab, lambda: to, no_capture)


def _printed(lab: Lab, address: Callable[[], Endpoint], segment: Segment) -> Iterator[Printed]:
    made = Session(lab.topic, 1, "call", lambda: lab.target(address()), limit=_EVERYTHING, segment=segment)
    with made as session:
        yield Printed(session)


class _OutputClosed(Exception):
    """Nobody reads what is printed, as after ``| head``; a client's own `BrokenPipeError` is a call that failed."""


@dataclass(slots=True)
class Printed:
    """A session whose results are printed."""

    session: Session
    position: int = 0

    def run(self, line: str) -> None:
        """Run a line and print its results, also if it fails halfway; raises what it raised."""
        try:
            self.session.run(line)
        except (OSError, EOFError, LabError):
            raise
        except Exception:
            self._explain(line)
            raise
        finally:
            entries, self.position = self.session.transcript.since(self.position)
            for entry in entries:
                if entry.kind is not EntryKind.ERROR:
                    self._print(entry)
                elif not isinstance(entries[0].did, PythonLine):
                    break  # printed at the end, with its meaning

    def _explain(self, line: str) -> None:
        """After a refusal, print how to call the operation, if its server has help on it."""
        if any(isinstance(entry.did, PythonLine) for entry in self.session.transcript.since(self.position)[0]):
            return
        meaning = parse(line, self.session.operations, self.session.topic.variable, remote=True)
        if not isinstance(meaning, Call) or meaning.name in self.session.operations:
            return
        wait([self.session.learn(meaning.name)])
        known = self.session.known_operations
        if meaning.name in known:
            sys.stderr.write(f"# {safe(known[meaning.name].usage)}\n")
        elif known:
            sys.stderr.write(f"# {safe(unknown('operation', meaning.name, known).advice)}\n")

    def _print(self, entry: Entry) -> None:
        try:
            if entry.kind is EntryKind.RESULT:
                sys.stdout.write(f"{entry.text}\n")
                sys.stdout.flush()
            elif entry.kind is EntryKind.NOTE:
                sys.stderr.write(f"# {entry.text}\n")
        except BrokenPipeError as error:
            raise _OutputClosed from error
