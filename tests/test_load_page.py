"""docs/load.md: each command line can be given as it stands there, and each experiment exists."""

from __future__ import annotations

import re
import shlex

import pytest

from netlab.commands.loads.load_arguments import address_parser, topic_parser, unfit
from netlab.topics.discovery import topic_named, topics
from tests.support.folders import TESTS

PAGE = (TESTS.parent / "docs" / "load.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^netlab load .+$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_can_be_given(line: str) -> None:
    target, *rest = shlex.split(line)[2:]
    arguments = (
        topic_parser(topics()[target]).parse_args(rest)
        if target in topics()
        else address_parser().parse_args([target, *rest])
    )
    assert unfit(arguments) == ""


def test_each_experiment_exists() -> None:
    known = {f"tcp/{experiment.name}" for experiment in topic_named("tcp").experiments()}
    named = set(re.findall(r"tcp/[a-z0-9-]+", PAGE))
    assert len(COMMANDS) == 4 and len(named) == 4 and named <= known
