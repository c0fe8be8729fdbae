"""The command line of the app, ``netlab TOPIC [options]``: those of ``netlab serve``, and faults.

It imports argparse, so it is imported only if there are options.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from netlab.commands.arguments import KEYLOG, host, port
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.processes.setup import lab_certificates
from netlab.serve.options import add_options, chosen_options, folder
from netlab.topics.contract import Topic
from netlab.wire.impairment import catalog


def build_parser(topic: Topic) -> argparse.ArgumentParser:
    """The command line behind ``netlab TOPIC``."""
    about = f"{topic.summary}\n\nOpens the app at this tab. The options are for this tab alone."
    parser = argparse.ArgumentParser(
        prog=f"netlab {topic.name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", choices=topic.models, help=f"default: {topic.models[0]}")
    text = "where the wire listens (default: %(default)s); 0.0.0.0 means every address of this machine"
    add("--host", type=host, default="127.0.0.1", help=text)
    add("--port", type=port, help=f"default: {topic.port}; 0 takes a free one")
    add("--server", type=Path, metavar="FILE", help="serve with the class Server in your own Python file")
    add("--fault", action="append", default=[], metavar="SPEC", help="impair the wire, as in 'delay 100ms ->'")
    add_options(parser, topic.options)
    if topic.encrypted:
        add("--keylog", type=Path, metavar="FILE", help=KEYLOG)
    if topic.certificates:
        add("--certificates", type=folder, metavar="DIR", help="folder of the lab's certificates")
    return parser


def settings_of(topic: Topic, words: Sequence[str]) -> LabSettings:
    """What the words ask for; raises `SystemExit` after a usage error and after ``--help``."""
    parser = build_parser(topic)
    arguments = parser.parse_args(words)
    if arguments.model is not None and (reason := topic.lacking(arguments.model)):
        parser.error(f"--model {arguments.model}: {reason}")
    if arguments.server is not None and not arguments.server.is_file():
        parser.error(f"--server {arguments.server}: there is no such file")
    try:
        catalog.chain(arguments.fault, topic.transport)
    except ValueError as error:
        parser.error(f"--fault: {error}")
    try:
        chosen = chosen_options(arguments, topic.options)
    except ValueError as error:
        parser.error(str(error))
    own = getattr(arguments, "certificates", None)
    return LabSettings(
        arguments.model,
        arguments.host,
        arguments.port,
        {option.name: chosen[option.name] for option in topic.options if chosen[option.name] != option.default},
        tuple(arguments.fault),
        lab_certificates if own is None else partial(lab_certificates, own),
        getattr(arguments, "keylog", None),
        own=arguments.server,
    )
