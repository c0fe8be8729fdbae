"""``netlab host``: runs a person's program for the app, and ends it with everything it started.

Internal: the app starts it. It speaks JSON lines, as ``netlab serve --supervised`` does, and imports little.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import suppress

from netlab.commands.arguments import help_formatter
from netlab.host.host_reports import HostReports
from netlab.host.hosting import Hosting
from netlab.host.listener_look import ListenerLook
from netlab.host.process_family import ProcessFamily
from netlab.processor import yield_processor

ENVIRONMENT = "NETLAB_HOST_ENVIRONMENT"
"""A JSON object: what differs in the program's environment; null removes a variable."""


def main(argv: Sequence[str]) -> int:
    """Run ``netlab host`` with its arguments; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    if arguments.yield_cpu:
        yield_processor()
    out = HostReports()
    environment = program_environment()
    try:
        if arguments.cwd:
            os.chdir(arguments.cwd)
    except OSError as error:
        out.report("failed", errno=error.errno, text=f"cannot work in {arguments.cwd}: {error.strerror}")
        return 1
    look = ListenerLook(arguments.port, udp=arguments.udp)
    return Hosting(ProcessFamily(), look, arguments.grace, out).run(arguments.command, environment)


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab host``."""
    parser = argparse.ArgumentParser(
        prog="netlab host",
        description="Run a program for the app.",
        formatter_class=help_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, default=0, help="where it listens; 0: wherever it does")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("--cwd", default="")
    for internal in ("--supervised", "--yield-cpu"):
        parser.add_argument(internal, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="+")
    return parser


def program_environment() -> dict[str, str]:
    """The program's environment: this process's, without what netlab put there for itself."""
    found = dict(os.environ)
    changes = found.pop(ENVIRONMENT, "{}")
    found["PYTHONUNBUFFERED"] = "1"  # else a Python's prints stay in the pipe's buffer
    with suppress(ValueError, AttributeError):
        for name, value in json.loads(changes).items():
            found.pop(name, None)
            if value is not None:
                found[name] = str(value)
    return found
