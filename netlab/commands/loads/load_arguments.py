"""The command lines of ``netlab load``: for a topic's own server, and for any server at an address."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from netlab.commands.arguments import address, seconds
from netlab.load.plan import MOST_CLIENTS
from netlab.serve.options import add_options, folder
from netlab.topics.contract import Topic
from netlab.wire.impairment.quantities import seconds as time_of

USAGE = """usage: netlab load TOPIC ['EXPRESSION' …] [options]
       netlab load HOST:PORT ['TEXT' | --send BYTES [--expect BYTES]] [options]"""
ABOUT = """Put a server under load, and see its latency, its errors, its queue and its threads.
TOPIC starts a server of netlab's own, one after another for several --models; HOST:PORT is any other server.
`netlab load TOPIC --help` and `netlab load HOST:PORT --help` have the options."""
PLAN = """\
Open loop, the default: each request has a planned time, at random as independent clients come, and latency counts from
it. If all clients are busy the planned request waits, and its waiting counts ("p99 from sending" leaves that out, for
comparison). --closed: each client sends when it has its answer, so a server that stalls is asked less, and seems fast.

Exit status: 0 the load was done, 1 it could not be done or no request was answered, 2 usage, 130 ctrl+c, which prints
the result so far."""
_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "\\": b"\\"}
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


def topic_parser(topic: Topic) -> argparse.ArgumentParser:
    """The command line behind ``netlab load TOPIC``."""
    parser = _parser(topic.name, f"{topic.summary}\n\nPut a server of this topic under load.")
    add = parser.add_argument
    text = f"a call or bare text, as in the console; several make one request (default: {topic.sample})"
    add("expressions", nargs="*", metavar="EXPRESSION", help=text)
    add("--models", type=_words, metavar="M,…", help=f"of {', '.join(topic.models)} (default: {topic.models[0]})")
    _add_plan(parser)
    add_options(parser, topic.options)
    if topic.certificates:
        add("--certificates", type=folder, metavar="DIR", help="folder of the lab's certificates")
    for unfit in ("--udp", "--anywhere"):
        add(unfit, action="store_true", help=argparse.SUPPRESS)
    return parser


def address_parser() -> argparse.ArgumentParser:
    """The command line behind ``netlab load HOST:PORT``."""
    parser = _parser("HOST:PORT", "Put any server under load.", "netlab load")
    add = parser.add_argument
    add("to", type=address, metavar="HOST:PORT", help="the server")
    add("expressions", nargs="*", metavar="TEXT", help="a line to send; the answer is what comes first")
    add("--udp", action="store_true", help="datagrams")
    _add_plan(parser)
    add("--anywhere", action="store_true", help="allow a server that is not on this machine's loopback addresses")
    add("--models", help=argparse.SUPPRESS)
    return parser


def _parser(name: str, about: str, program: str = "") -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=program or f"netlab load {name}",
        description=about,
        epilog=PLAN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--send", type=bytes_of, metavar="BYTES", help=r"send these bytes instead; \r \n \t \0 \xff \\ are escapes")
    text = "what the answer must begin with; it is complete then (default: any answer, complete with its first bytes)"
    add("--expect", type=bytes_of, metavar="BYTES", help=text)
    add("--clients", type=_clients, default=10, metavar="N", help="at most so many requests at a time (default: 10)")
    add("--rate", type=float, metavar="R", help="requests a second (default: 100)")
    add("--for", type=duration, default=10.0, metavar="TIME", dest="seconds", help="how long (default: 10s)")
    add("--ramp", type=duration, default=0.0, metavar="TIME", help="let the rate rise from 0 in that time")
    add("--closed", action="store_true", help="closed loop: each client sends when it has its answer")
    text = "keep connections, or make one for each request (default: kept, but not under the models single and raw)"
    add("--connections", choices=("kept", "each"), help=text)
    add("--timeout", type=seconds, default=5.0, metavar="SECONDS", help="for an answer (default: %(default)g)")
    add("--seed", type=int, default=1, metavar="N", help="of the planned times (default: 1)")
    add("--fault", action="append", default=[], metavar="SPEC", help="go through a wire, impaired: 'delay 100ms ->'")
    add("--json", action="store_true", help="print a JSON object for each model")


def unfit(arguments: argparse.Namespace) -> str:
    """What does not go together on a command line, in a sentence; empty if all does."""
    if arguments.closed and arguments.rate is not None:
        return "--rate has no meaning with --closed: each client sends when it has its answer"
    if arguments.expect is not None and arguments.send is None:
        return "--expect needs --send: an expression's answer is checked by its topic"
    if arguments.send is not None and arguments.expressions:
        return "an expression and --send: one of them is what to send"
    if "to" in arguments:
        if arguments.models is not None:
            return "--models are a topic's: HOST:PORT is one server, as it is"
        if arguments.send is None and not arguments.expressions:
            return "what to send is needed: 'TEXT', or --send BYTES"
    elif arguments.udp:
        return "--udp is for HOST:PORT: a topic knows its transport"
    elif arguments.anywhere:
        return "--anywhere is for HOST:PORT: a topic's server is on this machine"
    return ""


def duration(text: str) -> float:
    """``10s``, ``500ms``, ``2m`` or a number of seconds."""
    try:
        if text.endswith("m") and text[:-1].isdecimal():
            return 60.0 * int(text[:-1])
        return time_of(text if text.endswith("s") else f"{text}s")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time up to an hour, as in 10s, 500ms or 2m") from None


def bytes_of(text: str) -> bytes:
    r"""The bytes that a text stands for, with ``\r``, ``\n``, ``\t``, ``\0``, ``\xff`` and ``\\``."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1].decode("latin-1")
        if len(code) == 3:
            return bytes([int(code[1:], 16)])
        if code not in _ESCAPES:
            raise argparse.ArgumentTypeError(f"\\{code} is no escape; a backslash is written \\\\")
        return _ESCAPES[code]

    return _ESCAPE.sub(byte, text.encode("utf-8", "surrogateescape"))


def _words(text: str) -> Sequence[str]:
    return tuple(filter(None, text.split(",")))


def _clients(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= MOST_CLIENTS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of clients, 1 to {MOST_CLIENTS:,}")
    return int(text)
