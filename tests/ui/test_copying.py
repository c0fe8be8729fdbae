"""What is copied runs."""

from __future__ import annotations

import subprocess
import sys

from netlab.lab import Lab
from netlab.topics.discovery import topic_named
from netlab.ui.copying import copies


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
