"""What all commands' parsers have in common."""

from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module

import pytest

from netlab import cli
from netlab.commands import call, serve, wire
from netlab.commands.arguments import address, seconds
from netlab.commands.loads.load_arguments import topic_parser
from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named


@pytest.mark.parametrize("name", [name for name in cli.COMMANDS if name not in ("serve", "call", "load")])
def test_a_command_has_a_parser(name: str) -> None:
    parser = import_module(cli.COMMANDS[name].module).build_parser()
    assert parser.prog == f"netlab {name}"
    assert parser.description


@pytest.mark.parametrize("build", [serve.build_parser, call.build_parser, topic_parser])
def test_a_command_that_serves_a_topic_has_a_parser_for_each(build: Callable[[Topic], ArgumentParser]) -> None:
    parser = build(topic_named("hmac"))
    assert "--secret" in parser.format_help()


def test_internal_switches_are_taken_and_not_shown() -> None:
    server, relay = serve.build_parser(topic_named("tcp")), wire.build_parser()
    for parser in (server, relay):
        for switch in ("--supervised", "--yield-cpu", "--temporary"):
            assert switch not in parser.format_help()
    assert server.parse_args(["--supervised", "--yield-cpu"]).supervised
    assert relay.parse_args(["--supervised", "--temporary", "--yield-cpu"]).temporary


def test_types_of_arguments() -> None:
    assert address("[::1]:80") == ("::1", 80)
    assert address("80") == ("127.0.0.1", 80)
    assert seconds("0.5") == 0.5
    for parse, text in ((address, "127.0.0.1:0"), (seconds, "0"), (seconds, "nan"), (seconds, "3601")):
        with pytest.raises(Exception, match="is not"):
            parse(text)
