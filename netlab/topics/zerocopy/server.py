"""Receives large payloads into one buffer, and sends them straight from one: the frames of ``frames.py``."""

import argparse
import hashlib
import logging
import mmap
import socket
from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.events import Refused, name
from netlab.hardening.patience import Deadline
from netlab.hardening.receiving import receive, receive_into
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer
from netlab.topics.zerocopy.frames import CONTENT, DIGEST, FETCH, HEADER, STORE, WANTED

log = logging.getLogger(__name__)
BLOCK = memoryview(bytes(range(256)) * 4096)  # what FETCH gets, over and over: no byte of it is copied to be sent


class FrameHandler(BaseRequestHandler):
    """Answers a client's frames."""

    server: "Server"

    def handle(self) -> None:
        """Serve one client."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # else a short payload waits for an ACK
        while True:
            self.deadline = Deadline(self.server.patience)
            kind, length = HEADER.unpack(receive(self.request, HEADER.size, self.deadline, "frame"))
            if kind == STORE:
                self.store(self.bounded(length))
            elif kind == FETCH and length == WANTED.size:
                self.fetch(self.bounded(*WANTED.unpack(receive(self.request, length, self.deadline, begun=True))))
            else:
                raise Refused(f"a frame of type {kind} and length {length:,}: it takes 1 and, of length 8, 3")

    def bounded(self, length: int) -> int:
        """The length, which must be checked before any memory is taken for it."""
        if length > self.server.max_frame:
            raise Refused(f"it announced {length:,} bytes, {self.server.max_frame:,} is the limit")
        return length

    def store(self, length: int) -> None:
        """Receive a payload in place and answer its digest."""
        with mmap.mmap(-1, length or 1) as buffer, memoryview(buffer)[:length] as view:  # memory comes as bytes do
            receive_into(self.request, view, self.deadline, "frame")
            digest = hashlib.sha256(view).digest()
        self.request.sendall(HEADER.pack(DIGEST, len(digest)) + digest)
        log.info("%s stored %s bytes", name(self.client_address), f"{length:,}")

    def fetch(self, length: int) -> None:
        """Send as many bytes as the client asks for, all from the same buffer."""
        self.request.sendall(HEADER.pack(CONTENT, length))
        for start in range(0, length, len(BLOCK)):
            self.request.sendall(BLOCK[: length - start])
        log.info("%s fetched %s bytes", name(self.client_address), f"{length:,}")


class Server(HardenedServer):
    """One client at a time. It may be silent from the start, as people type what to receive."""

    handler = FrameHandler

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0, max_frame: int = 1 << 30) -> None:
        self.max_frame = min(max_frame, 0xFFFFFFFF)  # what the header can say
        super().__init__(address, timeout=timeout)


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each client."""


MODELS = {"threading": ThreadingServer, "single": Server}

if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--max-frame", type=int, default=1 << 30, help="bytes that a payload may have")
    main(MODELS, port=20001, options=options)
