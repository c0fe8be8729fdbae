"""The pytest plugin, by runs of pytest inside this one."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.api.pytest_wires import safe_name
from netlab.capture.capture_file import Capture
from tests.support.echo import EchoServer
from tests.support.folders import ROOT

pytest_plugins = ["pytester"]
OTHERS = ("textual-snapshot", "syrupy", "hypothesispytest", "randomly", "netlab")
PLUGIN = (
    *(f"-pno:{name}" for name in OTHERS),
    "-p",
    "netlab.api.pytest_plugin",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
)
"""As if it were installed; where it is, by its module instead: both is one too many."""
CALL = """
import socket
import pytest

def say(wire, text):
    with socket.create_connection(wire.address, timeout=10) as client:
        client.sendall(text)
        return client.recv(100)
"""


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


def run(pytester: pytest.Pytester, echo: EchoServer, text: str, *options: str) -> str:
    """Run this test file; what pytest prints."""
    pytester.makepyfile(f"{CALL}\nTO = {tuple(echo.address)}\n{text}")
    return pytester.runpytest_inprocess(*PLUGIN, *options).stdout.str()


def section(printed: str, name: str) -> str:
    """The report's section of that wire, the only one."""
    (found,) = re.findall(rf"^-+ netlab {name}: .*?-+\n(.*?)(?=\n[-=_]{{3}})", printed, re.DOTALL | re.MULTILINE)
    return str(found)


def test_a_wire_ends_with_its_test_and_a_failure_shows_what_crossed(
    pytester: pytest.Pytester, echo: EchoServer
) -> None:
    printed = run(
        pytester,
        echo,
        """
@pytest.mark.netlab(faults=["delay 1ms"], seed=7)
def test_fails(netlab_wire):
    wire = netlab_wire(TO, faults=["slice 3 ->"])
    assert wire.faults == ("slice 3 →", "delay 1ms")
    test_fails.wire = wire
    assert say(wire, b"Hello") == b"Bye"

def test_it_has_ended(netlab_wire):
    with pytest.raises(OSError):
        say(test_fails.wire, b"Hello")

def test_without_wires():
    assert False
""",
    )
    assert "2 failed, 1 passed" in printed
    lines = section(printed, "wire 1").splitlines()
    assert lines[0] == "seed 7, faults: slice 3 →, delay 1ms"
    assert re.fullmatch(r"\d+ segments crossed in this test:", lines[1])
    assert "3 bytes  'Hel'  (piece 1 of 2, held 1 ms)" in lines[3]


def test_a_wire_of_the_session_shows_only_the_failing_test_and_is_restored(
    pytester: pytest.Pytester, echo: EchoServer, tmp_path: Path
) -> None:
    printed = run(
        pytester,
        echo,
        """
@pytest.fixture(scope="session")
def server(netlab_wires):
    wire = netlab_wires(TO, name="echo", faults=["delay 1ms"])
    assert say(wire, b"set-up") == b"set-up"
    return wire

def test_passes(server):
    assert say(server, b"first") == b"first"
    server.replace("cut")
    server.down()

@pytest.mark.netlab(faults=["slice 1 <-"], wire="echo")
@pytest.mark.netlab(faults=["stall"], wire="another")
@pytest.mark.parametrize("text", [b"second", b"/../../third"])
def test_fails(server, netlab_wires, text):
    assert netlab_wires["echo"] is server
    assert server.faults == ("delay 1ms", "slice 1 ←")
    assert say(server, text) == b"never"

def test_is_clean(server):
    assert server.faults == ("delay 1ms",)
""",
        f"--netlab-save={tmp_path / 'kept'}",
        "--netlab-seed=3",
    )
    assert "2 failed, 2 passed" in printed
    shown = re.findall(r"^-+ netlab echo: .*?-+\n(.*?)(?=\n[-=_]{3})", printed, re.DOTALL | re.MULTILINE)
    assert [each.startswith("seed 3, faults: delay 1ms, slice 1 ←\n") for each in shown] == [True, True]
    assert "second" in shown[0] and "first" not in shown[0] and "third" in shown[1] and "second" not in shown[1]
    assert "; this test begins with segment " in shown[0]
    files = sorted((tmp_path / "kept").iterdir())
    assert [file.name.rpartition("-test_fails-")[2] for file in files] == [
        "..-..-third-echo.pcapng",
        "second-echo.pcapng",
    ]
    with Capture.of_file(files[0]) as capture:
        capture.grow()
        assert b"third" in b"".join(bytes(each.data) for each in capture.segments)


