"""What the parsers of several commands share: types of arguments, a topic by its name, and usage errors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from netlab.capture.model import Endpoint
from netlab.names import parse_address

if TYPE_CHECKING:
    from netlab.topics.contract import Topic

KEYLOG = "open TLS with the secrets that a client writes to this file (SSLKEYLOGFILE); it may still grow"
"""The help of ``--keylog``."""
LONGEST = 3600.0
"""Seconds that a timeout may have."""


class Ended(Exception):
    """There is nothing more to do: the exit status is ``args[0]``."""


def help_formatter(prog: str) -> argparse.HelpFormatter:
    """Help as wide as the terminal. By itself argparse imports `shutil`, which is slow, at the first argument."""
    return argparse.HelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    with suppress(OSError, ValueError):
        return (given.isdecimal() and int(given)) or os.get_terminal_size(1).columns or 80
    return 80


def topic_of(program: str, argv: Sequence[str], usage: str, about: str) -> Topic:
    """The topic that the first argument names, without importing the others.

    Raises `Ended` after ``--help``, which lists the topics, and after a usage error.
    """
    from netlab.topics.discovery import topic_named, topics  # here, since the wire knows no topic

    first = argv[0] if argv else ""
    if first in ("-h", "--help"):
        rows = "".join(f"  {topic.name:<16}{topic.summary}\n" for topic in topics().values())
        sys.stdout.write(f"{usage}\n\n{about}\n\n{rows}")
        raise Ended(0)
    if not first or first.startswith("-"):
        raise Ended(usage_error(program, usage, "which topic?"))
    try:
        return topic_named(first)
    except KeyError as error:
        raise Ended(usage_error(program, usage, str(error.args[0]))) from None


def usage_error(program: str, usage: str, text: str) -> int:
    """Say what is wrong with the command line, as argparse does; the exit status."""
    sys.stderr.write(f"{usage}\n{program}: error: {text}\n")
    return 2


def seconds(text: str, or_else: str = "") -> float:
    """A number of seconds; ``or_else`` is what else is accepted, for the message."""
    with suppress(ValueError):
        if 0 < float(text) <= LONGEST:
            return float(text)
    limits = f"above 0 and at most {LONGEST:g}{or_else}"
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, {limits}")


def port(text: str) -> int:
    """A port to listen on; 0 stands for any free one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def host(text: str) -> str:
    """A name or an address to listen on."""
    if not text:  # for a socket it means every address
        raise argparse.ArgumentTypeError("'' is not an address; 0.0.0.0 listens on every address of this machine")
    if not text.isprintable():  # such as bytes that are not UTF-8
        raise argparse.ArgumentTypeError(f"{text!r} is not an address")
    return text


def listening_address(text: str) -> Endpoint:
    """``HOST:PORT``, or a port alone; port 0 stands for any free one."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def address(text: str) -> Endpoint:
    """Where a server is: ``HOST:PORT``, or a port of this machine."""
    found = listening_address(text)
    if not found.port:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT: no server has port 0")
    return found
