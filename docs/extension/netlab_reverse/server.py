"""A server that sends each line back in reverse, with a thread for each client or one client at a time."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.receiving import LineReader
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer


class ReverseHandler(BaseRequestHandler):
    """Serves one client."""

    def handle(self) -> None:
        """Answer each line. A byte that is no UTF-8 comes back as it came."""
        lines = LineReader(self.request)
        while line := lines.read_line():
            text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            self.request.sendall(text[::-1].encode("utf-8", "surrogateescape") + b"\n")


class SingleServer(HardenedServer):
    """Serves a client to its end, then accepts the next."""

    handler = ReverseHandler


class ThreadingServer(BoundedThreadingMixIn, HardenedServer):
    """Starts a thread for each client."""

    handler = ReverseHandler


MODELS = {"threading": ThreadingServer, "single": SingleServer}

if __name__ == "__main__":
    main(MODELS, port=20101)
