"""A person's own server file in a lab: it serves, is replaced when it is saved, and its mistakes are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.lab import Lab
from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.experiments.labs import TabLab
from netlab.lab.experiments.run_events import Expected, RunEvent, RunOutcome, Stood
from netlab.lab.experiments.runner import perform
from netlab.lab.processes.setup import passing_certificates
from netlab.lab.state import EntryKind, Phase
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.ejecting import eject, ejected_server
from netlab.topics.experiment import Experiment, Runner
from tests.support.waiting import wait_until

UPPER = """\
from socketserver import BaseRequestHandler, ThreadingTCPServer


class Upper(BaseRequestHandler):
    def handle(self):
        while message := self.request.recv(8192):
            print("got", message)
            self.request.sendall(message.upper())


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address):
        super().__init__(address, Upper)
"""
SNIPPET = """\
from socketserver import BaseRequestHandler, TCPServer


class EchoHandler(BaseRequestHandler):
    def handle(self):
        while True:
            msg = self.request.recv(8192)
            if not msg:
                break
            self.request.send(msg[::-1])


if __name__ == '__main__':
    serv = TCPServer(('', PORT), EchoHandler)
    serv.serve_forever()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_server.py"
    path.write_text(UPPER)
    return path


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("tcp") as lab:
        yield lab


def asked(client: Session, line: str = "recv(100)") -> str:
    """What a line of the console answers."""
    client.submit(line)
    client.wait_idle()
    return client.transcript[-1].text


def echo(lab: Lab, text: str) -> str:
    """What the server makes of a text."""
    client = lab.connect()
    asked(client, f"send({text.encode()!r})")
    answer = asked(client)
    client.close()
    return answer


def answers(lab: Lab, wanted: str) -> bool:
    """Whether the server that is there makes this of a text; it may be replaced meanwhile."""
    try:
        return echo(lab, "x") == wanted
    except OSError:
        return False


def said(client: Session) -> list[str]:
    return [entry.text for entry in client.transcript if entry.kind is EntryKind.NOTE]


def test_it_serves_and_what_it_prints_is_in_the_log(lab: Lab, file: Path) -> None:
    before = lab.connect()
    assert lab.command(f":server {file}") == "my_server.py serves"
    assert lab.state.own is not None and lab.state.own.file == "my_server.py"
    wait_until(lambda: any("my_server.py serves now" in note for note in said(before)), "who was connected is told why")
    assert echo(lab, "Hello") == "b'HELLO'"
    wait_until(lambda: "got b'Hello'" in [line.text for line in lab.log.since(0)[0]], "its output")
    assert not lab.server_reports, "it logs no events, so the kernel is asked"


