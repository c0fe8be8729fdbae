"""A TCP echo server by line: a thread for each client, and the stream cut at its newlines."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.lines import LineReader
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer


class LineHandler(BaseRequestHandler):
    """Serves one client, in its thread."""

    def handle(self) -> None:
        """Send back every line once it is whole; TCP itself knows no lines, only bytes."""
        lines = LineReader(self.request)  # as self.request.makefile("rb"), which would wait for a newline without limit
        while line := lines.read_line():
            self.request.sendall(line)


class Server(BoundedThreadingMixIn, HardenedServer):
    """Accepts a client, starts a thread for it, and accepts the next one at once."""

    handler = LineHandler


if __name__ == "__main__":
    main({"stream": Server}, port=20000)
