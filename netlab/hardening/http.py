"""HTTP/1, read with care: a request comes whole, in time and of bounded size, and means the same to every reader.

What is ambiguous is refused (RFC 9112), and so is what a page of another site has a browser send here.
"""

from __future__ import annotations

import email
import logging
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from typing import TYPE_CHECKING

from netlab.hardening.clients import ClientSocket
from netlab.hardening.events import Refused, name
from netlab.hardening.patience import Deadline
from netlab.hardening.server import HardenedServer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

log = logging.getLogger(__name__)
MAX_LINE, MAX_HEAD, MAX_BODY = 8192, 32768, 1 << 20
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) (HTTP/1\.[01])\r?\n")
HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r?\n")
ABSOLUTE = re.compile(r"https?://([^/?#]+)/?", re.IGNORECASE)
HOST = re.compile(r"([0-9A-Za-z._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class RefusedRequest(Refused):
    """A request that is not taken: the status and the reason that answer it, and further headers of the answer."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers


class HTTPServer(HardenedServer):
    """A server for the names of loopback, for the address where a client found it, and for those in ``allow_host``."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0, allow_host: Iterable[str] = ()) -> None:
        self.names = LOOPBACK.union(map(host_of, [address[0], *allow_host]))
        super().__init__(address, timeout=timeout)


class RequestReader(RawIOBase):
    """Reads from a client until a deadline for all of it: a slow sender never exceeds a limit for each read."""

    def __init__(self, client: ClientSocket, deadline: Deadline) -> None:
        self.client, self.deadline = client, deadline

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what arrives next."""
        return self.client.recv_into_by(self.deadline, buffer)


class HTTPHandler(BaseHTTPRequestHandler):
    """Reads a request and hands its body to ``answer``, which finds the rest in ``command``, ``path``, ``headers``."""

    server: HTTPServer
    request: ClientSocket
    rfile: BufferedReader
    command = path = ""
    for_any_page: tuple[str, ...] = ("GET", "HEAD")  # what other sites' pages may ask for: it changes nothing

    def answer(self, body: bytes) -> None:
        """Answer the request that was read."""
        raise NotImplementedError

    def setup(self) -> None:
        """Start the clock: the whole request has one deadline."""
        self.connection = self.request
        self.deadline = Deadline(self.server.patience)
        self.reader = RequestReader(self.request, self.deadline)
        self.rfile = BufferedReader(self.reader)

    def handle(self) -> None:
        """Read one request and answer it."""
        try:
            self.answer(self.read_request())
        except RefusedRequest as refused:
            self.refuse(refused)
            raise Refused(f"{refused} ({refused.status}{self.asked(' to ')})") from None
        except EOFError:
            pass  # connected, and left without a word

    def read_request(self) -> bytes:
        """Read request line and headers into the attributes, and return the body."""
        try:
            self.await_first_byte()
            self.read_head()
            self.check_host()
            self.check_origin()
            return self.read_body()
        except TimeoutError as error:
            reason = str(error) or f"the whole request did not arrive within {self.deadline.seconds:g} s"
            self.refuse(RefusedRequest(408, reason))
            raise TimeoutError(reason) from None

    def await_first_byte(self) -> None:
        """Wait for the request to begin, and not for long where others wait meanwhile: browsers connect ahead."""
        self.reader.deadline = first = self.server.first_deadline()
        try:
            self.rfile.peek(1)
        except TimeoutError:
            raise TimeoutError(f"no request began within {first.seconds:g} s") from None
        self.reader.deadline = self.deadline

    def read_line(self, too_long: int = 431) -> bytes:
        """The next line, which must be short and whole."""
        line = self.rfile.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise RefusedRequest(too_long, f"a line is longer than {MAX_LINE} bytes")
        if not line.endswith(b"\n"):
            raise RefusedRequest(400, "the request ended in its head") if line or self.command else EOFError
        return line

    def read_head(self) -> None:
        """Read command, path, version and headers."""
        if (line := self.read_line(414)) in (b"\r\n", b"\n"):  # some send an empty line first (RFC 9112, 2.2)
            line = self.read_line(414)
        if not (request := REQUEST_LINE.fullmatch(line)):
            raise RefusedRequest(400, "this is not an HTTP/1 request line")
        self.command, self.path, self.request_version = (part.decode("latin-1") for part in request.groups())
        lines = b""
        while (line := self.read_line()) not in (b"\r\n", b"\n"):
            if not HEADER_LINE.fullmatch(line):
                raise RefusedRequest(400, "a header line is malformed")
            if len(lines := lines + line) > MAX_HEAD:
                raise RefusedRequest(431, f"the headers are longer than {MAX_HEAD} bytes")
        self.headers = email.message_from_string(lines.decode("latin-1"), _class=HTTPMessage)
        self.read_target()

    def read_target(self) -> None:
        """Check the path and the Host header."""
        hosts = [host.strip(" \t") for host in self.headers.get_all("Host", [])]
        if len(hosts) != 1 and self.request_version == "HTTP/1.1":
            raise RefusedRequest(400, "HTTP/1.1 requires exactly one Host header")
        url = ABSOLUTE.match(self.path)  # it must be understood, and its host counts, not the header (RFC 9112, 3.2.2)
        if not all(HOST.fullmatch(host) for host in [*hosts, *(url.groups() if url else ())]):
            raise RefusedRequest(400, "a host is a name or an address, with or without a port")
        if url:
            del self.headers["Host"]
            self.headers["Host"], self.path = url[1], "/" + self.path[url.end() :]
        if not self.path.startswith("/"):
            raise RefusedRequest(400, "a path begins with /")

    def check_host(self) -> None:
        """Refuse another name. Its owner can make it lead here, and a browser would take this server for their site."""
        names = self.server.names | {host_of(self.request.getsockname()[0])}
        for host in self.headers.get_all("Host", []):  # HTTP/1.0 may send none
            if (host := host_of(host.strip(" \t"))) not in names:
                raise RefusedRequest(421, f"this server is not {host[:100]!r}; --allow-host adds a name")

    def check_origin(self) -> None:
        """Refuse what a page of another site has a browser send. Only browsers send an Origin (RFC 6454)."""
        host = self.headers.get("Host", "").strip(" \t").lower()
        for origin in self.headers.get_all("Origin", []):
            ours = origin.strip(" \t").lower() in (f"http://{host}", f"https://{host}")
            if not ours and self.command not in self.for_any_page:
                raise RefusedRequest(403, "it comes from a web page of another site")

    def read_body(self) -> bytes:
        """Read exactly as much as Content-Length says. With two lengths, a second request could hide in the first."""
        length, expected = self.body_length(), self.headers.get("Expect", "").lower()
        if (expected, self.request_version) == ("100-continue", "HTTP/1.1"):
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(body := self.rfile.read(length)) < length:
            raise RefusedRequest(400, f"the body ended after {len(body)} of {length} bytes")
        return body

    def body_length(self) -> int:
        """What Content-Length says, where nothing else says otherwise."""
        lengths, codings = (self.headers.get_all(header, []) for header in ("Content-Length", "Transfer-Encoding"))
        if codings == ["chunked"] and not lengths:
            raise RefusedRequest(411, "send the body with a Content-Length, not in chunks")
        if codings or len(lengths) > 1:
            raise RefusedRequest(400, "the request is ambiguous about its length")
        length = lengths[0].strip(" \t") if lengths else "0"
        if not re.fullmatch("[0-9]{1,18}", length):
            raise RefusedRequest(400, "Content-Length is not a number")
        if int(length) > MAX_BODY:
            raise RefusedRequest(413, f"the body is larger than {MAX_BODY} bytes")
        return int(length)

    def reply(self, status: int, phrase: str, content_type: str, body: bytes, **headers: str) -> None:
        """Send a whole response at once. It ends the connection, so that ``single`` can serve the next client."""
        lines = [f"HTTP/1.1 {status} {phrase}", f"Date: {self.date_time_string()}", f"Content-Type: {content_type}"]
        lines += [f"Content-Length: {len(body)}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
        self.request.sendall("\r\n".join([*lines, "", ""]).encode() + (b"" if self.command == "HEAD" else body))

    def reply_error(self, status: int, reason: str, **headers: str) -> None:
        """Send an error in plain text."""
        self.reply(status, reason, "text/plain; charset=utf-8", f"{status} {reason}\n".encode(), **headers)

    def refuse(self, refused: RefusedRequest) -> None:
        """Say why, if the client still listens."""
        with suppress(OSError):
            self.reply_error(refused.status, str(refused), **refused.headers)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log an answer in one line."""
        log.info("%s%s %s", name(self.client_address), self.asked(" "), code)

    def asked(self, before: str) -> str:
        """What was asked for, as it stands in the log; empty if that did not come."""
        asked = f"{self.command} {self.path.partition('?')[0]}"[:200].encode("ascii", "backslashreplace").decode()
        return f'{before}"{asked}"' if self.command else ""

    def finish(self) -> None:
        """Let the client close first: closing with bytes unread would reset the answer (RFC 9112, 9.6)."""
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)
            left = 0.1  # a client that had no time left keeps nobody waiting for longer
            with suppress(TimeoutError):
                left = max(left, min(1.0, self.reader.deadline.left()))
            self.linger(left)

    def linger(self, seconds: float) -> None:
        """Read on until the client closes, but no longer than this, also while a person holds what it sends."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.request.settimeout(left)
            if not socket.socket.recv(self.request, 65536):
                break


def host_of(authority: str) -> str:
    """The host in ``localhost:8080`` or ``[::1]`` as it is compared: small letters, no brackets, no port."""
    found = HOST.fullmatch(authority)
    host = (found[1] if found else authority).strip("[]").lower().removeprefix("::ffff:")
    with suppress(ValueError):
        return str(ip_address(host))  # 0:0::1 is ::1
    return host
