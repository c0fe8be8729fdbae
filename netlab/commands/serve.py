"""``netlab serve``: one topic's server in this process.

Plain, it prints ``listening on HOST:PORT`` and then the log. Supervised, it writes JSON lines and ends when its
standard input does. Knows no wire, no lab and no screen.
"""

from __future__ import annotations

import argparse
import errno
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from netlab.capture.model import Endpoint
from netlab.commands.arguments import Ended, help_formatter, host, port, seconds, topic_of
from netlab.dissect.text import safe
from netlab.hardening.patience import NO_LIMIT
from netlab.names import resolve
from netlab.processor import yield_processor
from netlab.serve.gauges import Gauges
from netlab.serve.listeners import on_all
from netlab.serve.log import Lines, Reports
from netlab.serve.options import add_options, chosen_options, folder
from netlab.serve.own_file import OwnFileError, log_output, server_in
from netlab.serve.shutdown import Shutdown, Stopped
from netlab.serve.standing.source_files import SourceFiles
from netlab.serve.standing.stacks import StackReader
from netlab.serve.standing.standing_sampler import StandingSampler
from netlab.serve.time_limit import obey
from netlab.topics.contract import Certificates, Server, Topic

USAGE = "usage: netlab serve TOPIC [options]"
ABOUT = "Serves one topic alone. `netlab serve TOPIC --help` has its options."
TIMEOUT = 30.0


def main(argv: Sequence[str], certificates: Certificates | None = None) -> int:
    """Run ``netlab serve`` with its arguments; return the exit status."""
    try:
        topic = topic_of("netlab serve", argv, USAGE, ABOUT)
    except Ended as ended:
        return int(ended.args[0])
    parser = build_parser(topic)
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


def build_parser(topic: Topic) -> argparse.ArgumentParser:
    """The command line behind ``netlab serve TOPIC``."""
    parser = argparse.ArgumentParser(
        prog=f"netlab serve {topic.name}",
        description=topic.summary,
        formatter_class=help_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", choices=topic.models, default=topic.models[0], help="default: %(default)s")
    text = "address to listen on (default: %(default)s); 0.0.0.0 means every address of this machine"
    parser.add_argument("--host", type=host, default="127.0.0.1", help=text)
    parser.add_argument("--port", type=port, default=topic.port, help="default: %(default)s; 0 takes a free one")
    text = "seconds a client may stall before it is dropped: up to 3600, or none (default: %(default)g)"
    parser.add_argument("--timeout", type=_timeout, default=TIMEOUT, metavar="SECONDS", help=text)
    text = "serve with the class Server in this Python file, instead of the topic's own"
    parser.add_argument("--server", type=Path, metavar="FILE", help=text)
    add_options(parser, (option for option in topic.options if option.server))
    if topic.certificates:
        parser.add_argument("--certificates", type=folder, metavar="DIR", help="folder of the lab's certificates")
    for internal in ("--supervised", "--yield-cpu"):  # what the app says to its child
        parser.add_argument(internal, action="store_true", help=argparse.SUPPRESS)
    return parser


def _timeout(text: str) -> float:
    return NO_LIMIT if text == "none" else seconds(text, ", or none")


def _certificates(arguments: argparse.Namespace, certificates: Certificates | None) -> Path:
    """The folder of certificates. A supervisor has made them; otherwise they are made if necessary."""
    folder: Path | None = arguments.certificates
    if folder is not None and (arguments.supervised or certificates is None):
        return folder
    if certificates is None:
        raise ValueError("this topic needs --certificates DIR")
    return certificates(folder)


def _serve(topic: Topic, arguments: argparse.Namespace, keywords: dict[str, object]) -> int:
    """Serve until stopped. A failure is one line on standard error, or a report to the supervisor."""
    out = Reports() if arguments.supervised else Lines()
    ending = Shutdown()
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
            if isinstance(out, Reports):
                _watch(topic, arguments, server, out, ending)
            server.serve_forever()
        finally:
            ending.noticed = True
            server.server_close()
    except Stopped:
        return 0
    except Exception as error:  # noqa: BLE001 - any error ends the server, and is reported
        _last_word(topic, f"the server ended: {type(error).__name__}: {error}")
    else:
        _last_word(topic, "the server ended without being asked to")
    finally:
        ending.over()
    return 1


def _watch(topic: Topic, arguments: argparse.Namespace, server: Server, out: Reports, ending: Shutdown) -> None:
    """Report what the server uses, and, while a supervisor wants to know it, where it stands."""
    own = arguments.server.absolute() if arguments.server is not None else None
    standing = StandingSampler(server, StackReader(SourceFiles(topic, own), server.server_address[1]), out)

    def hear(line: bytes) -> None:
        obey(server, line)
        standing.obey(line)

    Gauges(server, topic.transport, out, ending, hear, standing.look).start()


def _listen(topic: Topic, arguments: argparse.Namespace, keywords: dict[str, object], out: Lines) -> Server | None:
    address = Endpoint(arguments.host, arguments.port)
    try:
        return on_all(resolve(address), _maker(topic, arguments, keywords), topic.transport)
    except OwnFileError as error:
        out.failed(topic, None, str(error))
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        out.failed(topic, number, f"cannot listen on {address}: {_reason(error)}")
    except ValueError as error:
        out.failed(topic, None, str(error))
    return None


def _maker(
    topic: Topic, arguments: argparse.Namespace, keywords: dict[str, object]
) -> Callable[[tuple[str, int]], Server]:
    """What makes the server at an address: the topic's, or the one in a person's own file."""
    if arguments.server is None:
        return partial(topic.server_class(arguments.model), timeout=arguments.timeout, **keywords)
    if arguments.supervised:
        log_output()
    return server_in(arguments.server.absolute(), arguments.model, {"timeout": arguments.timeout, **keywords})


def _reason(error: OSError | UnicodeError) -> str:
    """Why listening failed, and what to try."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, socket.gaierror | UnicodeError):
        return "no such host"
    return {
        errno.EADDRINUSE: "port in use; --port 0 takes any free port",
        errno.EACCES: "permission denied; use a port from 1024 on, or --port 0 for any free one",
        errno.EADDRNOTAVAIL: "no such address on this machine; --host 127.0.0.1 is always there",
    }.get(number or 0, (isinstance(error, OSError) and error.strerror) or str(error))


def _last_word(topic: Topic, text: str) -> None:
    sys.stderr.write(f"netlab serve {topic.name}: {safe(text)}\n")
