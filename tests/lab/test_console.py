from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from netlab.lab.console import COMMANDS, commands_for
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.topics.contract import Option
from netlab.topics.discovery import topic_named
from tests.support.echo import told


def seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


OPTIONS = (
    Option("secret", b"peekaboo", "what both sides know", str.encode, secret=True, client=True),
    Option("max_wait", 1.0, "seconds", seconds, server=False),
    Option("colour", "red", "which one", choices=("red", "green"), server=False),
)
TOPIC = dataclasses.replace(topic_named("tcp"), options=OPTIONS)


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab(TOPIC)
    yield lab
    lab.close()


def test_every_command_has_a_name_of_its_own_and_help() -> None:
    commands = commands_for(TOPIC)
    names = [command.name for command in commands]
    assert len(set(names)) == len(names)
    assert all(command.help for command in commands)
    assert {"secret", "max-wait", "colour"} < set(names)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":modle single", "no command :modle; did you mean :model"),
        (":", "no command :"),
        (":model", "has no model ''; there are single"),
        (":model \x1b", "has no model '\\x1b'"),
        (":port x", "x is not a port"),
        (":port 99999", "ports are 0 to 65535"),
        (":port", "nothing is not a port"),
        (":timeout soon", "soon is not a number of seconds"),
        (":timeout 0", "more than 0"),
        (":timeout nan", "more than 0"),
        (":use", ":use needs a client's number or name"),
        (":use 7", "no client 7; there are none yet"),
        (":close", "there is no client yet"),
        (":half-close", "there is no client yet"),
        (":save", ":save needs a file's name"),
        (":save x", "nothing was captured yet"),
        (":start now", "takes no argument"),
        (":max-wait soon", "'soon' is not a number"),
        (":colour blue", "one of red, green"),
        (":connect 5", "a client's name must not be a number"),
        (":fault gremlins", "there is no fault"),
        (":help modle", "no command"),
    ],
)
def test_what_a_person_gets_wrong_is_said_in_a_sentence(lab: Lab, line: str, said: str) -> None:
    with pytest.raises(LabError) as raised:
        lab.command(line)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()
    assert lab.state.phase is Phase.STOPPED


def test_help_names_every_command(lab: Lab) -> None:
    text = lab.command(":help")
    assert text is not None
    assert {line[1:].replace(": ", " ").split()[0] for line in text.splitlines()} >= {c.name for c in COMMANDS}
    one = lab.command(":help port")
    assert one is not None
    assert one.startswith(":port N")


def test_secrets_are_never_echoed(lab: Lab) -> None:
    session = lab.open()
    lab.submit(":secret wrong-horse")
    assert told(session) == ["# :secret ••••", "# secret is •••• for the client; the next :connect uses it"]
    assert lab.submit(":secret") == "secret: the client's is 'wrong-horse', the server's 'peekaboo'"
    assert told(session)[2:] == ["# :secret"]
    assert not any("wrong-horse" in line.text for line in lab.log)
    assert lab.options.client_keywords() == {"secret": b"wrong-horse"}
    assert lab.options.server_environment() == {"NETLAB_SECRET": "peekaboo"}  # what the server knows stays right


def test_commands_and_what_came_of_them_are_noted(lab: Lab) -> None:
    session = lab.open()
    assert lab.submit(":timeout 7") is None
    assert lab.submit(":tiemout 7") is None
    assert told(session) == [
        "# :timeout 7",
        "# a call waits at most 7 s",
        "# :tiemout",
        "no command :tiemout; did you mean :timeout?",
    ]
    assert lab.timeout == 7


def test_without_a_client_the_outcome_is_returned_or_raised(lab: Lab) -> None:
    assert lab.submit(":timeout 7") == "a call waits at most 7 s"
    with pytest.raises(LabError):
        lab.submit(":tiemout 7")


def test_the_servers_own_limit_for_silence_is_named(lab: Lab) -> None:
    assert lab.command(":idle") == "a client that is silent for 30 s (the server's own limit) is dropped"


def test_closing_twice_takes_the_client_off_the_list() -> None:
    with Lab("tcp") as lab:
        lab.submit("Hello\n:close")
        (session,) = lab.sessions
        assert told(session)[-3:] == ["b'Hello'", "# :close", "# closed"]
        lab.submit(":connect")
        session.wait_idle()
        assert session.connected
        assert lab.sessions == (session,)
        lab.submit(":close\n:close")
        assert lab.sessions == ()


def test_the_clients_commands_reach_the_wire() -> None:
    with Lab("tcp") as lab:
        lab.submit(":connect slow\n:half-close\nrecv(8192)\n:use slow")
        (session,) = lab.sessions
        session.wait_idle()
        assert session.name == "slow"
        assert ">>> s.socket.shutdown(socket.SHUT_WR)" in told(session)
        assert "b''" in told(session)
        lab.submit(":reset")
        assert told(session)[-1] == "# this side reset the connection (RST)"
