"""``netlab attach``: the app with a tab for a server of one's own, or for each wire of a scene."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from netlab import scene
from netlab.attachments.attachment import CLIENTS
from netlab.capture.model import Endpoint, Transport
from netlab.commands.arguments import KEYLOG, address, listening_address, port, seconds
from netlab.lab.attached import Attached, attach, attach_program
from netlab.lab.errors import LabError
from netlab.lab.processes.programs.program import GRACE, Program
from netlab.ui.terminal.screen_check import on_a_screen
from netlab.wire.impairment import catalog

USAGE = """netlab attach HOST:PORT [options]
       netlab attach FILE.toml
       netlab attach [options] -- COMMAND … {port} …"""
ABOUT = "Open the app with a tab for a server of your own, in any language: a wire stands before it."
EPILOG = """\
Clients connect to the wire, whose address the app shows; c copies it. The server need not run yet: until it does,
clients are refused (reset, on macOS and Windows). A scene has [[wire]] entries, each with name, to, listen, udp, faults
and as.

What follows -- is a program that is started, shown, and ended with the app, with all that it starts: s stops and starts
it. {port} in it stands for a free port; if it takes no port, --port says where it listens."""


def main(argv: Sequence[str]) -> int:
    """Run ``netlab attach`` with its arguments; returns the exit status."""
    parser = build_parser()
    arguments = _parsed(parser, argv)
    if scene.is_scene(arguments.target):
        try:
            attached = of_scene(arguments, parser)
        except scene.SceneError as error:
            sys.stderr.write(f"netlab attach: {error}\n")
            return 2
    else:
        attached = [_attached(arguments, parser)]
    if not on_a_screen():
        sys.stderr.write("netlab attach needs a terminal; without one, try netlab wire\n")
        return 2
    from netlab.commands import app

    return app.attach(attached)


def from_line(text: str) -> Attached:
    """What ``:attach`` is given in the app: the same words, for one server. Raises `LabError`."""
    parser = build_parser(_LineParser)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise LabError(f"the line cannot be split into words: {error}", "check its quotes") from None
    arguments = _parsed(parser, words)
    if scene.is_scene(arguments.target):
        raise LabError("a scene has several wires", "`netlab attach FILE.toml` opens a tab for each")
    return _attached(arguments, parser)


def build_parser(kind: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The command line of ``netlab attach``."""
    parser = kind(
        prog="netlab attach",
        usage=USAGE.replace("%", "%%"),
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("target", nargs="?", default="", metavar="HOST:PORT|FILE.toml", help="where the server is, or a scene")
    add(
        "--listen",
        type=listening_address,
        metavar="HOST:PORT",
        help="where clients connect (default: a free port of this machine, the same the next time)",
    )
    add("--udp", action="store_true", help="a server of datagrams instead of streams")
    add("--as", dest="client", choices=CLIENTS, help="the client in the console (default: a raw one)")
    add("--name", default="", help="the title of the tab (default: the address)")
    add("--port", type=port, default=None, metavar="N", help="of a program: where it listens")
    add("--grace", type=seconds, default=None, metavar="SECONDS", help="of a program: from SIGTERM to SIGKILL (10)")
    add("--fault", action="append", default=[], metavar="SPEC", help="impair the wire, as in 'delay 100ms ->'")
    add("--keylog", type=Path, metavar="FILE", help=KEYLOG)
    add("--dissect", type=Path, metavar="FILE.py", help="read the bytes with a dissector of your own")
    return parser


def _parsed(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments; ``command`` is what follows ``--``."""
    at = list(words).index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:at])
    arguments.command = tuple(words[at + 1 :])
    if bool(arguments.target) == bool(arguments.command):
        parser.error("either HOST:PORT, a scene, or a command behind -- is needed")
    if arguments.dissect is not None and not arguments.dissect.is_file():
        parser.error(f"--dissect: there is no file {str(arguments.dissect)!r}")
    if not arguments.command and (arguments.port is not None or arguments.grace is not None):
        parser.error("--port and --grace concern a program that is started: netlab attach -- COMMAND")
    return arguments


class _LineParser(argparse.ArgumentParser):
    """The same for a line of the console: an error is raised, and nothing is printed."""

    def error(self, message: str) -> NoReturn:
        raise LabError(message, "as in :attach 127.0.0.1:6379 --fault 'delay 50ms'")

    def print_help(self, file: object = None) -> None:
        raise LabError(" ".join(self.format_usage().split()), "`netlab attach --help` explains the options")


def _attached(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> Attached:
    transport = Transport.UDP if arguments.udp else Transport.TCP
    try:
        to = Endpoint("", 0) if arguments.command else address(arguments.target)
        catalog.chain(arguments.fault, transport)
    except (ValueError, argparse.ArgumentTypeError) as error:
        parser.error(str(error))
    if arguments.client and arguments.udp:
        parser.error(f"--as {arguments.client} is a client of streams, and --udp asks for datagrams")
    name = arguments.name.strip()
    if len(name) > scene.LONGEST_NAME or not name.isprintable():
        parser.error(f"--name: a name has at most {scene.LONGEST_NAME} printable characters")
    if arguments.command:
        return _read_with(arguments, _program(arguments, transport, name, parser))
    attached = attach(
        to,
        transport,
        name=name,
        client=arguments.client or "",
        listen=arguments.listen,
        faults=tuple(arguments.fault),
    )
    return _read_with(arguments, attached)


def _read_with(arguments: argparse.Namespace, attached: Attached) -> Attached:
    """The same, with the secrets and the dissector that a person gives for its bytes."""
    topic = replace(attached.topic, dissect_file=arguments.dissect)
    return replace(attached, topic=topic, keylog=arguments.keylog)


def _program(
    arguments: argparse.Namespace, transport: Transport, name: str, parser: argparse.ArgumentParser
) -> Attached:
    program = Program(arguments.command, arguments.port or None, arguments.grace or GRACE)
    if transport is Transport.UDP and not (program.port or program.takes_port):
        parser.error("of a program of datagrams the port must be known: write {port} in its arguments, or --port N")
    return attach_program(
        program,
        transport,
        name=name,
        client=arguments.client or "",
        listen=arguments.listen,
        faults=tuple(arguments.fault),
    )


def of_scene(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Attached]:
    """A tab for each wire of a scene. Raises `SceneError`."""
    if arguments.listen or arguments.udp or arguments.client or arguments.fault or arguments.name:
        parser.error("a scene says itself where its wires listen, and with which faults: leave out the options")
    found: list[Attached] = []
    for wire in scene.read(Path(arguments.target)).wires:
        each = attach(
            wire.to, wire.transport, name=wire.name, client=wire.client, listen=wire.listen, faults=wire.faults
        )
        taken = {other.topic.name for other in found}
        names = (each.topic.name, *(f"{each.topic.name}-{number}" for number in range(2, len(taken) + 3)))
        each = _read_with(arguments, each)
        found.append(each.named(next(name for name in names if name not in taken)))
    return found
