"""``netlab inspect``: a capture in the lab's panes, or as text, JSON lines or raw bytes on standard output.

What Textual reads from the environment is set before Textual is imported; without the panes it is not imported.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.capture.filter import FilterError, parse
from netlab.capture.frames.links import understood_links
from netlab.capture.model import CaptureError, Direction
from netlab.capture.savefile import secrets_in
from netlab.commands.arguments import KEYLOG
from netlab.commands.captures.printing import STANDARD_INPUT, Printing, print_segments, print_stream
from netlab.commands.captures.segment_fields import FIELDS, USUAL, SegmentRow, TextLines, as_json, as_table, chosen
from netlab.dissect.reading.own.own_dissector import OwnDissector
from netlab.dissect.text import safe
from netlab.dissect.tls.outside_keys import OutsideKeys
from netlab.platforms import lacks

if TYPE_CHECKING:
    from netlab.commands.captures.piped_capture import PipedCapture

SCREEN = ("termios",)
_PRINTING = frozenset({"--text", "--json", "--stream"})
_STREAMS = {"server": Direction.TO_SERVER, "client": Direction.TO_CLIENT}
ABOUT = """Look into a pcapng or pcap file, read-only: in panes, or printed.

In panes it follows a file that grows, and a pipe (- is standard input): new segments appear as they are written."""
_EPILOG = """\
--text prints a line for each segment, --json an object with these keys:
{usual}
With --fields also:
{more}
With --text, --fields prints the values alone, separated by tabs. - as FILE reads standard input:
  netlab wire --to 127.0.0.1:6379 --write - | netlab inspect --text -

Link types that it understands: {links}."""


def main(argv: Sequence[str] = ()) -> int:
    """Run ``netlab inspect`` with its arguments; return the exit status."""
    printing = any(word.partition("=")[0] in _PRINTING for word in argv)
    if not printing and (reason := lacks(SCREEN)):
        sys.stderr.write(f"netlab inspect: {reason}; --text and --json work without them\n")
        return 1
    parser = build_parser()
    arguments = parser.parse_args(argv)
    return _print(parser, arguments) if printing else _show(parser, arguments)


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab inspect``."""
    rows = {name: f"  {name:<11}{field.help}" for name, field in FIELDS.items()}
    usual, more = ("\n".join(rows[name] for name in FIELDS if (name in USUAL) is wanted) for wanted in (True, False))
    parser = argparse.ArgumentParser(
        prog="netlab inspect",
        description=ABOUT,
        epilog=_EPILOG.format(usual=usual, more=more, links=understood_links()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "file",
        type=Path,
        metavar="FILE",
        help="a capture by netlab, Wireshark or tcpdump, also one that still grows; - is a pipe",
    )
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--text", action="store_true", help="print a line for each segment, and exit")
    printed.add_argument(
        "--json", action="store_true", help="print a JSON object for each segment, one a line, and exit"
    )
    printed.add_argument(
        "--stream", choices=_STREAMS, help="print the raw bytes that went to the server, or to the client, in --flow"
    )
    add("--fields", metavar="NAMES", help="which fields to print, separated by commas")
    add("--filter", metavar="FILTER", help="which segments to print, as in the wire list: 'flow 2 and len>100'")
    add("--flow", type=_number, metavar="N", help="print this flow alone")
    add("--keylog", type=Path, metavar="FILE", help=KEYLOG)
    add("--dissect", type=Path, metavar="FILE.py",
        help="read the bytes with your own dissector; it is read again when it is saved")  # fmt: skip
    add("--force", action="store_true", help="print raw bytes also on a terminal")
    return parser


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a flow's number; they count from 1")
    return int(text)


def _print(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if str(arguments.file) == STANDARD_INPUT and sys.stdin.isatty():
        parser.error("standard input is a terminal: - reads a capture from a pipe")
    if arguments.stream:
        return _print_stream(parser, arguments)
    try:
        matches = parse(arguments.filter or "").matches
        names = chosen(arguments.fields) if arguments.fields is not None else USUAL
    except FilterError as error:
        parser.error(f"--filter: {error}")
    except ValueError as error:
        parser.error(f"--fields: {error}")
    line: Callable[[SegmentRow], str] = TextLines().line
    if arguments.json or arguments.fields is not None:
        line = partial(as_json if arguments.json else as_table, names=names)
    own = OwnDissector(arguments.dissect) if arguments.dissect is not None else None
    if own is not None and own.problem:
        parser.error(f"--dissect: {safe(own.problem)}")
    secrets = _secrets(arguments.file, arguments.keylog)
    printing = Printing(line, matches, arguments.flow, secrets, own, "summary" in names)
    return print_segments(arguments.file, printing)


def _secrets(file: Path, keylog: Path | None) -> Callable[[], str] | None:
    """The secrets inside a file and in a key log beside it; None if there are none."""
    inside = secrets_in(file) if file.is_file() else ""
    if keylog is None:
        return (lambda: inside) if inside else None
    keys = OutsideKeys(keylog)
    return lambda: inside + keys.text


def _print_stream(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if arguments.flow is None:
        parser.error("--stream needs --flow N: which flow?")
    if arguments.fields is not None or arguments.filter is not None or arguments.keylog is not None:
        parser.error("--stream prints a flow's bytes as they crossed: leave --fields, --filter and --keylog out")
    if sys.stdout.isatty() and not arguments.force:
        parser.error("raw bytes can steer a terminal: send them to a file or a pipe, or add --force")
    return print_stream(arguments.file, arguments.flow, _STREAMS[arguments.stream])


def _show(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """The panes."""
    if arguments.dissect is not None and not arguments.dissect.is_file():
        parser.error(f"--dissect: there is no file {str(arguments.dissect)!r}")
    for name in ("fields", "filter", "flow", "force"):
        if getattr(arguments, name):
            parser.error(f"--{name} is for what is printed: add --text, --json or --stream")
    from netlab.commands.app import FRAMES, RARELY
    from netlab.ui.terminal.exit_watch import WATCH

    with contextlib.ExitStack() as ending:
        pipe = None
        if _is_pipe(arguments.file):
            try:
                pipe = _begun(ending, arguments.file)
            except CaptureError as error:
                sys.stderr.write(f"netlab inspect: {error}\n")
                return 2
        WATCH.begin()
        os.environ.setdefault("TEXTUAL_FPS", FRAMES)
        from netlab.ui import capture_app

        gc.freeze()  # as in the app: a collection would delay a key
        gc.set_threshold(*RARELY)
        if pipe is None:
            return capture_app.show(arguments.file, arguments.keylog, dissect_file=arguments.dissect)
        return capture_app.show(
            pipe.file, arguments.keylog, pipe.name, lambda: pipe.note, dissect_file=arguments.dissect
        )


def _is_pipe(path: Path) -> bool:
    return str(path) == STANDARD_INPUT or path.is_fifo()


def _begun(ending: contextlib.ExitStack, path: Path) -> PipedCapture:
    """The copy of a pipe, once a capture has begun in it. Raises `CaptureError` without a screen."""
    from netlab.commands.captures import piped_capture
    from netlab.lab.processes import private_folder
    from netlab.ui.terminal.exit_watch import WATCH

    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        raise CaptureError("this needs a terminal; --text and --json do not")
    pipe = ending.enter_context(piped_capture.piped(path))
    WATCH.last_resort = [private_folder.remove_all]
    if not pipe.wait(0.5):
        sys.stderr.write(f"netlab inspect: waiting for a capture in {safe(pipe.name)}; ctrl+c leaves\n")
        pipe.wait(None)
    return pipe
