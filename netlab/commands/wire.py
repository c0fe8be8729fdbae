"""``netlab wire``: the wire alone, between any client and any server, or supervised by the lab."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from netlab.capture.files.destination import CaptureFile
from netlab.capture.files.sink import Sink, is_fifo
from netlab.capture.model import CaptureError, Keep, Transport
from netlab.capture.writer import CaptureWriter
from netlab.commands.arguments import address, help_formatter, listening_address
from netlab.processor import yield_processor
from netlab.wire.facts import Captured
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.own_fault import OWN
from netlab.wire.impairment.spec import GRAMMAR
from netlab.wire.live_wire import LiveWire
from netlab.wire.loop import READ, Loop
from netlab.wire.supervision import Reporter, Requests

STDOUT: Final = "-"
LIMIT: Final = 256 << 20
"""Bytes that a capture may have before payload is discarded, by default."""
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def main(argv: Sequence[str]) -> int:
    """Run ``netlab wire`` with its arguments; returns the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.scene is not None:
        from netlab.commands.wires import wire_scene  # late: few wires come in a scene

        return wire_scene.run(arguments, parser)
    if arguments.to is None and not (arguments.supervised or (arguments.control and not arguments.fault)):
        parser.error("--to HOST:PORT is needed: where is the server?")
    try:
        catalog.chain(arguments.fault, _transport(arguments))
    except ValueError as error:
        parser.error(str(error))
    if arguments.control is not None:
        if arguments.write:
            parser.error("no --write with --control: GET /proxies/NAME/capture has what crossed a proxy")
        from netlab.commands.wires import control  # late: few wires are controlled

        return control.run(arguments)
    arguments.limit = arguments.limit or LIMIT
    if arguments.yield_cpu:
        yield_processor()
    _raise_descriptor_limit()
    if arguments.write == STDOUT and sys.stdout.isatty():
        parser.error("--write - is for a program that reads it, as in --write - | wireshark -k -i -")
    sink = _sink(arguments)
    try:
        if arguments.write and sink is None and not arguments.supervised:
            _make_room(Path(arguments.write))
        writer = CaptureWriter(sink or arguments.write, arguments.limit, Keep(arguments.keep))
    except OSError as error:
        sys.stderr.write(f"netlab wire: cannot write {arguments.write}: {error.strerror}\n")
        return 1
    loop = Loop()
    _stop_on_signals(loop)
    if arguments.end_with_input:
        loop.watch(0, READ, lambda mask: None if os.read(0, 1 << 16) else loop.stop())
    if arguments.supervised:
        return _run_supervised(arguments, writer, loop)
    if sink is not None:
        from netlab.wire.sink_watch import SinkWatch

        SinkWatch(loop, sink)
    return _run_bare(arguments, writer, loop, sink)


def _sink(arguments: argparse.Namespace) -> Sink | None:
    """What ``--write`` names, if a program reads it: standard output, or a FIFO."""
    if arguments.supervised or not arguments.write:
        return None
    if arguments.write == STDOUT:
        return Sink(1)
    return Sink(arguments.write) if is_fifo(arguments.write) else None


def _run_bare(arguments: argparse.Namespace, writer: CaptureWriter, loop: Loop, sink: Sink | None) -> int:
    """For a person: lines on stdout, or on stderr if the capture is there; a summary at the end."""
    from netlab.wire.terminal import FactPrinter  # late, since the wire of a lab is silent

    lines = FactPrinter(2, _go_on) if arguments.write == STDOUT else FactPrinter(1, loop.stop)
    wire = LiveWire(_transport(arguments), loop, writer, lines.report, shows_target=True, refuses=True)
    if not _prepare(wire, arguments):
        return 1
    wire.run()
    written = arguments.write and sink is None
    lines.summary(_put_together(Path(arguments.write), lines.captured) if written else "")
    return 0


def _go_on() -> None:
    """Nobody reads the lines, but somebody may read the capture."""


def _put_together(path: Path, captured: Captured) -> str:
    """Make one file of a capture that has several; a sentence about where it is."""
    from netlab.capture import savefile  # late, as above

    files = captured.files
    if not files or [file.path for file in files] == [str(path)]:
        return f"{path}: {captured.length} bytes"
    try:
        if files[0].path == str(path):
            first = path.rename(path.with_name(f"{path.stem}.1{path.suffix}"))
            files = (CaptureFile(str(first), 0), *files[1:])
        savefile.save_files(files, captured.length, path)
    except (OSError, CaptureError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return f"the capture stays in {', '.join(file.path for file in files)}: {reason}"
    for file in files:
        with contextlib.suppress(OSError):
            Path(file.path).unlink()
    return f"{path}: {path.stat().st_size} bytes"


def _run_supervised(arguments: argparse.Namespace, writer: CaptureWriter, loop: Loop) -> int:
    """For the lab: JSON lines, until standard input ends. A port in use is reported; the lab may ask for another."""
    wire = LiveWire(_transport(arguments), loop, writer, Reporter(1, loop.stop).report, refuses=arguments.refuse)
    requests = Requests(0, wire, loop.stop)
    try:
        loop.watch(0, READ, requests.ready)
    except PermissionError:  # epoll takes no plain file and no /dev/null: nobody supervises
        return 0
    _prepare(wire, arguments)
    wire.run()
    if arguments.temporary and arguments.write and _nobody_asks():
        _remove_folder(Path(arguments.write).parent)
    return 0


def _make_room(path: Path) -> None:
    """Report where the old file is kept."""
    from netlab.capture.new_file import keep

    kept = keep(path)
    if kept is not None:
        sys.stderr.write(f"netlab wire: what was in {path} is now in {kept}\n")


def _nobody_asks() -> bool:
    """Whether standard input has ended: the supervisor is gone, perhaps by kill -9."""
    return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)


