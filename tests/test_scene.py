"""``scene.toml``: what it says, and that a mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab import scene
from netlab.capture.model import Endpoint, Transport
from netlab.scene import SceneError, SceneWire

HERE = Path("/nowhere/scene.toml")

GOOD = """
[[wire]]
name = "cache"
to = "127.0.0.1:6379"
listen = "127.0.0.1:7000"
faults = ["delay 50ms", "slice 1 ->"]

[[wire]]
to = "[::1]:53"
udp = true

[[wire]]
name = "api"
to = "8080"
as = "wsgi"
"""


def test_it_names_wires() -> None:
    assert scene.parse(GOOD, HERE).wires == (
        SceneWire(
            "cache",
            Endpoint("127.0.0.1", 6379),
            listen=Endpoint("127.0.0.1", 7000),
            faults=("delay 50ms", "slice 1 ->"),
        ),
        SceneWire("[::1]:53", Endpoint("::1", 53), Transport.UDP),
        SceneWire("api", Endpoint("127.0.0.1", 8080), client="wsgi"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[wire]]\nname = 'a'\n\n[[wire]]\nname = 'b'\nto = '1'\n", 'scene.toml, line 1: to = "HOST:PORT" is missing'),
        ("[[wire]]\nto = '1'\n\n[[wire]]\nname = 'b'\n  to = 'x:y'\n", "scene.toml, line 6: 'x:y' is not HOST:PORT"),
        ("[[wire]]\nto = 1\n", "scene.toml, line 2: to is a text in quotes"),
        ("[[wire]]\nto = '0'\n", "scene.toml, line 2: no server has port 0"),
        ("[[wire]]\nto = '1'\nlisten = '::'\n", "scene.toml, line 3: '::' is not HOST:PORT"),
        ("[[wire]]\nto = '1'\nfault = []\n", "scene.toml, line 3: fault is not known; did you mean faults?"),
        ("[[wire]]\nto = '1'\nudp = 'yes'\n", "scene.toml, line 3: udp is true or false"),
        ("[[wire]]\nto = '1'\nfaults = 'loss 1%'\n", "scene.toml, line 3: faults is a list of texts"),
        ("[[wire]]\nto = '1'\nfaults = [\n 'slice 1',\n 'melt',\n]\n", "scene.toml, line 5: there is no fault 'melt'"),
        ("[[wire]]\nto = '1'\nfaults = ['loss 1%']\n", "scene.toml, line 3: no loss on TCP"),
        ("[[wire]]\nto = '1'\nas = 'http'\n", "scene.toml, line 3: as is one of wsgi, xmlrpc"),
        ("[[wire]]\nto = '1'\nudp = true\nas = 'wsgi'\n", "scene.toml, line 4: as is one of wsgi, xmlrpc, over TCP"),
        ("[[wire]]\nname = 'a'\nto = '1'\n[[wire]]\nname = 'a'\nto = '2'\n", "scene.toml, line 5: another wire is"),
        ("[[wire]]\nname = ''\nto = '1'\n", "scene.toml, line 2: a name has 1 to 24 printable characters"),
        ("title = 'x'\n[[wire]]\nto = '1'\n", "scene.toml, line 1: title is not known here"),
        ("[[wires]]\nto = '1'\n", "scene.toml, line 1: wires is not known here"),
        ("wire = [{to = '1', as = 'x'}]\n", "scene.toml, wire 1: as is one of"),
        ("[[wire]]\nto = \n", "scene.toml is not TOML: Invalid value (at line 2"),
        ("wire = 3\n", "scene.toml has no [[wire]] entry"),
        ("", "scene.toml has no [[wire]] entry"),
        ("[[wire]]\nto = '1'\n" * 65, "scene.toml has 65 wires; the most is 64"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SceneError) as caught:
        scene.parse(text, HERE)
    assert str(caught.value).startswith(said)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\x00")
    for path, said in ((tmp_path / "none.toml", "No such file"), (tmp_path, "Is a directory"), (binary, "not UTF-8")):
        with pytest.raises(SceneError, match=said):
            scene.read(path)
    assert scene.is_scene("scene.toml")
    assert not scene.is_scene("localhost:6379")
