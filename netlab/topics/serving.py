"""``netlab serve``: one topic's server in this process.

Plain, it prints ``listening on HOST:PORT`` and then the log. Supervised, it writes JSON lines and ends when its
standard input does. Knows no wire, no lab and no screen.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import math
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from netlab.capture.model import Endpoint, Transport
from netlab.dissect.text import safe
from netlab.processor import yield_processor
from netlab.topics.contract import Certificates, Server, Topic
from netlab.topics.discovery import topic_named, topics
from netlab.topics.options import add_options, chosen_options

USAGE = "usage: netlab serve TOPIC [options]\n"
LONGEST_TIMEOUT = 30.0
TICK = 0.1
"""Seconds between two looks at the gauges and at standard input; the loop of signals that they cost is negligible."""
GRACE = 1.5
"""Seconds that stopping may take before the process is ended without further ado."""
PATIENCE = 0.5
"""Seconds that a full pipe may take to be read before lines are lost; the server does not wait for its log's reader."""
LONGEST_TEXT = 900
"""Characters of a log line: with four bytes each it still fits PIPE_BUF, so that writing it is atomic (pipe(7))."""

TASKS = Path("/proc/self/task")

Report = Mapping[str, object]


class Stopped(KeyboardInterrupt):
    """A signal, or the end of a supervisor's standard input, asked the server to stop."""


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
    text = "seconds that a client may stall before it is dropped (default and most: %(default)g)"
    parser.add_argument("--timeout", type=_seconds, default=LONGEST_TIMEOUT, metavar="SECONDS", help=text)
    add_options(parser, (option for option in topic.options if option.server))
    if topic.certificates:
        parser.add_argument("--certificates", type=_folder, metavar="DIR", help="folder of the lab's certificates")
    text = "write JSON lines, and end when standard input does"
    parser.add_argument("--supervised", action="store_true", help=text)
    parser.add_argument("--yield-cpu", action="store_true", help="run when no other program wants to")
    return parser


def port_number(text: str) -> int:
    """A port from the command line; 0 stands for any free one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _folder(text: str) -> Path:
    """A folder from the command line. An empty variable of the shell does not stand for the folder of now."""
    if not text:
        raise argparse.ArgumentTypeError("'' is no folder; . is this one")
    return Path(text)


def _host(text: str) -> str:
    if not text:  # a socket would take it for every address there is
        raise argparse.ArgumentTypeError("'' is no address; 0.0.0.0 listens on each address of this machine")
    if not text.isprintable():  # such as bytes that are no UTF-8
        raise argparse.ArgumentTypeError(f"{text!r} is no address")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds, above 0 and at most {LONGEST_TIMEOUT:g}"
        )
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
                Gauges(server, topic.transport, out, ending).start()
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
    make_server = topic.make_server()
    address = (arguments.host, arguments.port)
    try:
        return make_server(address, arguments.model, timeout=arguments.timeout, **keywords)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        out.failed(topic, number, f"cannot listen on {Endpoint(*address)}: {_reason(error)}")
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


class Ending:
    """How the server is stopped: an exception from a signal handler leaves whatever the main thread waits in.

    Python swallows such an exception where it meets a callback that cannot raise (a destructor, `os.register_at_fork`);
    so it is raised again until it is `noticed`. While the process forks it is held back, or the server would not learn
    of its new child. Should stopping last longer than the grace, the process just ends.
    """

    def __init__(self) -> None:
        self.noticed = False
        self.held = False
        self.deadline = math.inf

    def catch_signals(self) -> None:
        """SIGTERM and SIGINT stop the server; a forked child of it simply ends."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self.hold, after_in_parent=self.release, after_in_child=_default_signals)

    def hold(self) -> None:
        """Begin of a fork."""
        self.held = True

    def release(self) -> None:
        """End of a fork. A signal that came meanwhile is handled before this function's first line."""
        self.held = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Stop, the first time that it is asked for."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        self.deadline = time.monotonic() + GRACE
        signal.signal(signal.SIGALRM, self.insist)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        self.insist(number, frame)

    def insist(self, number: int, frame: FrameType | None) -> None:
        """Stop, unless that is under way."""
        if time.monotonic() > self.deadline:
            os._exit(0)
        if not (self.noticed or self.held):
            raise Stopped

    def over(self) -> None:
        """The process ends now: no more alarms, which kill it once the interpreter has taken its handlers away."""
        self.noticed = True
        signal.setitimer(signal.ITIMER_REAL, 0)


def _default_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)


