"""TLS of clients from outside, opened with the key log that they write themselves: Python's ssl, curl."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from netlab.attachments.attachment import attachment
from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint
from netlab.capture.savefile import secrets_in
from netlab.certificates import certs
from netlab.dissect.tls.outside_keys import MOST, OutsideKeys, client_random, of_clients
from netlab.lab import Lab
from netlab.lab.processes.server_plan import Elsewhere
from netlab.topics.tls.plaintext import open_records
from netlab.ui.bytes.fields.dissecting import joined
from tests.support.waiting import PATIENCE, wait_until

PYTHON = """
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.keylog_filename = sys.argv[2]
print(urllib.request.urlopen(sys.argv[3], context=context).read().decode())
"""
STRANGER = "CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Endpoint]:
    """A web server of the kind that people have, with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server_cert.pem", folder / "server_key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as pages:
        pages.socket = context.wrap_socket(pages.socket, server_side=True)
        threading.Thread(target=pages.serve_forever, args=(0.02,), daemon=True).start()
        yield Endpoint("127.0.0.1", pages.server_address[1])
        pages.shutdown()


def by_python(folder: Path, keys: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PYTHON, str(folder / "ca_cert.pem"), str(keys), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def by_curl(folder: Path, keys: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "--cacert", str(folder / "ca_cert.pem"), url]
    environment = {**os.environ, "SSLKEYLOGFILE": str(keys)}
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)


def said(lab: Lab, flow: int) -> str:
    """All plaintext of a flow that is known."""
    streams = [joined(lab.capture.stream(lab.capture.flows[flow], way)) for way in Direction]
    opened = open_records(lab.secrets, streams[0], streams[1]) or {}
    return "".join(bytes(r.plaintext).decode("latin-1") for records in opened.values() for r in records)


CLIENTS = {"Python": by_python, "curl": by_curl}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_from_outside_is_opened_by_its_own_key_log(
    name: str, folder: Path, server: Endpoint, tmp_path: Path
) -> None:
    if name == "curl" and not _curl_logs_keys():
        pytest.skip("this curl is not there, or its TLS library writes no key log")
    keys = tmp_path / "keys.log"
    with Lab(attachment(server), server=Elsewhere(server), keylog=keys) as lab:
        assert lab.secrets == ""
        for flow in range(2):  # the file is not there at first, and grows
            done = CLIENTS[name](folder, keys, f"https://localhost:{lab.address.port}/page{flow}")
            assert done.stdout.strip() == f"you asked for /page{flow}", done.stderr
            wait_until(lambda flow=flow: f"you asked for /page{flow}" in said(lab, flow))  # type: ignore[misc]
            assert f"GET /page{flow} HTTP/1.1" in said(lab, flow)
        with keys.open("a") as more:
            more.write(STRANGER)
        assert STRANGER in lab.secrets
        lab.save(tmp_path / "lab.pcapng", secrets=True)
    saved = secrets_in(tmp_path / "lab.pcapng")
    assert STRANGER not in saved, "secrets of other sessions are not given away"
    with Capture.of_file(tmp_path / "lab.pcapng") as capture:
        capture.grow()
        streams = [joined(capture.stream(capture.flows[1], way)) for way in Direction]
        opened = open_records(saved, streams[0], streams[1])
        assert opened is not None
        assert any(b"GET /page1" in record.plaintext for record in opened[Direction.TO_SERVER])


def _curl_logs_keys() -> bool:
    if shutil.which("curl") is None:
        return False
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    return any(library in version for library in ("OpenSSL", "GnuTLS", "wolfSSL", "BoringSSL", "LibreSSL"))


def test_only_whole_lines_of_a_growing_file_count(tmp_path: Path) -> None:
    keys = OutsideKeys(tmp_path / "keys.log")
    assert keys.text == ""
    keys.path.write_text(STRANGER + STRANGER[:90])
    assert keys.text == STRANGER
    keys.path.write_text(STRANGER * 3)
    assert keys.text == STRANGER * 3
    keys.path.write_text(STRANGER.upper())
    assert keys.text == STRANGER.upper(), "it was begun again"
    keys.path.unlink()
    assert keys.text == ""


def test_a_long_file_is_kept_in_bounds_and_its_newest_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(b"\xff" * (MOST + 100) + b"\n" + STRANGER.encode())
    keys = OutsideKeys(path)
    assert keys.text.endswith("\n" + STRANGER)
    assert len(keys.text) <= MOST


def test_lines_are_chosen_by_the_hellos() -> None:
    hello = bytes([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]) + b"\xab" * 32 + bytes(160)
    assert client_random(memoryview(hello)) == "ab" * 32
    assert client_random(memoryview(hello[:40])) == client_random(memoryview(b"GET / HTTP/1.1" * 9)) == ""
    other = STRANGER.replace("ab", "ba")
    assert of_clients(STRANGER.upper() + "# comment\n\nx\n" + other, ["", "ab" * 32]) == STRANGER.upper()