def test_saving_it_replaces_it_and_a_mistake_leaves_the_last_one_that_served(lab: Lab, file: Path) -> None:
    lab.command(f":server {file}")
    client = lab.connect()
    assert asked(client, "send(b'a')") == "1"
    file.write_text(UPPER.replace("upper())", "upper()"))
    wait_until(lambda: lab.state.own and lab.state.own.problem, "the mistake")
    assert lab.state.own is not None
    assert lab.state.own.problem == "my_server.py, line 8: '(' was never closed"
    assert client.connected and echo(lab, "still") == "b'STILL'"
    new = file.with_suffix(".new")
    new.write_text(UPPER.replace("upper()", "title()"))
    new.rename(file)  # as editors save
    wait_until(lambda: any("my_server.py was saved" in note for note in said(client)), "closed, with the reason")
    wait_until(lambda: lab.state.own and not lab.state.own.problem, "it serves")
    assert not any("Traceback" in line.text for line in lab.log.since(0)[0]), "what was reset by the lab is no error"
    assert echo(lab, "hello") == "b'Hello'"
    (file.parent / "beside.py").write_text("WORD = b'beside'\n")
    file.write_text("from beside import WORD\n" + UPPER.replace("message.upper()", "WORD"))
    wait_until(lambda: answers(lab, "b'beside'"), "it imports what stands beside it")
    (file.parent / "beside.py").write_text("WORD = b'changed'\n")
    wait_until(lambda: answers(lab, "b'changed'"), "a module beside it was saved")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("class Server:\n    pass\n", "Server() takes no arguments"),
        ("import nothing_there\nclass Server:\n    pass\n", "my_server.py, line 1: ModuleNotFoundError"),
        ("Server = 1\n", "my_server.py has no class Server"),
        ("class Server:\n    def __init__(self, address):\n        1 / 0\n", "line 3: ZeroDivisionError"),
        ("raise SystemExit('no')\nclass Server: ...\n", "my_server.py, line 1: SystemExit: no"),
        ("\0", "my_server.py"),
    ],
)
def test_a_mistake_is_named_by_its_line_and_the_recipe_stays(lab: Lab, file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(LabError) as raised:
        lab.own.use(file)
    assert problem in raised.value.problem
    assert lab.state.phase is Phase.SERVING and echo(lab, "Hello") == "b'Hello'"
    file.write_text(UPPER)
    wait_until(lambda: lab.state.own and not lab.state.own.problem, "it serves once it is mended")


def test_the_recipe_serves_again_by_server_alone_and_by_a_model(lab: Lab, file: Path) -> None:
    lab.command(f":server {file}")
    assert lab.command(":server") == "the recipe serves again"
    assert lab.state.own is None and echo(lab, "Hello") == "b'Hello'"
    lab.command(f":server {file}")
    with pytest.raises(LabError, match="has no model"):
        lab.set_model("nonsense")
    assert lab.state.own is not None and echo(lab, "Hello") == "b'HELLO'", "a wrong model changes nothing"
    lab.set_model("threading")
    assert lab.state.own is None and lab.state.model == "threading" and echo(lab, "Hello") == "b'Hello'"
    with pytest.raises(LabError, match="serves already"):
        lab.command(":server")
    with pytest.raises(LabError, match="there is no file"):
        lab.command(":server nowhere.py")


def test_a_program_that_wants_the_wires_port_gets_it(lab: Lab, tmp_path: Path) -> None:
    port = lab.address.port
    file = tmp_path / "snippet.py"
    file.write_text(SNIPPET.replace("PORT", str(port)))
    answer = lab.command(f":server {file}")
    assert answer == f"snippet.py serves on port {port}, so the wire listens on {lab.address}"
    assert lab.address.port != port and echo(lab, "abc") == "b'cba'"
    lab.command(":server")
    assert lab.address.port == port and echo(lab, "abc") == "b'abc'"


def test_a_program_that_takes_a_port_gets_a_free_one(lab: Lab, tmp_path: Path) -> None:
    file, at = tmp_path / "program.py", lab.address
    file.write_text("import sys\nassert sys.argv[1] == '--port'\n" + SNIPPET.replace("PORT", "int(sys.argv[2])"))
    assert lab.command(f":server {file}") == "program.py serves"
    assert lab.address == at and echo(lab, "abc") == "b'cba'"


@pytest.mark.parametrize("topic", topics().values(), ids=lambda topic: topic.name)
def test_an_ejected_folder_serves_as_it_is(topic: Topic, tmp_path: Path) -> None:
    eject(topic, tmp_path)
    with passing_certificates() as certificates, Lab(topic, certificates=certificates) as lab:
        lab.own.use(ejected_server(topic, tmp_path, lab.state.model))
        client = lab.connect()
        client.submit(topic.sample)
        client.wait_idle()
        assert client.transcript[-1].kind is EntryKind.RESULT, client.transcript[-1]


def says_hello(runner: Runner) -> None:
    """An experiment that the echo server passes."""
    client = runner.lab().connect()
    client.call("send", b"Hello")
    got = client.call("recv", 8192)
    runner.expect("the echo", lambda: got == b"Hello", within=0.1)


def test_an_experiment_says_what_a_persons_own_file_fails_and_leaves_it_serving(lab: Lab, tmp_path: Path) -> None:
    eject(lab.topic, tmp_path, model="single")
    file = ejected_server(lab.topic, tmp_path, "single")
    text = file.read_text()
    experiment = Experiment("echo", "Is it echoed?", ("Yes.", "No."), 0, "It is. It must be.", says_hello)
    for changed, outcome in (text, RunOutcome.SEEN), (text.replace("(message)", "(b'no')"), RunOutcome.NOT_SEEN):
        file.write_text(changed)
        lab.own.use(file)
        events: list[RunEvent] = []
        assert perform(experiment, TabLab(lab), events.append).outcome is outcome, events
        assert outcome is RunOutcome.SEEN or any(isinstance(each, Expected) and not each.seen for each in events)
        stood = [line for each in events if isinstance(each, Stood) for line in each.lines]
        line = next(number for number, code in enumerate(text.split("\n"), 1) if "recv(8192)" in code)
        where = f"{file.name}, line {line}: while message := self.request.recv(8192):   ← client "
        assert not stood if outcome is RunOutcome.SEEN else len(stood) == 1 and stood[0].startswith(where)
        assert lab.own.path == file and lab.state.phase is Phase.SERVING