class Lines(logging.Handler):
    """What a person reads: ``listening on``, then the log with its time, each line in one write."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")[:1]  # a number shared with forked children

    def attach(self) -> None:
        """Take all log records of this process, and what nobody could catch: of that, too, one line is enough."""
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)
        sys.unraisablehook = lambda missed: root.error("ignored: %r", missed.exc_value)
        threading.excepthook = lambda missed: root.error("a thread ended: %r", missed.exc_value)

    def listening(self, server: Server) -> None:
        """Say where; warn when that is not this machine alone."""
        host, port = server.server_address[:2]
        self.write(f"listening on {Endpoint(host, port)}")
        if not (host.startswith("127.") or host == "::1"):
            logging.getLogger(__name__).warning("%s is not loopback: other machines can reach this server", host)

    def failed(self, topic: Topic, number: int | None, text: str) -> None:
        """Say why the server could not start."""
        sys.stderr.write(f"netlab serve: {safe(text)}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record as a line; what peers sent passes the gate."""
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        self.write(f"{clock} {level}{self.text(record)}")

    def text(self, record: logging.LogRecord) -> str:
        """A record's message, safe and of bounded length."""
        message = record.getMessage()
        return safe(message if len(message) <= LONGEST_TEXT else message[: LONGEST_TEXT - 1] + "…")

    def write(self, line: str) -> bool:
        """Write a line to standard output, or count it as lost: when nobody reads, the server goes on all the same."""
        if self.lost[0] and writable(0):
            lost, self.lost[0] = self.lost[0], 0
            put(self.remark(f"{lost:,} lines were lost, since nobody read them"))
        if not writable(0 if self.lost[0] else PATIENCE):
            self.lost[0] += 1
            return False
        put(line)
        return True

    def remark(self, text: str) -> str:
        """A line about the log itself."""
        return f"{time.strftime('%H:%M:%S')} warning: {text}"


class Reports(Lines):
    """What a supervisor reads: an event per line, as JSON."""

    def listening(self, server: Server) -> None:
        """Report the address and the process."""
        host, port = server.server_address[:2]
        self.report({"event": "listening", "host": host, "port": port, "pid": os.getpid()})

    def failed(self, topic: Topic, number: int | None, text: str) -> None:
        """Report why the server could not start."""
        self.report({"event": "failed", "errno": number, "text": text})

    def emit(self, record: logging.LogRecord) -> None:
        """Report a log record."""
        level = "info" if record.levelno <= logging.INFO else "warning" if record.levelno < logging.ERROR else "error"
        stamp = int(record.created * 1e9)
        self.report({"event": "log", "time_ns": stamp, "level": level, "text": self.text(record)})

    def remark(self, text: str) -> str:
        """A line about the log itself, as a report."""
        return json.dumps({"event": "log", "time_ns": time.time_ns(), "level": "warning", "text": text})

    def report(self, event: Report) -> bool:
        """Write an event by one ``os.write``: signal handlers, threads and forked children do not mix their lines."""
        return self.write(json.dumps(event, ensure_ascii=False))


def writable(patience: float) -> bool:
    """Whether standard output takes a line now, or soon. Of a pipe that means `PIPE_BUF`, more than a line has."""
    try:
        return bool(select.select([], [1], [], patience)[1])
    except OSError:
        return True  # writing will tell


def put(line: str) -> None:
    """Write a line at once; whoever closed the other end wants to read nothing."""
    with suppress(OSError):
        os.write(1, (line + "\n").encode(errors="backslashreplace"))


class Gauges:
    """Looks, from an interval timer in the main thread, at what the server uses, and at standard input.

    A timer's signal and not a thread: ``forking`` must not fork a process that has a second thread, and a Python
    signal handler always runs in the main thread, between two of its instructions. So it takes no lock.
    """

    def __init__(self, server: Server, transport: Transport, out: Lines, ending: Ending) -> None:
        self.server = server
        self.ending = ending
        self.stream = transport is Transport.TCP
        self.out = out
        self.last: Report = {}

    def start(self) -> None:
        """Look at once, and from then on ten times a second."""
        signal.signal(signal.SIGALRM, self.look)
        signal.setitimer(signal.ITIMER_REAL, TICK / 10, TICK)

    def look(self, number: int, frame: FrameType | None) -> None:
        """Report gauges that changed; stop at the end of standard input."""
        queue, backlog = accept_queue(self.server.socket) if self.stream else (None, None)
        children = getattr(self.server, "active_children", None) or ()  # as socketserver.ForkingMixIn names them
        gauges = {"queue": queue, "backlog": backlog, "threads": thread_count(), "processes": 1 + len(children)}
        if gauges != self.last and self.out.write(json.dumps({"event": "gauges", **gauges})):
            self.last = gauges
        if input_ended():
            self.ending.stop(number, frame)


def input_ended() -> bool:
    """Whether standard input is at its end, or was never open. What stands there is read and ignored."""
    try:
        return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 65536)
    except OSError:
        return True


def accept_queue(listener: socket.socket) -> tuple[int | None, int | None]:
    """How many connections wait to be accepted, and how many may; (None, None) where the kernel does not tell.

    For a listening socket Linux puts both into tcpi_unacked and tcpi_sacked (net/ipv4/tcp.c, tcp_get_info).
    """
    if not (hasattr(socket, "TCP_INFO") and sys.platform == "linux"):
        return None, None
    try:
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    except OSError:  # closed
        return None, None
    return int.from_bytes(info[24:28], sys.byteorder), int.from_bytes(info[28:32], sys.byteorder)


def thread_count() -> int | None:
    """Threads of this process, by the link count of their folder; None where there is none.

    `threading.active_count` takes a lock, which the interrupted main thread may hold.
    """
    with suppress(OSError):
        return TASKS.stat().st_nlink - 2
    return None
