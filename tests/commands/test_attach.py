"""``netlab attach`` and ``:attach``: what is understood, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.capture.model import Endpoint, Transport
from netlab.commands import attach
from netlab.lab.errors import LabError
from netlab.lab.processes.programs.program import Program
from netlab.lab.processes.server_plan import Elsewhere

SCENE = """
[[wire]]
name = "Cache"
to = "127.0.0.1:6379"
faults = ["delay 5ms"]
[[wire]]
name = "cache!"
to = "127.0.0.1:6380"
udp = true
"""


def test_a_line_says_what_to_attach() -> None:
    found = attach.from_line("localhost:53 --udp --listen 5353 --name 'my dns' --fault 'loss 10%' --fault 'delay 5ms'")
    assert (found.topic.title, found.topic.transport) == ("my dns", Transport.UDP)
    assert found.server == Elsewhere(Endpoint("localhost", 53))
    assert found.listen == Endpoint("127.0.0.1", 5353)
    assert found.faults == ("loss 10%", "delay 5ms")
    assert attach.from_line("8080 --as wsgi").topic.variable == "web"
    assert attach.from_line("8443 --keylog keys.log").settings.keylog == Path("keys.log")


def test_a_dissector_of_ones_own_is_the_topics(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text("")
    assert attach.from_line(f"8080 --dissect {own}").topic.dissect_file == own
    assert attach.from_line(f"--dissect {own} -- sleep 5").topic.dissect_file == own
    with pytest.raises(LabError, match="there is no file"):
        attach.from_line(f"8080 --dissect {own}x")


def test_what_follows_the_dashes_is_a_program() -> None:
    found = attach.from_line("--listen 5353 --grace 3 -- redis-server --port {port} --save ''")
    assert found.server == Program(("redis-server", "--port", "{port}", "--save", ""), None, 3.0)
    assert (found.topic.title, found.topic.attached, found.listen) == (
        "redis-server",
        True,
        Endpoint("127.0.0.1", 5353),
    )
    assert found.topic.summary == "your program, started here: redis-server --port {port} --save ''"
    found = attach.from_line("--udp --port 53 --name 'my dns' -- python3 dns.py")
    assert (found.server, found.topic.title) == (Program(("python3", "dns.py"), 53), "my dns")
    assert attach.from_line("--as wsgi -- gunicorn app").topic.variable == "web"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("80 -- true", "either HOST:PORT, a scene, or a command"),
        ("--", "either HOST:PORT, a scene, or a command"),
        ("80 --grace 3", "concern a program"),
        ("--grace 0 -- true", "not a number of seconds"),
        ("--udp -- true", "write {port} in its arguments, or --port N"),
        ("", "a command behind -- is needed"),
        ("nowhere", "'nowhere' is not HOST:PORT"),
        ("127.0.0.1:0", "no server has port 0"),
        ("80 --fault melt", "there is no fault 'melt'"),
        ("80 --fault 'loss 1%'", "no loss on TCP"),
        ("80 --udp --as wsgi", "--as wsgi is a client of streams"),
        ("80 --as http", "invalid choice"),
        ("80 --name " + "x" * 30, "at most 24"),
        ("80 'open", "cannot be split"),
        ("scene.toml", "a scene has several wires"),
        ("--help", "usage: netlab attach"),
    ],
)
def test_a_wrong_line_is_refused_with_a_sentence(line: str, said: str) -> None:
    with pytest.raises(LabError) as caught:
        attach.from_line(line)
    assert said in str(caught.value)


def test_a_scene_gives_a_tab_for_each_wire_and_names_its_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scene.toml"
    file.write_text(SCENE)
    parser = attach.build_parser()
    found = attach.of_scene(parser.parse_args([str(file)]), parser)
    assert [(each.topic.name, each.topic.title) for each in found] == [("cache", "Cache"), ("cache-2", "cache!")]
    assert found[0].faults == ("delay 5ms",)
    file.write_text(SCENE.replace("udp", "upd"))
    assert attach.main([str(file)]) == 2
    assert capsys.readouterr().err == "netlab attach: scene.toml, line 9: upd is not known; did you mean udp?\n"
    with pytest.raises(SystemExit) as caught:
        attach.main([str(file), "--udp"])
    assert caught.value.code == 2
    assert "leave out the options" in capsys.readouterr().err


def test_without_a_terminal_it_says_what_else_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    assert attach.main(["127.0.0.1:9"]) == 2
    assert "try netlab wire" in capsys.readouterr().err
