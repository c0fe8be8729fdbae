"""The ``netlab`` command: finds the subcommand and starts it. Importing this module imports none of them."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper

from netlab import __version__

TYPE_CHECKING = False  # a type checker takes it for that of `typing`, which is slow to import
if TYPE_CHECKING:
    from pathlib import Path

Main = Callable[[Sequence[str]], int]


class Subcommand:
    """A subcommand: the module that has its ``main(argv) -> exit status``, its arguments in the usage, and its help.

    ``needs`` is what it cannot do without on this system, as `netlab.platforms.lacks` takes it. A plain class, because
    `dataclasses` and `typing` take as long to import as all the rest of ``--version``.
    """

    def __init__(self, module: str, arguments: str, help: str, needs: tuple[str, ...] = ()) -> None:
        self.module, self.arguments, self.help, self.needs = module, arguments, help, needs

    def lacking(self) -> str:
        """Why this system cannot run it; empty if it can."""
        if not self.needs:
            return ""
        from netlab.platforms import lacks  # here, since --version needs none of it

        return lacks(self.needs)

    def main(self) -> Main:
        """Import the subcommand's function."""
        main: Main = import_module(self.module).main
        return main


LAB = ("os.killpg", "signal.setitimer")
SCREEN = ("termios",)
APP = Subcommand("netlab.commands.app", "[TOPIC] [options]", "the app, at that topic's tab", SCREEN + LAB)
COMMANDS = {
    "serve": Subcommand("netlab.commands.serve", "TOPIC [options]", "one topic's server alone"),
    "call": Subcommand("netlab.commands.call", "TOPIC 'EXPRESSION' …", "one client session from the shell", LAB),
    "attach": Subcommand(
        "netlab.commands.attach", "HOST:PORT | -- COMMAND", "the app, with a server of your own", SCREEN + LAB
    ),
    "wire": Subcommand(
        "netlab.commands.wire", "--to HOST:PORT [options]", "the wire alone, between any client and server"
    ),
    "run": Subcommand("netlab.commands.run", "EXPERIMENT …", "experiments without the app", LAB),
    "inspect": Subcommand(
        "netlab.commands.inspect", "FILE [--text|--json]", "a capture, read-only: in panes, or printed"
    ),
    "load": Subcommand("netlab.commands.load", "TOPIC|HOST:PORT [options]", "a server under load: latency, queue", LAB),
    "certs": Subcommand("netlab.certificates.certs", "[--dir DIR]", "make or show the lab's certificates"),
    "eject": Subcommand("netlab.commands.eject", "TOPIC [DIR]", "write a topic's server and client out as plain files"),
    "completion": Subcommand("netlab.commands.completion", "bash|zsh|fish", "a script that completes these words"),
}

INTERNAL = {
    "host": Subcommand("netlab.commands.host", "-- COMMAND …", "a person's program, for the app", LAB),
    "generator": Subcommand("netlab.commands.generator", "", "the requests of a load"),
}
"""What other commands start, and no person."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``netlab`` with its arguments; return the exit status."""
    _open_standard_streams()
    try:
        try:
            status = _dispatch(sys.argv[1:] if argv is None else argv)
        finally:  # also behind argparse's help, which ends by an exception
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else flushing at exit fails again
        if not isinstance(error, BrokenPipeError):  # the reader of our output, such as `head`, has seen enough
            print(f"netlab: {error}", file=sys.stderr)
        return 1
    return status


def _open_standard_streams() -> None:
    """Let no socket take the place of a closed stream, or its peer would read what is printed.

    Characters that the terminal's encoding lacks are printed as ``\\u2192``.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - open until the process ends
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 - the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _dispatch(argv: Sequence[str]) -> int:
    first = argv[0] if argv else ""
    if first in ("-h", "--help"):
        print(_help())
        return 0
    if first in ("-V", "--version"):
        print(f"netlab {__version__}")
        return 0
    if "--yield-cpu" in argv:  # before anything is imported: the app that asks for it is importing, too
        from netlab.processor import yield_processor

        yield_processor()
    if command := {**COMMANDS, **INTERNAL}.get(first):
        if reason := command.lacking():
            return _unable(f"netlab {first}", reason)
        main = command.main()
        _collect_garbage()
        if first in WITH_CERTIFICATES:
            return WITH_CERTIFICATES[first](argv[1:])
        if first in INTERRUPTED:
            _raise_interrupts()
        return main(argv[1:])
    if not first or first.startswith("-") or _is_topic(first):
        if reason := APP.lacking():
            return _unable("netlab", f"{reason}; netlab serve and netlab wire work without it")
        return APP.main()(argv)
    from netlab.commands.arguments import usage_error

    return usage_error("netlab", _usage(), f"there is no command or topic {first!r}")


def _collect_garbage() -> None:
    """Begin to, if `netlab.__main__` has put it off; what is there by now stays, and need not be looked at again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _unable(command: str, reason: str) -> int:
    print(f"{command}: {reason}", file=sys.stderr)
    return 1


INTERRUPTED = frozenset({"call", "run", "load", "certs"})
"""Commands that ctrl+c leaves through an exception; the others have handlers of their own."""


def _raise_interrupts() -> None:
    """Let ctrl+c raise `KeyboardInterrupt` again, as is usual in Python; `netlab.__main__` let it end the process."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _serve(argv: Sequence[str]) -> int:
    from netlab.commands import serve

    return serve.main(argv, _certificates)


def _eject(argv: Sequence[str]) -> int:
    from netlab.commands import eject

    _raise_interrupts()
    return eject.main(argv, _copied_certificates)


def _certificates(folder: Path | None) -> Path:
    """The lab's certificates, which are made if necessary; raises `OSError` if that fails."""
    from netlab.certificates import certs  # imports cryptography, which few topics need

    try:
        return certs.ensure(folder, say=_warn)
    except certs.CertificatesFailed as error:
        raise OSError(str(error)) from error


def _copied_certificates(folder: Path | None) -> Path:
    """A copy of the lab's certificates in that folder, so that servers and clients there and here trust each other."""
    from netlab.certificates import certs

    try:
        return certs.copy(folder) if folder is not None else certs.ensure()
    except certs.CertificatesFailed as error:
        raise OSError(str(error)) from error


def _warn(text: str) -> None:
    print(f"netlab: {text}", file=sys.stderr)


WITH_CERTIFICATES = {"serve": _serve, "eject": _eject}
"""Commands that may need the lab's certificates but must not import what makes them."""


def _is_topic(name: str) -> bool:
    from netlab.topics.discovery import find_topics

    return any(topic.name == name for topic in find_topics())


def _usage() -> str:
    return f"usage: netlab [TOPIC] [options] | netlab {{{'|'.join(COMMANDS)}}} … | netlab --help"


def _help() -> str:
    rows = [(f"netlab {name} {command.arguments}", command) for name, command in COMMANDS.items()]
    rows.insert(0, (f"netlab {APP.arguments}", APP))
    table = "\n".join(f"  {usage:<42}{command.help}" for usage, command in rows)
    more = "`netlab COMMAND --help` and `netlab TOPIC --help` explain the options. --version prints the version."
    return f"{_usage()}\n\nA network lab in the terminal.\n\n{table}\n\n{more}"
