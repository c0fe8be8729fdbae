"""``netlab serve``: one topic's server in this process.

Plain, it prints ``listening on HOST:PORT`` and then the log. Supervised, it writes JSON lines and ends when its
standard input does. Knows no wire, no lab and no screen.
"""

from __future__ import annotations

import argparse
import errno
import math
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from netlab.capture.model import Endpoint
from netlab.dissect.text import safe
from netlab.hardening.patience import NO_LIMIT
from netlab.names import resolve
from netlab.processor import yield_processor
from netlab.serve.gauges import Gauges
from netlab.serve.listeners import on_all
from netlab.serve.log import Lines, Reports
from netlab.serve.options import add_options, chosen_options, folder
from netlab.serve.patience import obey
from netlab.serve.shutdown import Ending, Stopped
from netlab.topics.contract import Certificates, Server, Topic
from netlab.topics.discovery import topic_named, topics

USAGE = "usage: netlab serve TOPIC [options]\n"
TIMEOUT = 30.0
LONGEST_TIMEOUT = 3600.0


def main(argv: Sequence[str], certificates: Certificates | None = None) -> int:
    """Run ``netlab serve`` with its arguments; return the exit status."""
    if not argv or argv[0].startswith("-"):
        return _explain(argv)
    try:
        topic = topic_named(argv[0])
    except KeyError as error:
        return _usage_error(str(error.args[0]))
    parser = _parser(topic)
    arguments = parser.parse_args(argv[1:])
    if reason := topic.lacking(arguments.model):
        parser.error(f"--model {arguments.model}: {reason}")
    options = [option for option in topic.options if option.server]
    try:
        keywords = chosen_options(arguments, options)
        if topic.certificates:
            keywords["certificates"] = _certificates(arguments, certificates)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        _last_word(topic, f"{error}; --certificates chooses another folder")
        return 1
    return _serve(topic, arguments, keywords)


def _explain(argv: Sequence[str]) -> int:
    if not argv or argv[0] not in ("-h", "--help"):
        return _usage_error("which topic?")
    rows = "".join(f"  {topic.name:<16}{topic.summary}\n" for topic in topics().values())
    sys.stdout.write(f"{USAGE}\nServes one topic alone. `netlab serve TOPIC --help` has its options.\n\n{rows}")
    return 0


def _usage_error(text: str) -> int:
    sys.stderr.write(f"{USAGE}netlab serve: error: {text}\n")
    return 2


def _parser(topic: Topic) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"netlab serve {topic.name}", description=topic.summary, allow_abbrev=False)
    parser.add_argument("--model", choices=topic.models, default=topic.models[0], help="default: %(default)s")
    text = "address to listen on (default: %(default)s); 0.0.0.0 is each address of this machine"
    parser.add_argument("--host", type=_host, default="127.0.0.1", help=text)
    parser.add_argument("--port", type=port_number, default=topic.port, help="default: %(default)s; 0 takes a free one")
    text = "seconds that a client may stall before it is dropped, up to 3600, or none (default: %(default)g)"
    parser.add_argument("--timeout", type=_seconds, default=TIMEOUT, metavar="SECONDS", help=text)
    add_options(parser, (option for option in topic.options if option.server))
    if topic.certificates:
        parser.add_argument("--certificates", type=folder, metavar="DIR", help="folder of the lab's certificates")
    text = "write JSON lines, and end when standard input does"
    parser.add_argument("--supervised", action="store_true", help=text)
    parser.add_argument("--yield-cpu", action="store_true", help="run when no other program wants to")
    return parser


def port_number(text: str) -> int:
    """A port from the command line; 0 stands for any free one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _host(text: str) -> str:
    if not text:  # a socket would take it for every address there is
        raise argparse.ArgumentTypeError("'' is no address; 0.0.0.0 listens on each address of this machine")
    if not text.isprintable():  # such as bytes that are no UTF-8
        raise argparse.ArgumentTypeError(f"{text!r} is no address")
    return text


def _seconds(text: str) -> float:
    if text == "none":
        return NO_LIMIT
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        limits = f"above 0 and at most {LONGEST_TIMEOUT:g}, or none"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, {limits}")
    return seconds


def _certificates(arguments: argparse.Namespace, certificates: Certificates | None) -> Path:
    """The folder of certificates: as it is for a supervisor, which has made them, else made where need be."""
    folder: Path | None = arguments.certificates
    if folder is not None and (arguments.supervised or certificates is None):
        return folder
    if certificates is None:
        raise ValueError("this topic needs --certificates DIR")
    return certificates(folder)


def _serve(topic: Topic, arguments: argparse.Namespace, keywords: dict[str, object]) -> int:
    """Serve until stopped; one line on standard error, or a report, when that fails."""
    out = Reports() if arguments.supervised else Lines()
    ending = Ending()
    if arguments.yield_cpu:
        yield_processor()
    ending.catch_signals()
    try:
        server = _listen(topic, arguments, keywords, out)
        if server is None:
            return 1
        try:
            out.attach()
            out.listening(server)
            if arguments.supervised:
                Gauges(server, topic.transport, out, ending, partial(obey, server)).start()
            server.serve_forever()
        finally:
            ending.noticed = True
            server.server_close()
    except Stopped:
        return 0
    except Exception as error:  # noqa: BLE001 - whatever ends a server is its last word
        _last_word(topic, f"the server ended: {type(error).__name__}: {error}")
    else:
        _last_word(topic, "the server ended by itself")
    finally:
        ending.over()
    return 1


def _listen(topic: Topic, arguments: argparse.Namespace, keywords: dict[str, object], out: Lines) -> Server | None:
    address = Endpoint(arguments.host, arguments.port)
    make = partial(topic.server_class(arguments.model), timeout=arguments.timeout, **keywords)
    try:
        return on_all(resolve(address), make, topic.transport)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        out.failed(topic, number, f"cannot listen on {address}: {_reason(error)}")
    except ValueError as error:
        out.failed(topic, None, str(error))
    return None


def _reason(error: OSError | UnicodeError) -> str:
    """Why listening failed, and what to try."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, socket.gaierror | UnicodeError):
        return "no such host"
    return {
        errno.EADDRINUSE: "port in use; --port 0 takes any free port",
        errno.EACCES: "permission denied; ports from 1024 on need none, --port 0 takes any free one",
        errno.EADDRNOTAVAIL: "no such address on this machine; --host 127.0.0.1 is always there",
    }.get(number or 0, (isinstance(error, OSError) and error.strerror) or str(error))


def _last_word(topic: Topic, text: str) -> None:
    sys.stderr.write(f"netlab serve {topic.name}: {safe(text)}\n")
