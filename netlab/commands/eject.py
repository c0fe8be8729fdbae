"""``netlab eject``: writes a topic's server and client out as files that run without netlab."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from netlab.topics.contract import Certificates
from netlab.topics.discovery import topic_named
from netlab.topics.ejecting import check_targets, eject


def main(argv: Sequence[str], certificates: Certificates | None = None) -> int:
    """Run ``netlab eject`` with its arguments; return the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        topic = topic_named(arguments.topic)
    except KeyError as error:
        parser.error(str(error.args[0]))
    if arguments.model and arguments.model not in topic.models:
        parser.error(f"{topic.name} has no model {arguments.model!r}; there are {', '.join(topic.models)}")
    try:
        check_targets(topic, arguments.folder, arguments.model, arguments.force)
        more: tuple[Path, ...] = ()
        if topic.certificates and certificates is not None:
            more = (certificates(arguments.folder / "certs"),)  # where the recipes look; first, as it may be refused
        written = eject(topic, arguments.folder, model=arguments.model, force=arguments.force) + more
    except FileExistsError as error:
        sys.stderr.write(f"netlab eject: {error.filename} is there already; --force replaces it\n")
        return 1
    except OSError as error:
        reason = f"cannot write {error.filename}: {error.strerror}" if error.filename else str(error)
        sys.stderr.write(f"netlab eject: {reason}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab eject``."""
    parser = argparse.ArgumentParser(
        prog="netlab eject", description="Write a topic's server and client out as plain files that run without netlab."
    )
    parser.add_argument("topic", metavar="TOPIC")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path(), help="default: here")
    parser.add_argument("--model", metavar="MODEL", default="", help="only this model's server, of several")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    return parser