def _remove_folder(folder: Path) -> None:
    """Remove captures and key logs, and their folder unless something else is in it."""
    with contextlib.suppress(OSError):
        for private in (*folder.glob("*.pcapng"), *folder.glob("*.keylog")):
            private.unlink()
        folder.rmdir()


def _prepare(wire: LiveWire, arguments: argparse.Namespace) -> bool:
    """Aim, listen, impair; False if the server's name is not found or the wire cannot listen on the address.

    No client is accepted before the loop runs, so the faults act on the first one already.
    """
    if arguments.to is not None and not wire.aim(arguments.to):
        return False
    listening = wire.listen(arguments.listen)
    if arguments.fault and listening:
        wire.impair(arguments.fault, arguments.seed)
    gc.freeze()  # what exists now stays: the collector need not look at it again
    return listening


def _transport(arguments: argparse.Namespace) -> Transport:
    return Transport.UDP if arguments.udp else Transport.TCP


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        """With the available faults, which are imported only here, because the wire must start fast."""
        rows = [(f"{kind.name} {kind.usage}".rstrip(), kind) for kind in catalog.offered()]
        lines = [f"  {usage:<26}{_where(kind)}{kind.help}, as in {kind.name} {kind.example}" for usage, kind in rows]
        lines.append(f"  {OWN.usage:<26}{OWN.help}, as in ./shout.py 300")
        return f"{super().format_help()}\nfaults ({GRAMMAR}):\n" + "\n".join((*lines, *catalog.problems())) + "\n"


def _where(kind: FaultKind) -> str:
    return "" if len(kind.transports) > 1 else f"{next(iter(kind.transports)).name}: "


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab wire``."""
    parser = _Parser(
        prog="netlab wire",
        description="Relay between any client and any server, and capture what crosses.",
        formatter_class=help_formatter,
    )
    add = parser.add_argument
    add("scene", nargs="?", metavar="SCENE.toml", help="a wire for each [[wire]] in it: name, to, listen, udp, faults")
    add("--to", type=address, metavar="HOST:PORT", help="the server")
    add(
        "--listen",
        type=listening_address,
        default="127.0.0.1:0",
        metavar="HOST:PORT",
        help="where clients connect (default: %(default)s)",
    )
    add("--udp", action="store_true", help="relay datagrams instead of streams")
    add("--fault", action="append", default=[], metavar="SPEC", help="impair the wire, as in 'delay 100ms ->'")
    add("--seed", type=int, default=0, metavar="N", help="makes random faults repeatable (%(default)s)")
    _add_capture(parser)
    add(
        "--control",
        type=listening_address,
        metavar="HOST:PORT",
        help="serve toxiproxy's HTTP API there (its clients use 127.0.0.1:8474): its proxies are wires",
    )
    for internal in (
        "--supervised",
        "--temporary",
        "--yield-cpu",
        "--end-with-input",
        "--refuse",
    ):  # for children of netlab
        add(internal, action="store_true", help=argparse.SUPPRESS)
    return parser


def _add_capture(parser: argparse.ArgumentParser) -> None:
    """What is captured, and where to."""
    add = parser.add_argument
    add(
        "--write",
        metavar="FILE.pcapng",
        help="capture into this file (an existing one is kept as FILE.pcapng~) or FIFO; - is standard output",
    )
    add(
        "--limit",
        type=_size,
        metavar="SIZE",
        help="most that the capture keeps (256M; with --control 16M for each proxy)",
    )
    add(
        "--keep",
        choices=[each.value for each in Keep],
        default=Keep.OLDEST.value,
        help="at the limit: keep the oldest segments, and no further payload; or the newest (%(default)s)",
    )


def _size(text: str) -> int:
    """``4096``, ``64K``, ``256M``, ``1GiB``."""
    number = text.rstrip("KMGiBkmgb")
    unit = text[len(number) :].upper().removesuffix("B").removesuffix("I")
    if not (number.isascii() and number.isdigit() and unit in _UNITS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 4096, 64K, 256M or 1G")
    return int(number) * _UNITS[unit]


def _stop_on_signals(loop: Loop) -> None:
    """Let the loop end on SIGTERM, SIGINT and SIGHUP (unless that is ignored, as under nohup)."""
    receiving, sending = socket.socketpair()
    sending.setblocking(False)
    signal.set_wakeup_fd(sending.detach())
    loop.watch(receiving.detach(), READ, lambda mask: loop.stop())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _wake)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _wake)


def _wake(number: int, frame: FrameType | None) -> None:
    """The interpreter has written a byte to the wake-up descriptor, which ends the loop."""


def _raise_descriptor_limit() -> None:
    """A flow takes two descriptors; the usual soft limit of 1,024 is meant for `select`, which is not used here."""
    if sys.platform != "win32":
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