def test_set_up_and_teardown_show_it_too_and_nothing_is_overwritten(
    pytester: pytest.Pytester, echo: EchoServer, tmp_path: Path
) -> None:
    text = """
@pytest.fixture
def broken(netlab_wire):
    say(netlab_wire(TO, name="broken"), b"set-up")
    assert False

def test_set_up(broken): pass

@pytest.fixture
def ends_badly(netlab_wire):
    yield netlab_wire(TO, name="ends")
    assert False

def test_teardown(ends_badly):
    say(ends_badly, b"teardown")

def test_passes(netlab_wire):
    say(netlab_wire(TO), b"passes")

@pytest.mark.netlab("delay 1ms")
def test_mark(netlab_wire):
    netlab_wire(TO)
"""
    for _ in range(2):
        printed = run(pytester, echo, text, f"--netlab-save={tmp_path}")
        assert "'set-up'" in section(printed, "broken")
        assert "'teardown'" in section(printed, "ends")
    assert "the mark netlab was given ('delay 1ms',); write it as in @pytest.mark.netlab(faults=" in printed
    assert len(list(tmp_path.iterdir())) == 4


def test_a_scene_has_wires_by_name(pytester: pytest.Pytester, echo: EchoServer) -> None:
    scene = pytester.path / "scene.toml"
    scene.write_text(f"""[[wire]]\nname = "echo"\nto = "{echo.address}"\nfaults = ["delay 1ms"]\n""")
    text = """
def test_by_name(netlab_wires, netlab_wire):
    assert say(netlab_wires["echo"], b"Hello") == b"Hello"
    assert netlab_wire["echo"].faults == ("delay 1ms",)
    assert netlab_wires["echo"] is netlab_wires["echo"] is not netlab_wire["echo"]

def test_none(netlab_wires):
    netlab_wires["redis"]
"""
    printed = run(pytester, echo, text, "--netlab-scene=scene.toml")
    assert "1 failed, 1 passed" in printed
    assert "no wire in scene.toml is named 'redis'; there are echo" in printed
    scene.write_text("[[wire]]\nto = 'redis'")
    assert "scene.toml, line 2: 'redis' is not HOST:PORT" in run(pytester, echo, text, "--netlab-scene=scene.toml")
    assert "named 'echo'; there are none yet; --netlab-scene FILE brings more" in run(pytester, echo, text)


def test_workers_and_coroutines(pytester: pytest.Pytester, echo: EchoServer, tmp_path: Path) -> None:
    pytester.makeconftest("""
import asyncio, inspect
def pytest_pyfunc_call(pyfuncitem):
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}))
        return True
""")
    pytester.makepyfile(f"""
import asyncio, pytest
@pytest.mark.parametrize("number", [1, 2])
async def test_fails(netlab_wire, number):
    wire = await netlab_wire.asynchronous({tuple(echo.address)})
    reader, writer = await asyncio.open_connection(*wire.address)
    writer.write(b"Hello")
    assert await reader.read(100) == b"Hello"
    await wire.wait_for("<- 'Hello'")
    writer.close()
    assert False
""")
    options = [*PLUGIN[:-2], "-n", "1", f"--netlab-save={tmp_path}"]
    printed = pytester.runpytest_subprocess(*options).stdout.str()
    assert "2 failed" in printed
    assert printed.count("5 bytes  'Hello'") == 4
    assert sorted(file.name[-15:] for file in tmp_path.iterdir()) == ["1-wire-1.pcapng", "2-wire-1.pcapng"]


def test_it_imports_pytest_alone() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import netlab.api.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["netlab", "netlab.api", "netlab.api.pytest_plugin"]


def test_it_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"netlab": "netlab.api.pytest_plugin"}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("tests/a/test_b.py::Test::test_c[x/../y]", "tests-a-test_b.py-Test-test_c-x-..-y"),
        ("..", "test"),
        ("-rf ~", "rf"),
        ("x" * 300, "x" * 120),
        ("naïve\x1b\n:", "na-ve"),
    ],
)
def test_names_of_files_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
