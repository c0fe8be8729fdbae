"""An echo server for clients of multiprocessing.connection: whole messages, an authkey, and pickles that do not run."""

import argparse
import os
import socket
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from socketserver import BaseRequestHandler
from typing import cast

from netlab.hardening.command import main
from netlab.hardening.events import Refused
from netlab.hardening.patience import Deadline
from netlab.hardening.plain_pickle import check
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer
from netlab.topics.multiprocessing.framing import ServerEnd


class EchoHandler(BaseRequestHandler):
    """Shakes hands with a client, then sends its messages back."""

    server: "Server"

    def handle(self) -> None:
        """Serve one client. `Listener.accept` would shake hands while all the others wait, and without a limit."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # no message waits for an acknowledgement
        messages = ServerEnd(self.request, self.server.max_message, self.server.first_deadline())
        self.authenticate(cast("Connection", messages))  # it has what the two halves of the handshake call
        while True:
            messages.deadline = Deadline(self.server.patience)
            message = messages.recv_bytes()
            check(message)  # reads the pickle's opcodes, and refuses it by name if loading it would run anything
            messages.send_bytes(message)

    def authenticate(self, messages: Connection) -> None:
        """Let the client prove that it knows the key; then, and not before, prove it to the client."""
        try:
            deliver_challenge(messages, self.server.authkey)
            answer_challenge(messages, self.server.authkey)
        except (AuthenticationError, AssertionError, ValueError):  # the second: no challenge, before 3.12
            raise Refused("it has no authkey, or another one") from None
        except EOFError:
            raise ConnectionError("it left during the handshake") from None
        except TimeoutError as error:
            raise TimeoutError(f"{error}: it may use no authkey") from None


class Server(HardenedServer):
    """One client at a time."""

    handler = EchoHandler

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 30.0,
        authkey: bytes = b"peekaboo",
        max_message: int = 1 << 24,
    ) -> None:
        if not authkey:  # with b"", a Listener asks for no proof at all before Python 3.13
            raise ValueError("the authkey must not be empty")
        self.authkey, self.max_message = authkey, max_message
        super().__init__(address, timeout=timeout)


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each client."""


MODELS = {"threading": ThreadingServer, "single": Server}

if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--max-message", type=int, default=1 << 24, help="bytes that a message may have")
    options.set_defaults(authkey=os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode())
    main(MODELS, port=25000, options=options)
