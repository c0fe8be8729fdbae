"""A plain echo server in a thread of the test, and a lab-less session with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from netlab.capture.model import Endpoint
from netlab.lab.client.repl import ClientTarget
from netlab.lab.client.session import Session
from netlab.lab.state import EntryKind
from netlab.topics.discovery import topic_named


class EchoServer:
    """Serves one client after the other; ``held`` makes it read without answering until it is set."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = Endpoint(*self.listener.getsockname())
        self.answering = threading.Event()
        self.answering.set()
        self.clients: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    def _echo(self, client: socket.socket) -> None:
        try:
            while piece := client.recv(8192):
                self.answering.wait()
                client.sendall(piece)
            client.close()
        except OSError:
            pass

    def close(self) -> None:
        self.answering.set()
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts; closing alone does not
        self.listener.close()
        for client in self.clients:
            client.close()


def session_with(address: Callable[[], Endpoint], timeout: float = 20.0) -> Session:
    return Session(topic_named("tcp"), 1, "one", lambda: ClientTarget(address(), "single", {"timeout": timeout}))


def told(session: Session) -> list[str]:
    """The transcript as a prompt shows it."""
    prefix = {EntryKind.CALL: ">>> ", EntryKind.NOTE: "# "}
    return [prefix.get(entry.kind, "") + entry.text for entry in session.transcript]
