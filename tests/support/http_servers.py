"""Servers of the two HTTP topics in a thread, and a client that speaks bytes."""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from netlab.topics.wsgi import server as wsgi
from netlab.topics.xmlrpc import server as xmlrpc

DEADLINE = 10
SERVERS = {"wsgi": wsgi, "xmlrpc": xmlrpc}
PATHS = {"wsgi": b"/hello", "xmlrpc": b"/RPC2"}


@contextmanager
def serving(topic, model="threading", host="127.0.0.1", **options):
    server = SERVERS[topic].make_server((host, 0), model, **options)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


def exchange(address, *pieces, half_close=False, pause=0.0):
    """Send pieces, then read to the end of the connection."""
    with socket.create_connection(address, DEADLINE) as connection:
        with suppress(ConnectionError):  # refused before all was sent
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection):
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def status(response):
    return int(response.split(b" ", 2)[1])


def run_alone(topic, folder):
    """Run a topic's recipes out of another folder, against each other; return what the client printed."""
    for name in ("server.py", "client.py"):
        shutil.copy(Path(SERVERS[topic].__file__).with_name(name), folder)
    command = [sys.executable, "-I", folder / "server.py", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            port = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", server.stdout.readline())[1]
            client = [sys.executable, "-I", folder / "client.py", "--port", port]
            return subprocess.run(client, stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=True).stdout
        finally:
            server.terminate()
