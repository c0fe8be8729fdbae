from __future__ import annotations

import dataclasses

import pytest

from netlab.lab.errors import LabError
from netlab.lab.topic_options import Options, Setting
from netlab.topics.contract import Option
from netlab.topics.discovery import topic_named


def key(text: str) -> bytes:
    if len(text) < 3:
        raise ValueError(f"{text!r} is too short")
    return text.encode()


OPTIONS = (
    Option("secret", b"peekaboo", "what both sides know", key, secret=True, client=True),
    Option("max_wait", 1.0, "seconds", float),
    Option("nones", True, "yes or no", lambda text: text == "yes", choices=("yes", "no"), client=True),
    Option("path", "/", "where to", server=False, client=True),
)
USUAL = {"NETLAB_SECRET": "peekaboo"}
TOPIC = dataclasses.replace(topic_named("tcp"), options=OPTIONS)


def test_what_is_not_set_keeps_the_recipes_default() -> None:
    options = Options(TOPIC, {})
    assert (options.server_arguments(), options.server_environment(), options.client_keywords()) == ([], USUAL, {})
    assert options.secrets == {"secret"}


def test_secrets_go_by_the_environment_and_the_rest_by_the_command_line() -> None:
    options = Options(TOPIC, {"secret": b"horse", "max_wait": 2.5, "nones": False, "path": "/x"})
    assert options.server_arguments() == ["--max-wait", "2.5", "--nones", "no"]
    assert options.server_environment() == {"NETLAB_SECRET": "horse"}
    assert options.client_keywords() == {"secret": b"horse", "nones": False, "path": "/x"}


def test_a_wrong_value_is_said_but_never_a_secret() -> None:
    options = Options(TOPIC, {})
    with pytest.raises(LabError, match="--max-wait: could not convert string to float: 'soon'"):
        options.set("max-wait", "soon")
    with pytest.raises(LabError, match="--nones is one of yes, no"):
        options.set("nones", "maybe")
    with pytest.raises(LabError) as raised:
        options.set("secret", "zz")
    assert str(raised.value) == "--secret: that value is not valid; what both sides know"
    with pytest.raises(LabError, match="the options are secret, max_wait, nones, path"):
        Options(TOPIC, {"size": 1})


def test_a_secret_of_both_can_be_set_for_the_client_alone() -> None:
    options = Options(TOPIC, {})
    options.set("secret", "wrong", client_only=True)
    assert options.client_keywords() == {"secret": b"wrong"}
    assert options.server_environment() == USUAL
    assert options.display(OPTIONS[0]) == "the client's is 'wrong', the server's 'peekaboo'"


def test_what_was_set_can_be_restored() -> None:
    options = Options(TOPIC, {"nones": "no"})
    values_now = options.values_now()
    options.set("nones", "yes")
    options.restore(values_now)
    assert options.server_arguments() == ["--nones", "no"]


def test_the_status_line_gets_the_servers_options_that_it_shows_and_no_secret() -> None:
    present = Option("present", "good", "what is shown", choices=("good", "bad"), status="certificate")
    mine = Option("mine", "a", "of the client", server=False, client=True, status="mine")
    secret = dataclasses.replace(OPTIONS[0], status="secret")
    options = Options(dataclasses.replace(TOPIC, options=(*OPTIONS, present, mine, secret)), {})
    assert options.in_status() == (Setting("certificate", "good", usual=True),)
    options.set("present", "bad")
    assert options.in_status() == (Setting("certificate", "bad", usual=False),)
