"""What is copied runs as it was pasted, in a shell of its own and on Pythons without netlab, and shows the answer."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from pickle import dumps
from xmlrpc.client import Fault

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.client.session import Session
from netlab.lab.state import ClientMade, Entry, EntryKind
from netlab.topics.client_call import Call
from netlab.topics.copy_as import CopiedCall, Missing
from netlab.topics.discovery import topic_named
from netlab.ui.tab.copying.copied_program import client_alone
from netlab.ui.tab.copying.copy_choices import Copy, LastCall, _meaning, copies, last_call
from tests.support.pythons import pythons, run_alone
from tests.support.waiting import PATIENCE


def test_bytes_are_copied_in_three_ways() -> None:
    with Lab("tcp") as lab, lab.connect() as client:
        client.send(b"\x00Hi")
        client.recv(8192)
        segment = lab.capture.segments[1]
        found = {c.label: c.text for c in copies(topic_named("tcp"), None, [], segment)}
        assert found == {"bytes as Python": "b'\\x00Hi'", "bytes as hex": "00 48 69", "bytes as text": "\x00Hi"}
        (python, *_) = pythons().values()
        assert run_alone(python, "-c", f"print({found['bytes as Python']})").stdout == "b'\\x00Hi'\n"


@dataclass(frozen=True)
class Scene:
    """What a person did before copying; ``answer`` stands in what each copy prints, or its own in ``answers``."""

    topic: str
    lines: Sequence[str]
    answer: str
    options: Mapping[str, object] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    model: str = "threading"


SIXTEEN = {"Python": "00\\x01\\x02", "nc": "04 00 00 04 00 00 01 02", "socat": "04 00 00 04 00 00 01 02"}
SHA256 = "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"
SPACED = " ".join(f"{byte:02x}" for byte in bytes.fromhex(SHA256))[:32]
SCENES = {
    "tcp": Scene("tcp", ["send(b'Hel\\'lo %s\\n')", "recv(8192)"], "lo %s"),
    "tcp-stream": Scene("tcp", [], "Hello", model="stream"),
    "tcp-half-closed": Scene("tcp", ["Hello", ":half-close", "recv()"], "Hello"),
    "udp": Scene("udp", ["ask()"], ":"),
    "udp-send": Scene("udp", ["send(b'time 7')", "recv()"], "7 "),
    "wsgi": Scene("wsgi", ["get('/hello', name='G <o>')"], "Hello G &lt;o&gt;!"),
    "wsgi-post": Scene("wsgi", ["post('/hello', name='Grüße')"], "Grüße"),
    "wsgi-404": Scene("wsgi", ["get('/nowhere')"], "404"),
    "wsgi-bytes": Scene("wsgi", ["request('POST', '/hello', b'\\x00\\xff')"], "a form is UTF-8"),
    "xmlrpc": Scene("xmlrpc", ["set('it', 'a\\'b')", "get('it')"], "a'b"),
    "xmlrpc-options": Scene("xmlrpc", ["system.listMethods()"], "system.methodHelp", {"path": "/", "allow_none": "no"}),
    "xmlrpc-fault": Scene("xmlrpc", ["get('nothing')"], "nothing", answers={"netlab call": ""}),
    "multiprocessing": Scene("multiprocessing", ["send({'a': (1, 2)})", "recv()"], "{'a': (1, 2)}"),
    "multiprocessing-options": Scene(
        "multiprocessing", [f"send_bytes({dumps('as is')!r})", "recv_bytes()"], "as is", {"authkey": "it's another"}
    ),
    "hmac": Scene("hmac", ["send(b'Hello')", "recv()"], "b'Hello'"),
    "hmac-options": Scene("hmac", ["Hello"], "b'Hello'", {"secret": "it's another"}),
    "tls": Scene("tls", ["send(b'Hello')", "recv()"], "Hello"),
    "tls-1.2": Scene("tls", ["Hello"], "Hello", {"tls_version": "1.2"}, {"Python": "TLSv1.2"}),
    "tls-options": Scene(
        "tls", ["Hello"], "Hello",
        {"tls_version": "1.3", "client_certs": "require", "server_name": "127.0.0.1"}, {"Python": "TLSv1.3"},
    ),
    "tls-nobody": Scene("tls", ["Hello"], "Hello", {"client_cert": "no", "client_certs": "request"}),
    "tls-wrong-host": Scene("tls", ["Hello"], "Hello", {"present": "wrong-host", "server_name": "wrong.example"}),
    "zerocopy": Scene("zerocopy", ["receive('1 KiB')"], "1,024 bytes", answers=SIXTEEN),
    "zerocopy-send": Scene("zerocopy", ["send(b'Hello')"], SHA256, answers={"nc": SPACED, "socat": SPACED}),
}  # fmt: skip
NOTHING_CALLED = {"tcp-stream"}


def variants() -> dict[str, str]:
    """The programs that may be called nc, those that are here."""
    names = ("nc.openbsd", "nc.traditional", "ncat", "nc")
    found = {name: path for name in names if (path := shutil.which(name))}
    return {Path(path).resolve().name: path for path in found.values()}


def in_a_fresh_shell(text: str, home: Path, first: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """As pasted, without this process's environment, virtual environment and folder."""
    path = os.pathsep.join([str(first)] if first else []) + os.pathsep + os.defpath
    environ = {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8"}
    return subprocess.run(["sh", "-c", text], capture_output=True, timeout=PATIENCE, check=False, env=environ, cwd=home)


def runs(copy: Copy, home: Path, lab: Lab, client: Session) -> list[Callable[[], str]]:
    """What runs a copy and says what it printed, one for each Python or nc that there is; none if it is not to run."""
    match copy.label:
        case "Python" | "calls as Python":
            first, *_ = every = list(pythons().values())
            return [
                *(partial(python_output, python, "-c", copy.text) for python in every),
                partial(python_output, first, "-", input=copy.text),
            ]
        case "nc":
            found = []
            for name, program in variants().items():
                (home / name).mkdir(exist_ok=True)
                (home / name / "nc").unlink(missing_ok=True)
                (home / name / "nc").symlink_to(program)
                found.append(partial(shell_output, copy, home, home / name))
            return found
        case "socat" | "curl" | "openssl s_client" | "netlab call":
            needed = {"openssl s_client": "openssl", "netlab call": "sh"}.get(copy.label, copy.label)
            return [partial(shell_output, copy, home)] if shutil.which(needed) else []
        case "last call":
            before = len(list(client.transcript))
            if copy.text.startswith(f"{lab.topic.variable}.") and ".socket." not in copy.text:
                assert isinstance(ast.parse(copy.text, mode="eval").body, ast.Call)
            assert before
        case "address":
            assert copy.text == str(lab.address)
    return []


def python_output(python: str, *arguments: str, input: str | None = None) -> str:
    done = run_alone(python, *arguments, input=input)
    assert done.returncode == 0, done
    return done.stdout


def shell_output(copy: Copy, home: Path, first: Path | None = None) -> str:
    done = in_a_fresh_shell(copy.text, home, first)
    may_fail = "fault" in home.name or (first is not None and first.name == "nc.traditional")  # a time limit is its 1
    assert done.returncode == 0 or may_fail, (copy, done)
    return (done.stdout + (done.stderr if "fault" in home.name else b"")).decode("utf-8", "replace")


@pytest.mark.parametrize("name", SCENES)
def test_every_copy_runs_as_pasted_and_shows_the_answer(name: str, tmp_path: Path) -> None:
    scene = SCENES[name]
    topic = topic_named(scene.topic)
    home = tmp_path / name
    home.mkdir()
    with Lab(topic, model=scene.model, options=scene.options) as lab, lab.open() as client:
        for line in scene.lines:
            _do(lab, client, line)
        last = last_call(topic, lab.address, list(client.transcript), lab.target(lab.address))
        assert last is not None
        assert bool(last.called.name) == (name not in NOTHING_CALLED)
        found = copies(topic, lab.address, list(client.transcript), None, last)
        jobs = [(copy, job) for copy in found if _is_equivalent(copy) for job in runs(copy, home, lab, client)]
        with ThreadPoolExecutor(4) as together:  # each waits for the end of an answer
            for copy, printed in together.map(lambda each: (each[0], each[1]()), jobs):
                assert scene.answers.get(copy.label, scene.answer) in printed, (copy, printed)
        ran = {copy.label for copy, _ in jobs}
        assert {"Python", "netlab call"} <= ran
        assert not scene.lines or "calls as Python" in ran


def _is_equivalent(copy: Copy) -> bool:
    return not copy.text.startswith("# no equivalent")


def _do(lab: Lab, client: Session, line: str) -> None:
    if line.startswith(":"):
        lab.command(line)
        return
    with pytest.raises(Fault) if "nothing')" in line and lab.topic.name == "xmlrpc" else nullcontext():
        client.run(line)


def test_calls_that_failed_are_tried_and_the_next_follow() -> None:
    with Lab("xmlrpc", model="threading") as lab, lab.open() as client:
        client.run("set('n', 1)")
        with pytest.raises(Exception, match="nothing"):
            client.run("get('nothing')")
        client.run("get('n')")
        found = {c.label: c.text for c in copies(lab.topic, lab.address, list(client.transcript), None)}
        (python, *_) = pythons().values()
        done = run_alone(python, "-c", found["calls as Python"])
        assert done.returncode == 0
        assert "nothing" in done.stdout
        assert done.stdout.endswith("1\n")


def test_lines_about_views_are_part_of_the_program_and_run_without_the_capture() -> None:
    with Lab("zerocopy") as lab, lab.open() as client:
        lines = ["receive(64)", "v = view(0, 8)", "h = array('H', [1, 2])", "v[0:2] = b'ok'", "bytes(v[0:2])", "h",
                 "s = segment(1)", "len(s)", "struct.unpack_from('!H', v, 2)", "del h", "segment(99999)", "v.release()",
                 "z.buffer.release()", "resize(100)", "len(z.buffer)"]  # fmt: skip
        client.submit("\n".join(lines))
        client.wait_idle()
        found = {c.label: c.text for c in copies(lab.topic, lab.address, list(client.transcript), None)}
        done = run_alone(next(iter(pythons().values())), "-c", found["calls as Python"])
    assert done.returncode == 0, done
    printed = done.stdout.splitlines()
    assert printed[1:3] == ["b'ok'", "array('H', [1, 2])"] and printed[-2:] == ["(515,)", "100"], printed


@pytest.mark.parametrize("name", ["tcp", "udp", "wsgi", "xmlrpc", "multiprocessing", "hmac", "tls", "zerocopy"])
def test_the_client_alone_is_the_recipe_and_does_nothing_by_itself(name: str) -> None:
    (python, *_) = pythons().values()
    done = run_alone(python, "-c", client_alone(topic_named(name)) + "print(Client.__name__)")
    assert (done.returncode, done.stdout) == (0, "Client\n"), done


def test_a_tool_that_cannot_do_it_is_said_so() -> None:
    with Lab("hmac") as lab:
        found = copies(topic_named("hmac"), lab.address, [], None, LastCall(CopiedCall(lab.address)))
        assert next(c.text for c in found if c.label == "nc").startswith("# no equivalent")


def test_a_server_that_serves_one_client_keeps_others_waiting_and_that_is_said() -> None:
    found = copies(topic_named("tcp"), None, [], None, LastCall(CopiedCall(Endpoint("127.0.0.1", 20000))), waits=True)
    assert all("after this client, which is served first" in c.meaning for c in found if c.label != "address")


def entry(did: Call | ClientMade, number: int) -> Entry:
    return Entry(0, EntryKind.CALL, "", number, did)


@pytest.mark.parametrize(("calls", "counted"), [(1, "1 call, as"), (2, "2 calls, as")])
def test_a_call_that_is_too_long_to_show_ends_with_an_ellipsis(calls: int, counted: str) -> None:
    long = entry(Call("send", (b"some words and then some more of them",)), 1)
    last, program, *_ = copies(topic_named("tcp"), Endpoint("127.0.0.1", 20000), [long] * calls, None)
    assert last.meaning == "to run in this console: s.send(b'some words and then some more…"
    assert last.text == "s.send(b'some words and then some more of them')"
    assert program.meaning.startswith(counted)


def test_the_last_call_for_other_tools_is_the_last_that_sent() -> None:
    topic, address = topic_named("tcp"), Endpoint("127.0.0.1", 20000)
    made = ClientMade(address, {"timeout": 5})
    did = [made, Call("send", (b"one",)), Call("recv", (10,)), Call("recv", (20,))]
    last = last_call(topic, address, [entry(each, number) for number, each in enumerate(did, 1)])
    called = CopiedCall(address, "send", (b"one",), options=made.keywords)
    assert last == LastCall(called, (Call("send", (b"one",)), Call("recv", (10,))), made)
    assert last_call(topic, address, []) == LastCall(
        CopiedCall(address), (Call("send", (b"Hello",)), Call("recv", (8192,)))
    )
    assert last_call(topic, None, []) is None
    alone = last_call(topic, address, [entry(Call("send", (b"one",)), 1)])
    assert alone is not None
    assert alone.calls == (Call("send", (b"one",)), Call("recv", (8192,)))


def test_a_secret_is_in_what_is_copied_and_not_in_what_is_shown() -> None:
    with Lab("hmac", options={"secret": "swordfish"}) as lab, lab.open() as client:
        client.run("Hello")
        entries = list(client.transcript)
        assert "swordfish" not in repr(entries) + "".join(entry.text for entry in entries)
        found = copies(lab.topic, lab.address, entries, None, last_call(lab.topic, lab.address, entries))
        holding = {copy.label for copy in found if "swordfish" in copy.text}
        assert holding == {"Python", "calls as Python", "netlab call"}
        assert not any("swordfish" in copy.meaning for copy in found)


def test_a_large_payload_is_not_kept_for_copying() -> None:
    with Lab("tcp", model="threading") as lab, lab.open() as client:
        client.sendall(bytes(1 << 17))
        program = {c.label: c.text for c in copies(lab.topic, lab.address, list(client.transcript), None)}
        assert len(program["calls as Python"]) < 10_000
        assert "# left out, it is too long: s.sendall(" in program["calls as Python"]


def test_what_a_tool_cannot_do_is_a_value_and_not_its_words() -> None:
    assert _meaning("nc", "# a comment: of a command", "a call") == "a call from a shell"
    assert _meaning("nc", Missing.equivalent("nc", "it knows no TLS"), "a call") == "no equivalent with nc"
