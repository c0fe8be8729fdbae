"""Servers of the two HTTP topics in a thread, and a client that speaks bytes."""

import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress

from netlab.topics.discovery import topic_named
from netlab.topics.ejecting import eject
from netlab.topics.wsgi import server as wsgi
from netlab.topics.xmlrpc import server as xmlrpc
from tests.support.pythons import run_alone, serving_alone

DEADLINE = 10
SERVERS = {"wsgi": wsgi, "xmlrpc": xmlrpc}
PATHS = {"wsgi": b"/hello", "xmlrpc": b"/RPC2"}


@contextmanager
def serving(topic, model="threading", host="127.0.0.1", **options):
    server = SERVERS[topic].MODELS[model]((host, 0), **options)
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


def run_ejected(topic, folder):
    """Run a topic's ejected server and client against each other; return what the client printed."""
    server, client, *_ = eject(topic_named(topic), folder)
    with serving_alone(sys.executable, server, "--port", "0") as at:
        done = run_alone(sys.executable, str(client), "--port", at.rpartition(":")[2])
    assert done.returncode == 0, done.stderr
    return done.stdout
