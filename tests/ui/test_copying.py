"""What is copied runs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.state import Entry, EntryKind
from netlab.topics.discovery import topic_named
from netlab.topics.outside import Called
from netlab.ui.copying import copies, last_call


def test_the_calls_of_a_transcript_run_as_a_program() -> None:
    with Lab("tcp") as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(8192)
        client.close()
        found = {c.label: c.text for c in copies(topic_named("tcp"), lab.address, list(client.transcript), None)}
        program = found["calls as Python"] + "\nprint(s.socket is not None)\n"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
        assert (done.stdout, done.stderr) == ("True\n", "")
        assert found["address"] == str(lab.address)
        assert found["transcript"].endswith(">>> s.recv(8192)\nb'Hello'")


def test_bytes_are_copied_in_three_ways() -> None:
    with Lab("tcp") as lab, lab.connect() as client:
        client.send(b"\x00Hi")
        client.recv(8192)
        segment = lab.capture.segments[1]
        found = {c.label: c.text for c in copies(topic_named("tcp"), None, [], segment)}
        assert found == {"bytes as Python": "b'\\x00Hi'", "bytes as hex": "00 48 69", "bytes as text": "\x00Hi"}


TOOLS = {"Python": sys.executable, "nc": "nc", "socat": "socat", "curl": "curl", "openssl s_client": "openssl"}
SAID = {
    "tcp": ("send(b'Hel\\'lo %s')", b"Hel'lo %s"),
    "udp": ("ask()", b"1 "),
    "wsgi": ("get('/hello', name='G <o>')", b"Hello G &lt;o&gt;!"),
    "xmlrpc": ("set('it', 'a\\'b')", b""),
    "multiprocessing": ("send({'a': (1, 2)})", b"{'a': (1, 2)}"),
    "hmac": ("send(b'Hello')", b"Hello"),
    "tls": ("send(b'Hello')", b"Hello"),
    "zerocopy": ("receive('1 KiB')", b""),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_copied_for_other_tools_runs(name: str) -> None:
    line, expected = SAID[name]
    topic = topic_named(name)
    with Lab(topic, model="threading" if "threading" in topic.models else None) as lab, lab.open() as client:
        client.run(line)
        certificates = lab.target(lab.address).keywords.get("certificates")
        assert certificates is None or isinstance(certificates, Path)
        called = last_call(topic, lab.address, list(client.transcript), lab.operations, certificates)
        assert called is not None
        assert called.name == line.split("(")[0]
        ran = 0
        for copy in copies(topic, lab.address, list(client.transcript), None, called):
            if copy.label not in TOOLS or copy.text.startswith("# no equivalent"):
                continue
            if not (tool := shutil.which(TOOLS[copy.label])):
                continue
            argv = [tool, "-c", copy.text] if copy.label == "Python" else ["sh", "-c", copy.text]
            done = subprocess.run(argv, capture_output=True, timeout=30, check=False)
            assert done.returncode == 0, (copy, done)
            assert expected in done.stdout, (copy, done)
            assert done.stdout.strip(), (copy, done)
            ran += 1
        assert ran


def test_a_tool_that_cannot_do_it_is_said_so() -> None:
    with Lab("hmac") as lab:
        found = copies(topic_named("hmac"), lab.address, [], None, Called(lab.address))
        assert next(c.text for c in found if c.label == "nc").startswith("# no equivalent")


def test_the_last_call_for_other_tools_is_the_last_that_sent() -> None:
    topic, address = topic_named("tcp"), Endpoint("127.0.0.1", 20000)
    lines = ["s = Client(('127.0.0.1', 20000))", "s.send(b'one')", "s.recv(8192)", "s.socket.shutdown(socket.SHUT_WR)"]
    entries = [Entry(0, EntryKind.CALL, line, number) for number, line in enumerate(lines, 1)]
    called = last_call(topic, address, entries, ["send", "recv"])
    assert called == Called(address, "send", (b"one",))
    assert last_call(topic, address, [], ["send"]) == Called(address)


def test_the_last_call_is_copied_for_netlab_call_and_runs() -> None:
    with Lab("tcp") as lab:
        called = Called(lab.address, "send", (b"it's",))
        found = {c.label: c.text for c in copies(topic_named("tcp"), lab.address, [], None, called)}
        argv = [sys.executable, "-m", *shlex.split(found["netlab call"])]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stdout) == (0, "4\n"), done
