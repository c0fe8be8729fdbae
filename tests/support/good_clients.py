"""A client of each topic that gets what it came for, and a server that has to end without a traceback."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from netlab.topics.hmac.client import Client as HmacClient
from netlab.topics.multiprocessing.client import Client as MultiprocessingClient
from netlab.topics.tcp.client import Client as TcpClient
from netlab.topics.tls.client import Client as TlsClient
from netlab.topics.udp.client import Client as UdpClient
from netlab.topics.wsgi.client import Client as WsgiClient
from netlab.topics.xmlrpc.client import Client as XmlrpcClient
from netlab.topics.zerocopy.client import Client as ZerocopyClient
from tests.support.server_processes import Serving, serving
from tests.support.waiting import PATIENCE


def quiet(text: str) -> None:
    """A client's notes are not looked at."""


def served(topic: str, address: tuple[str, int], folder: Path) -> bool:
    """Whether the next client gets what it came for."""
    match topic:
        case "tcp":
            return _echo(TcpClient(address, timeout=PATIENCE))
        case "udp":
            return bool(re.search(r"\d\d:\d\d:\d\d", UdpClient(address, timeout=PATIENCE, log=quiet).ask()))
        case "wsgi":
            return WsgiClient(address, timeout=PATIENCE).get("/hello").status == 200
        case "xmlrpc":
            return "keys" in list(XmlrpcClient(address, timeout=PATIENCE).remote_operations())
        case "multiprocessing":
            client = MultiprocessingClient(address, timeout=PATIENCE)
            client.send([1])
            return client.recv() == [1] and client.close() is None
        case "hmac":
            return _echo(HmacClient(address, timeout=PATIENCE, log=quiet, grace=0.001))
        case "tls":
            return _echo(TlsClient(address, timeout=PATIENCE, certificates=folder))
    storing = ZerocopyClient(address, timeout=PATIENCE)
    return "the same as ours" in storing.send(b"Hello") and storing.close() is None


def _echo(client: TcpClient | HmacClient | TlsClient) -> bool:
    client.send(b"Hello\n")
    echoed = client.recv(8192)
    client.close()
    return echoed == b"Hello\n"


@contextlib.contextmanager
def without_a_traceback(topic: str, model: str, folder: Path, timeout: float = 5) -> Iterator[Serving]:
    """A server that must end well, and may have said nothing but lines of information and warnings."""
    arguments = [topic, "--model", model, "--timeout", f"{timeout:g}"]
    arguments += ["--certificates", str(folder)] if topic == "tls" else []
    with serving(*arguments, stderr=subprocess.PIPE) as child:
        yield child
        assert child.terminate() == 0
        assert child.process.stderr is not None
        told = child.process.stderr.read()
        assert told == "", told
    for line in child.lines[1:]:
        assert re.match(r"\d\d:\d\d:\d\d (?!error: )", line), line
        assert line.isprintable(), line
