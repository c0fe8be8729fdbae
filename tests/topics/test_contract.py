"""What holds for every topic found, under every model: a ninth topic is tested by being there."""

from __future__ import annotations

import ast
import inspect
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.dissect.fields import Dissection, Field
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken, find_topics, topics
from netlab.topics.ejecting import eject, standing_alone
from netlab.topics.recipe import recipe_files
from tests.support.clients import connected, say
from tests.support.server_processes import Serving, descendants, serving
from tests.support.waiting import PATIENCE, wait_until

TOPICS = tuple(topics().values())


def by_model(*transports: Transport) -> pytest.MarkDecorator:
    """Run a test for each model of each topic on these transports."""
    cases = [(topic, model) for topic in TOPICS if topic.transport in transports for model in topic.models]
    return pytest.mark.parametrize(
        ("topic", "model"), [pytest.param(topic, model, id=f"{topic.name}-{model}") for topic, model in cases]
    )


EACH = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)

UNWANTED = {"textual", "rich", "netlab.ui", "netlab.lab", "netlab.wire", "cryptography", "asyncio"}
"""What no server needs, and would pay for in time and memory."""


def serve_arguments(topic: Topic, model: str, certificates: Path) -> list[str]:
    more = ["--certificates", str(certificates)] if topic.certificates else []
    return [topic.name, "--model", model, *more]


def assert_port_free(topic: Topic, address: tuple[str, int]) -> None:
    kind = socket.SOCK_STREAM if topic.transport is Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as again:
        if kind == socket.SOCK_STREAM:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(address)


def loaded_modules(importtime: str) -> set[str]:
    """Names from what ``python -X importtime`` wrote."""
    return {line.rpartition("|")[2].strip() for line in importtime.splitlines() if line.startswith("import time:")}


def test_every_topic_loads() -> None:
    assert [found for found in find_topics() if isinstance(found, Broken)] == []
    assert {"tcp", "udp"} <= {topic.name for topic in TOPICS}


@by_model(*Transport)
def test_it_serves_and_leaves_nothing(topic: Topic, model: str, certificates: Path, tmp_path: Path) -> None:
    arguments = serve_arguments(topic, model, certificates)
    with (
        (tmp_path / "stderr").open("w") as stderr,
        serving(*arguments, python=["-X", "importtime"], stderr=stderr.fileno()) as child,
    ):
        assert child.lines[0].startswith("listening on 127.0.0.1:")
        client = connected(topic, child.address, certificates)
        assert say(topic, model, client)
        children = descendants(child.process.pid)
        before = time.monotonic()
        assert child.terminate() == 0
        assert time.monotonic() - before < 2
        assert_port_free(topic, child.address)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), f"the end of {children}")
        client.close()
    told = (tmp_path / "stderr").read_text()
    assert [line for line in told.splitlines() if not line.startswith("import time:")] == []
    loaded = loaded_modules(told)
    assert "netlab.commands.arguments" in loaded, "the command itself is imported by its name, which is not written"
    # By hand, a server with certificates first makes sure of them; its supervisor has done that.
    allowed = ({"asyncio"} if model == "asyncio" else set()) | ({"cryptography"} if topic.certificates else set())
    assert loaded & UNWANTED <= allowed


@EACH
def test_under_a_supervisor_it_loads_the_least(topic: Topic, certificates: Path, tmp_path: Path) -> None:
    arguments = [*serve_arguments(topic, topic.models[0], certificates), "--supervised"]
    with (
        (tmp_path / "stderr").open("w") as stderr,
        serving(*arguments, python=["-X", "importtime"], stderr=stderr.fileno()) as child,
    ):
        assert child.terminate() == 0
    assert loaded_modules((tmp_path / "stderr").read_text()) & UNWANTED == set()


@by_model(Transport.TCP)
def test_a_client_that_stalls_is_dropped(topic: Topic, model: str, certificates: Path) -> None:
    unfinished = topic.unfinished(model)
    with serving(*serve_arguments(topic, model, certificates), "--timeout", "0.4") as child:

        def is_dropped(at_once: bytes, drip: bytes = b"") -> bool:
            with child.connect() as peer:
                peer.sendall(at_once)
                return dropped(peer, drip)

        with ThreadPoolExecutor() as together:
            stalled = [together.submit(is_dropped, sent) for sent in (b"", unfinished or b"Hello")]
            if unfinished:
                stalled += [together.submit(is_dropped, b"", unfinished + bytes(range(97, 123)) * 40)]
            assert [each.result() for each in stalled] == [True] * len(stalled), "silent, with a part, byte by byte"
        client = connected(topic, child.address, certificates)
        assert say(topic, model, client)
        client.close()


