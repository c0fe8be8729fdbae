"""A TCP echo server by line: the stream is cut at its newlines."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.receiving import LineReader
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer


class LineHandler(BaseRequestHandler):
    """Serves one client, in its thread."""

    def handle(self) -> None:
        """Send back every line once it is whole. TCP knows only bytes."""
        # self.request.makefile("rb") would wait for a newline without limit
        lines = LineReader(self.request)
        while line := lines.read_line():
            self.request.sendall(line)


class Server(BoundedThreadingMixIn, HardenedServer):
    """Starts a thread for a client, and accepts the next one at once."""

    handler = LineHandler


if __name__ == "__main__":
    main({"stream": Server}, port=20000)
