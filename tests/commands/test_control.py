"""``netlab wire --control``: toxiproxy's API, spoken to as its clients speak it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.api.control.control_refused import ControlRefused
from netlab.api.control.toxics import KINDS, toxic_of
from netlab.capture.capture_file import Capture
from netlab.capture.model import Endpoint, Transport
from netlab.names import parse_address
from netlab.wire.impairment import catalog
from tests.support.echo import EchoServer
from tests.support.forking.process import netlab, run_netlab
from tests.support.waiting import PATIENCE, wait_until


class Control:
    """A running control API."""

    def __init__(self, address: Endpoint, wire: Endpoint) -> None:
        self.address, self.wire = address, wire

    def ask(self, method: str, path: str, value: object = None, **headers: str) -> tuple[int, object]:
        body = None if value is None else value if isinstance(value, bytes) else json.dumps(value)
        status, text = self.raw(method, path, body, **headers)
        return status, json.loads(text) if text else None

    def raw(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): each for name, each in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@contextlib.contextmanager
def controlled(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    words = ["wire", "--control", "127.0.0.1:0", *options]
    with netlab(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline(), process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def control(echo: EchoServer) -> Iterator[Control]:
    with controlled("--to", str(echo.address), "--fault", "delay 1ms") as (line, _):
        found = re.fullmatch(r"control on http://(\S+); proxy wire: listening on (\S+) → \S+\n", line)
        assert found is not None, line
        yield Control(parse_address(found[1]), parse_address(found[2]))


@pytest.fixture
def proxy(control: Control, echo: EchoServer) -> Iterator[dict[str, object]]:
    status, made = control.ask("POST", "/proxies", {"name": "a/b c", "upstream": str(echo.address), "listen": ""})
    assert status == 201 and isinstance(made, dict)
    yield made
    control.ask("DELETE", "/proxies/a%2Fb%20c")
    assert control.ask("POST", "/reset", {}) == (204, None)


def said(at: object, text: bytes) -> bytes:
    with socket.create_connection(parse_address(str(at)), timeout=PATIENCE) as client:
        client.sendall(text)
        return client.recv(100)


def test_a_proxy_from_its_making_to_its_end(control: Control, proxy: dict[str, object], echo: EchoServer) -> None:
    assert proxy == {**proxy, "name": "a/b c", "upstream": str(echo.address), "enabled": True, "toxics": []}
    path = "/proxies/a%2Fb%20c"
    assert said(proxy["listen"], b"Hello") == b"Hello"
    assert control.ask("GET", path) == (200, proxy)
    assert control.ask("POST", path, {"enabled": False}) == (200, {**proxy, "enabled": False})
    with pytest.raises(ConnectionRefusedError):
        said(proxy["listen"], b"Hello")
    assert control.ask("POST", "/reset", {}) == (204, None)
    assert said(proxy["listen"], b"Hello") == b"Hello"
    other = EchoServer()
    with contextlib.closing(other):
        changed = {**proxy, "upstream": str(other.address)}
        assert control.ask("PATCH", path, {"upstream": str(other.address)}) == (200, changed)
        assert said(proxy["listen"], b"Hello") == b"Hello"
        assert len(other.clients) == 1
    status, moved = control.ask("POST", path, {"listen": f"localhost:{free_port()}"})
    assert status == 200 and isinstance(moved, dict) and moved["listen"] != proxy["listen"]
    assert control.ask("DELETE", path) == (204, None)
    assert control.ask("GET", path) == (404, {"error": "proxy not found", "status": 404})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_toxics(control: Control, proxy: dict[str, object]) -> None:
    toxics = "/proxies/a%2Fb%20c/toxics"
    made = {"name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1.0}
    made |= {"attributes": {"latency": 5, "jitter": 0}}
    assert control.ask("POST", toxics, {"type": "latency", "attributes": {"latency": 5}}) == (200, made)
    assert control.ask("POST", toxics, {"type": "latency"}) == (409, {"error": "toxic already exists", "status": 409})
    changed = {**made, "toxicity": 0.5, "attributes": {"latency": 5, "jitter": 2}}
    assert control.ask("PATCH", f"{toxics}/latency_downstream", {"toxicity": 0.5, "attributes": {"jitter": 2}}) == (
        200,
        changed,
    )
    cut = {"name": "cut", "type": "limit_data", "stream": "upstream", "attributes": {"bytes": 3}}
    assert control.ask("POST", toxics, cut)[0] == 200
    assert control.ask("GET", toxics) == (200, [changed, {**cut, "toxicity": 1.0}])
    assert said(proxy["listen"], b"Hello") in (b"Hel", b"")
    assert control.ask("DELETE", f"{toxics}/cut") == (204, None)
    assert control.ask("GET", f"{toxics}/cut") == (404, {"error": "toxic not found", "status": 404})
    assert said(proxy["listen"], b"Hello") == b"Hello"


def test_what_crossed_is_a_capture(control: Control, proxy: dict[str, object], tmp_path: Path) -> None:
    said(proxy["listen"], b"Hello")
    (tmp_path / "a.pcapng").write_bytes(control.raw("GET", "/proxies/a%2Fb%20c/capture")[1])
    with Capture.of_file(tmp_path / "a.pcapng") as capture:
        capture.grow()
        assert b"Hello" in [bytes(segment.data) for segment in capture.segments]


def test_populate_keeps_what_is_there(control: Control, proxy: dict[str, object], echo: EchoServer) -> None:
    control.ask("POST", "/proxies/a%2Fb%20c/toxics", {"type": "noop"})
    entry = {"name": "a/b c", "upstream": str(echo.address), "listen": proxy["listen"]}
    status, found = control.ask("POST", "/populate", [entry, {"name": "new", "upstream": str(echo.address)}])
    assert status == 201 and isinstance(found, dict)
    assert [(each["name"], len(each["toxics"])) for each in found["proxies"]] == [("a/b c", 1), ("new", 0)]
    assert control.ask("DELETE", "/proxies/new") == (204, None)


def test_the_command_lines_own_proxy_keeps_its_faults(control: Control) -> None:
    assert said(control.wire, b"Hello") == b"Hello"
    status, found = control.ask("GET", "/proxies")
    assert status == 200 and isinstance(found, dict) and found["wire"]["listen"] == str(control.wire)
    status, found = control.ask("GET", "/version")
    assert status == 200 and isinstance(found, dict) and found["version"].startswith("netlab-")


REFUSED: list[tuple[str, str, object, int, str]] = [
    ("POST", "/proxies", b"{", 400, "bad request body: it is not JSON"),
    ("POST", "/proxies", b"[" * 100_000, 400, "bad request body: it is not JSON"),
    ("POST", "/proxies", [], 400, "bad request body: it is no JSON object"),
    ("POST", "/proxies", {"upstream": "a:1"}, 400, "missing required field: name"),
    ("POST", "/proxies", {"name": "x"}, 400, "missing required field: upstream"),
    ("POST", "/proxies", {"name": 1}, 400, "name is a text"),
    ("POST", "/proxies", {"name": "x\n", "upstream": "a:1"}, 400, "a name has at most 100 characters"),
    ("POST", "/proxies", {"name": "wire", "upstream": "127.0.0.1:1"}, 409, "proxy already exists"),
    ("POST", "/proxies", {"name": "x", "upstream": "a"}, 400, "to: 'a' is not HOST:PORT"),
    ("POST", "/proxies", {"name": "x", "upstream": "a:1", "listen": "0.0.0.0:0"}, 400, "0.0.0.0 is not loopback; `net"),
    ("POST", "/proxies", {"name": "x", "upstream": "a:1", "enabled": "no"}, 400, "enabled is true or false"),
    ("POST", "/populate", {}, 400, "the body is a list of proxies"),
    ("POST", "/populate", [{"name": "x"}], 400, "missing required field: upstream at proxy 1"),
    ("POST", "/proxies/wire/toxics", {"type": "worse"}, 400, "invalid toxic type: there are bandwidth"),
    ("POST", "/proxies/wire/toxics", {"type": "noop", "stream": "up"}, 400, "stream was invalid, can be either"),
    ("POST", "/proxies/wire/toxics", {"type": "noop", "toxicity": 2}, 400, "toxicity is a number from 0 to 1"),
    ("POST", "/proxies/wire/toxics", {"type": "latency", "attributes": {"latency": 1e999}}, 400, "latency is a number"),
    ("POST", "/proxies/wire/toxics", {"type": "noop", "attributes": {"a": 1}}, 400, "noop has no attribute 'a'"),
    ("DELETE", "/version", None, 405, "the methods here are GET"),
    ("GET", "/nothing", None, 404, "there is no such path"),
    ("GET", "/proxies/../version", None, 404, "there is no such path"),
    ("GET", "/proxies/none/toxics", None, 404, "proxy not found"),
]


@pytest.mark.parametrize(("method", "path", "value", "status", "error"), REFUSED)
def test_refused(control: Control, method: str, path: str, value: object, status: int, error: str) -> None:
    got, answer = control.ask(method, path, value)
    assert isinstance(answer, dict)
    assert (got, answer["status"]) == (status, status)
    assert answer["error"].startswith(error)


def test_pages_of_other_sites_are_refused(control: Control) -> None:
    assert control.ask("GET", "/proxies", Host="evil.example")[0] == 421
    assert control.ask("POST", "/reset", {}, Origin="http://evil.example")[0] == 403
    assert control.ask("POST", "/reset", b" " * 2_000_000)[0] == 413


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("toxicity", [1, 0.25, 0])
@pytest.mark.parametrize("value", [0, 7])
def test_every_toxic_is_made_of_faults_that_there_are(kind: str, toxicity: float, value: int) -> None:
    attributes = {each: value for each in KINDS[kind].attributes if each not in ("size_variation", "delay")}
    toxic = toxic_of({"type": kind, "stream": "upstream", "toxicity": toxicity, "attributes": attributes})
    chain = catalog.chain(toxic.faults, Transport.TCP)
    assert all(str(each).endswith("→") for each in chain)
    assert bool(chain) == bool(toxicity and kind != "noop" and (value or kind not in ("bandwidth", "slicer")))


def test_a_slicer_of_another_kind_is_refused() -> None:
    with pytest.raises(ControlRefused, match="netlab's slices are of one size, 1 ms apart: size_variation must be 0"):
        toxic_of({"type": "slicer", "attributes": {"average_size": 10, "size_variation": 5}})


def test_its_wires_end_with_it(echo: EchoServer) -> None:
    with controlled("--to", str(echo.address)) as (_, process):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        process.wait()
        wait_until(lambda: not any(_runs(child) for child in children))
        process.returncode = 0
    assert children


def _runs(child: str) -> bool:
    with contextlib.suppress(OSError):
        return " Z " not in Path(f"/proc/{child}/stat").read_text()
    return False


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--write", "a.pcapng"], "no --write with --control: GET /proxies/NAME/capture has what crossed"),
        (["--fault", "delay 1ms"], "--to HOST:PORT is needed"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], problem: str) -> None:
    found = run_netlab("wire", "--control", "127.0.0.1:0", *options, timeout=60)
    assert (found.returncode, problem in found.stderr) == (2, True)
