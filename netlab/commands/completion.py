"""``netlab completion SHELL``: a script that completes the command's words, made from the commands' own parsers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from netlab.topics.contract import Topic
from netlab.topics.discovery import topics

SHELLS = ("bash", "zsh", "fish")
EPILOG = """\
bash: netlab completion bash > ~/.local/share/bash-completion/completions/netlab
zsh:  netlab completion zsh > a folder of $fpath/_netlab
fish: netlab completion fish > ~/.config/fish/completions/netlab.fish
Then open a new shell. A topic that is installed later is completed once the script is written again."""


def main(argv: Sequence[str]) -> int:
    """Run ``netlab completion`` with its arguments; return the exit status."""
    shell = build_parser().parse_args(argv).shell
    import shtab  # this command's alone

    sys.stdout.write(shtab.complete(whole_parser(), shell))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab completion``."""
    parser = argparse.ArgumentParser(
        prog="netlab completion",
        description="Print a script that completes netlab's words in a shell.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell to write for")
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """Every command's parser as one, with the values that only the installed topics know."""
    from netlab.certificates import certs
    from netlab.commands import app_options, attach, call, eject, inspect, run, serve, wire
    from netlab.commands.loads import load_arguments
    from netlab.wire.impairment import catalog

    known, faults = topics(), [kind.name for kind in catalog.offered()]
    parser = argparse.ArgumentParser(prog="netlab")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command")
    for topic in known.values():
        opened = app_options.build_parser(topic)
        _offer(opened, "fault", faults)
        _add(commands, topic.name, opened, topic.summary)
    of_topics = (
        ("serve", serve.build_parser, serve.ABOUT),
        ("call", call.build_parser, call.ABOUT),
        ("load", load_arguments.topic_parser, load_arguments.ABOUT),
    )
    for name, build, about in of_topics:
        each = commands.add_parser(name, help=about.partition(".")[0]).add_subparsers(dest="topic")
        for topic in known.values():
            built = build(topic)
            _offer(built, "fault", faults)
            _add(each, topic.name, built, topic.summary)
    relay, ejecting, running = wire.build_parser(), eject.build_parser(), run.build_parser()
    _offer(relay, "fault", faults)
    _offer(ejecting, "topic", known)
    _offer(ejecting, "model", dict.fromkeys(model for topic in known.values() for model in topic.models))
    _offer(running, "experiments", [name for topic in known.values() for name in _experiments(topic)])
    attaching = attach.build_parser()
    _offer(attaching, "fault", faults)
    others = {
        "attach": attaching,
        "wire": relay,
        "run": running,
        "inspect": inspect.build_parser(),
        "certs": certs.build_parser(),
    }
    for name, other in {**others, "eject": ejecting, "completion": build_parser()}.items():
        _add(commands, name, other, other.description or name)
    return parser


def _experiments(topic: Topic) -> list[str]:
    return [topic.name, *(f"{topic.name}/{each.name}" for each in topic.experiments())]


def _add(
    into: argparse._SubParsersAction[argparse.ArgumentParser], name: str, parser: argparse.ArgumentParser, text: str
) -> None:
    """Make a command's parser one of several, with files and folders where it asks for them."""
    import shtab

    for action in parser._actions:  # argparse has no public list of them
        if action.metavar in ("FILE", "FILE.pcapng"):
            vars(action)["complete"] = shtab.FILE
        elif action.metavar == "DIR":
            vars(action)["complete"] = shtab.DIRECTORY
    into.add_parser(name, parents=[parser], add_help=False, help=text)


def _offer(parser: argparse.ArgumentParser, argument: str, values: Iterable[str]) -> None:
    """Complete an argument with values that its parser does not insist on."""
    for action in parser._actions:
        if action.dest == argument:
            action.choices = list(values)