@by_model(Transport.TCP)
def test_what_becomes_of_a_client_is_reported_as_facts(topic: Topic, model: str, certificates: Path) -> None:
    with serving(*serve_arguments(topic, model, certificates), "--supervised", "--timeout", "0.4") as child:
        address = ("127.0.0.1", json.loads(child.lines[0])["port"])
        with socket.create_connection(address, PATIENCE) as silent, socket.create_connection(address) as leaving:
            clients = [silent.getsockname()[1], leaving.getsockname()[1]]
            leaving.shutdown(socket.SHUT_WR)
            wait_until(lambda: all(ends(child, port) for port in clients), f"the ends of {clients} in {child.lines}")
            for port in clients:
                assert facts(child, port)[0]["event"] == "accepted"
                assert len(facts(child, port)) == 2
            (end,) = ends(child, clients[0])
    assert end["event"] == "dropped"
    assert " 0.4 s" in str(end["reason"])


def facts(child: Serving, port: int) -> list[dict[str, object]]:
    """What a supervised server reported of the client with this port."""
    told = [json.loads(line) for line in tuple(child.lines)]
    return [each for each in told if each.get("port") == port and each["event"] != "listening"]


def ends(child: Serving, port: int) -> list[dict[str, object]]:
    return [fact for fact in facts(child, port) if fact["event"] != "accepted"]


def dropped(peer: socket.socket, drip: bytes = b"") -> bool:
    """Whether the server ends the connection, while bytes go out one by one."""
    deadline = time.monotonic() + 5
    position = 0
    while time.monotonic() < deadline:
        try:
            if position < len(drip):
                peer.send(drip[position : position + 1])
                position += 1
            if select.select([peer], [], [], 0.05)[0] and not peer.recv(65536):
                return True
        except (ConnectionError, BrokenPipeError):
            return True
    return False


@by_model(*Transport)
def test_it_serves_through_the_wire(topic: Topic, model: str) -> None:
    from netlab.lab import Lab

    with Lab(topic, model=model) as lab, lab.connect() as session:
        session.run(topic.sample)
        segments = lab.capture.segments
        assert {segment.direction for segment in segments if segment.length} == set(Direction)


@EACH
def test_recipes_import_the_standard_library_alone(topic: Topic) -> None:
    texts = {part: standing_alone(topic, topic.text(f"{part}.py")) for part in recipe_files(topic)}
    beside = {f"{topic.name}_{part}" for part in texts} | {"hardening"}
    for part, text in texts.items():
        foreign = imported_packages(text) - sys.stdlib_module_names - {"_typeshed"} - beside
        assert foreign == set(), part


def imported_packages(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add("a relative import" if node.level else str(node.module).partition(".")[0])
    return found


@EACH
def test_ejected_files_run_alone(topic: Topic, tmp_path: Path, certificates: Path) -> None:
    server, client = (str(path) for path in eject(topic, tmp_path)[:2])
    if topic.certificates:
        (tmp_path / "certs").symlink_to(certificates)
    alone = [sys.executable, "-E", "-s", "-c", WITHOUT_NETLAB]
    with subprocess.Popen([*alone, server, "--port", "0"], stdout=subprocess.PIPE, stderr=DEVNULL, text=True) as served:
        try:
            assert served.stdout is not None
            port = served.stdout.readline().rpartition(":")[2].strip()
            said = subprocess.run([*alone, client, "--port", port], capture_output=True, text=True, timeout=PATIENCE)
            assert (said.returncode, bool(said.stdout)) == (0, True), said.stderr
        finally:
            served.kill()


WITHOUT_NETLAB = """
import os, runpy, sys
sys.modules["netlab"] = None
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@EACH
def test_every_operation_explains_itself(topic: Topic) -> None:
    operations = {
        name: method
        for name, method in inspect.getmembers(topic.client_class(), inspect.isfunction)
        if not name.startswith("_")
    }
    assert "close" in operations
    assert [name for name, method in operations.items() if not method.__doc__] == []
    for name, method in operations.items():
        assert "return" in method.__annotations__, f"{name} does not say what it returns"


@EACH
def test_the_lesson_is_there(topic: Topic) -> None:
    lesson = topic.text("lesson.md")
    assert lesson.startswith("# ")
    assert "## Try" in lesson
    assert topic.text("then_now.md").count("```python") >= 2, "the tutorial then, Python now"


def spans(fields: Sequence[Field]) -> list[tuple[int, int]]:
    return [(field.start, field.end) for field in fields] + [s for field in fields for s in spans(field.children)]


@EACH
@given(data=st.binary(max_size=300), direction=st.sampled_from(Direction), offset=st.sampled_from((0, 1, 8192)))
def test_any_bytes_are_dissected(topic: Topic, data: bytes, direction: Direction, offset: int) -> None:
    dissection = topic.dissector()(memoryview(data), direction, offset)
    assert isinstance(dissection, Dissection)
    assert all(0 <= start <= end <= len(data) for start, end in spans(dissection.fields))
    assert dissection.needs >= 0
