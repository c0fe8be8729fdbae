"""A web server and a micro-framework, by WSGI (PEP 3333). Standard library only; ``python server.py`` runs it.

single     one request at a time; who waits, waits in the kernel's accept queue
threading  a thread for each request
"""

from __future__ import annotations

import argparse
import email
import html
import logging
import math
import re
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, BytesIO, RawIOBase
from ipaddress import ip_address
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import WriteableBuffer

log = logging.getLogger(__name__)
MAX_LINE, MAX_HEAD, MAX_BODY = 8192, 32768, 1 << 20  # bytes
MAX_FIELDS = 100
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) (HTTP/1\.[01])\r?\n")
ABSOLUTE = re.compile(r"https?://([^/?#]+)/?", re.IGNORECASE)
HOST = re.compile(r"([0-9A-Za-z._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FIRST_BYTE = 5.0  # seconds; a browser connects ahead of its requests, and may never send one
HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r?\n")


# The micro-framework: which function answers which method of which path.


class PathDispatcher:
    """A WSGI application that hands each request to the function registered for its method and path."""

    def __init__(self) -> None:
        self.pathmap: dict[str, dict[str, WSGIApplication]] = {}

    def register(self, method: str, path: str, function: WSGIApplication) -> WSGIApplication:
        """Let a function answer a method of a path. It finds the request's parameters in ``environ['params']``."""
        self.pathmap.setdefault(path, {})[method.upper()] = function
        return function

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            function = self.find(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
            environ["params"] = read_params(environ)
        except Refused as refused:
            status = f"{refused.status} {HTTPStatus(refused.status).phrase}"
            body = respond(start_response, status, "text/plain", str(refused), **refused.headers)
            return body if environ["REQUEST_METHOD"] != "HEAD" else []
        answer = function(environ, start_response)
        return answer if environ["REQUEST_METHOD"] != "HEAD" else without_body(answer)

    def find(self, method: str, path: str) -> WSGIApplication:
        """The function for a request; HEAD is GET without the body."""
        methods = self.pathmap.get(path)
        if methods is None:
            raise Refused(404, "Not Found")
        function = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if function is None:
            allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
            raise Refused(405, "Method Not Allowed", Allow=", ".join(allowed))
        return function


def respond(start_response: StartResponse, status: str, kind: str, text: str, **headers: str) -> list[bytes]:
    """Answer with text; ``kind`` is its media type."""
    body = text.encode()
    headers |= {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
    start_response(status, list(headers.items()))
    return [body]


def without_body(body: Iterable[bytes]) -> list[bytes]:
    """Run an answer to its end, for its headers."""
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return []


# Forms. They came from the module cgi, which Python 3.13 removed.


def read_params(environ: WSGIEnvironment) -> dict[str, list[str]]:
    """The parameters of the form and of the query; lists, since a name may come more than once."""
    pairs = urlencoded(environ.get("QUERY_STRING", ""))
    if environ["REQUEST_METHOD"] == "POST":
        pairs = read_form(environ) + pairs
    params: dict[str, list[str]] = {}
    for key, value in pairs:
        if "\0" in key + value:
            raise Refused(400, "a form holds no NUL")
        params.setdefault(key, []).append(value)
    return params


def read_form(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The fields of the form in the body, of which exactly Content-Length bytes are read."""
    length = (environ.get("CONTENT_LENGTH") or "0").strip(" \t")  # as it came: blanks around it mean nothing
    if not re.fullmatch("[0-9]{1,18}", length):
        raise Refused(400, "Content-Length is not a number")
    if int(length) > MAX_BODY:
        raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
    body = environ["wsgi.input"].read(int(length))
    header = Message()
    header["Content-Type"] = environ.get("CONTENT_TYPE") or "application/x-www-form-urlencoded"
    if header.get_content_type() == "multipart/form-data":
        return multipart(header, body)
    if body and header.get_content_type() != "application/x-www-form-urlencoded":
        raise Refused(415, "send a form, urlencoded or multipart/form-data")
    return urlencoded(body.decode("latin-1"))


def urlencoded(text: str) -> list[tuple[str, str]]:
    """The fields of ``name=Guido&x=1``; in WSGI a string holds one byte in each character."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise Refused(400, "a % must be followed by two hexadecimal digits")
    try:
        text = text.encode("latin-1").decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, f"a form is UTF-8 and has at most {MAX_FIELDS} fields") from None


def multipart(header: Message, body: bytes) -> list[tuple[str, str]]:
    """The fields of a multipart/form-data body (RFC 7578); a file's content counts as its value."""
    fields = []
    try:
        boundary = (header.get_boundary() or "").encode("latin-1")
        _, *parts, end = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_FIELDS + 1)
        for part in parts:
            head, blank, content = part.partition(b"\r\n\r\n")
            key = email.message_from_bytes(head[2:1024]).get_param("name", header="Content-Disposition")
            if not (boundary and blank and head.startswith(b"\r\n") and isinstance(key, str)):
                raise ValueError
            fields.append((key.encode("ascii", "surrogateescape").decode(), content.decode()))
        if not end.startswith(b"--"):
            raise ValueError
    except (ValueError, LookupError, TypeError):  # whatever email does not like in a boundary or a name
        raise Refused(400, f"the multipart form is malformed, or has more than {MAX_FIELDS} fields") from None
    return fields


# The application: two functions and a dispatcher.

HELLO = """\
<!DOCTYPE html>
<html>
  <head>
    <title>Hello {name}</title>
  </head>
  <body>
    <h1>Hello {name}!</h1>
  </body>
</html>
"""

LOCALTIME = """\
<?xml version="1.0" encoding="utf-8"?>
<time>
  <year>{t.tm_year}</year>
  <month>{t.tm_mon}</month>
  <day>{t.tm_mday}</day>
  <hour>{t.tm_hour}</hour>
  <minute>{t.tm_min}</minute>
  <second>{t.tm_sec}</second>
</time>
"""


def hello_world(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Greet by name; a name is text, and text in HTML is escaped."""
    who = environ["params"].get("name", [""])[0].strip() or "World"
    return respond(start_response, "200 OK", "text/html", HELLO.format(name=html.escape(who)))


def localtime(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tell the time."""
    return respond(start_response, "200 OK", "application/xml", LOCALTIME.format(t=time.localtime()))


dispatcher = PathDispatcher()
dispatcher.register("GET", "/hello", hello_world)
dispatcher.register("POST", "/hello", hello_world)
dispatcher.register("GET", "/localtime", localtime)


# HTTP, read with care. (The recipe of XML-RPC has the same three classes.)


class Refused(Exception):
    """A request that is answered with an error: its status, its reason in words, further headers of the answer."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers


def host_of(authority: str) -> str:
    """The host in ``localhost:8080`` or ``[::1]`` as it is compared: small letters, no brackets, no port."""
    found = HOST.fullmatch(authority)
    host = (found[1] if found else authority).strip("[]").lower().removeprefix("::ffff:")
    with suppress(ValueError):
        return str(ip_address(host))  # 0:0::1 is ::1
    return host


class TimedReader(RawIOBase):
    """Reads a socket until a deadline; its own timeout is for each recv, which a slow sender would never meet."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.connection, self.deadline = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what arrives next; `TimeoutError` after the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:  # also for a client that sends so fast that no recv ever waits
            raise TimeoutError
        self.connection.settimeout(left)
        return self.connection.recv_into(buffer)


class CarefulHandler(BaseHTTPRequestHandler):
    """One request a connection, which must come in time and mean the same to everybody who reads it (RFC 9112)."""

    server: SingleServer
    rfile: BufferedReader
    command = path = ""
    for_any_page: tuple[str, ...] = (
        "GET",
        "HEAD",
    )  # what the pages of other sites may ask for, since it changes nothing

    def setup(self) -> None:
        """Give the whole request, not each part of it, one deadline."""
        super().setup()
        self.patience = self.connection.gettimeout() or 30.0
        self.rfile.close()
        self.timed = TimedReader(self.connection, self.patience)
        self.rfile, self.deadline = BufferedReader(self.timed), self.timed.deadline

    def handle(self) -> None:
        """Read one request and answer it."""
        try:
            self.answer(self.read_request())
        except Refused as refused:
            log.warning("%s: refused with %d: %s", self.asked(), refused.status, refused.reason)
            text = f"{refused.status} {refused.reason}\n".encode()
            self.reply(refused.status, refused.reason, "text/plain; charset=utf-8", text, **refused.headers)
        except EOFError:
            pass  # connected, and left without a word

    def answer(self, body: bytes) -> None:
        """Answer the request that was read."""
        raise NotImplementedError

    def read_request(self) -> bytes:
        """Read request line and headers into the attributes, and return the body."""
        try:
            self.await_first_byte()
            self.read_head()
            self.check_host()
            self.check_origin()
            return self.read_body()
        except TimeoutError:
            raise Refused(408, f"the whole request did not arrive within {self.patience:g} seconds") from None

    def await_first_byte(self) -> None:
        """Wait for the request to begin, and not for long where others wait meanwhile."""
        whole, most = self.deadline, 0.0
        while (limit := min(self.patience, self.server.first_byte)) > most:  # it may be raised meanwhile
            most = limit
            self.timed.deadline = self.deadline = whole - self.patience + most
            with suppress(TimeoutError):
                self.rfile.peek(1)
                self.timed.deadline = self.deadline = whole
                return
        raise Refused(408, f"no request began within {most:g} seconds")

    def read_line(self, too_long: int = 431) -> bytes:
        """The next line, which must be short and whole."""
        line = self.rfile.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise Refused(too_long, f"a line is longer than {MAX_LINE} bytes")
        if not line.endswith(b"\n"):
            raise Refused(400, "the request ended in its head") if line or self.command else EOFError
        return line

    def read_head(self) -> None:
        """Read command, path, version and headers."""
        if (line := self.read_line(414)) in (b"\r\n", b"\n"):  # some send an empty line first (9112, 2.2)
            line = self.read_line(414)
        if not (request := REQUEST_LINE.fullmatch(line)):
            raise Refused(400, "this is no HTTP/1 request line")
        self.command, self.path, self.request_version = (part.decode("latin-1") for part in request.groups())
        lines = b""
        while (line := self.read_line()) not in (b"\r\n", b"\n"):
            if not HEADER_LINE.fullmatch(line):
                raise Refused(400, "a header line is malformed")
            lines += line
            if len(lines) > MAX_HEAD:
                raise Refused(431, f"the headers are longer than {MAX_HEAD} bytes")
        self.headers = email.message_from_string(lines.decode("latin-1"), _class=HTTPMessage)
        hosts = [host.strip(" \t") for host in self.headers.get_all("Host", [])]
        if len(hosts) != 1 and self.request_version == "HTTP/1.1":
            raise Refused(400, "HTTP/1.1 wants exactly one Host header")
        url = ABSOLUTE.match(self.path)
        if not all(HOST.fullmatch(host) for host in [*hosts, *(url.groups() if url else ())]):
            raise Refused(400, "a host is a name or an address, with or without a port")
        if url:  # it must be understood, and its host counts, not the header (9112, 3.2.2)
            del self.headers["Host"]
            self.headers["Host"], self.path = url[1], "/" + self.path[url.end() :]

    def check_host(self) -> None:
        """Refuse a name that is not ours. Who owns a name can let it lead here, and to a browser we were their site."""
        names = self.server.names | {host_of(self.connection.getsockname()[0])}
        for host in self.headers.get_all("Host", []):  # HTTP/1.0 may send none
            if (host := host_of(host.strip(" \t"))) not in names:
                raise Refused(421, f"this server is not {host[:100]!r}; --allow-host adds a name")

    def check_origin(self) -> None:
        """Refuse what a page of another site has a browser send. Only browsers send an Origin (RFC 6454)."""
        host = self.headers.get("Host", "").strip(" \t").lower()
        for origin in self.headers.get_all("Origin", []):
            ours = origin.strip(" \t").lower() in (f"http://{host}", f"https://{host}")
            if not ours and self.command not in self.for_any_page:
                raise Refused(403, "it comes from a web page of another site")

    def read_body(self) -> bytes:
        """Read exactly as much as Content-Length says. Whoever says two lengths smuggles a request past somebody."""
        lengths, codings = self.headers.get_all("Content-Length", []), self.headers.get_all("Transfer-Encoding", [])
        if codings == ["chunked"] and not lengths:
            raise Refused(411, "send the body with a Content-Length, not in chunks")
        if codings or len(lengths) > 1:
            raise Refused(400, "the request is ambiguous about its length")
        length = lengths[0].strip(" \t") if lengths else "0"
        if not re.fullmatch("[0-9]{1,18}", length):
            raise Refused(400, "Content-Length is not a number")
        if int(length) > MAX_BODY:
            raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
        if self.headers.get("Expect", "").lower() == "100-continue" and self.request_version == "HTTP/1.1":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refused(400, f"the body ended after {len(body)} of {length} bytes")
        return body

    def reply(self, status: int, phrase: str, content_type: str, body: bytes, **headers: str) -> None:
        """Send a whole response at once. The connection ends with it, so that ``single`` can serve the next client."""
        lines = [f"HTTP/1.1 {status} {phrase}", f"Date: {self.date_time_string()}", f"Content-Type: {content_type}"]
        lines += [f"Content-Length: {len(body)}", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("ascii") + (b"" if self.command == "HEAD" else body))

    def send(self, response: bytes) -> None:
        """Send bytes, all of them, in time."""
        self.connection.settimeout(self.patience)
        self.connection.sendall(response)

    def finish(self) -> None:
        """Let the client close first: closing on bytes not yet read would reset our answer (RFC 9112, 9.6)."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            left = max(0.1, self.deadline - time.monotonic())  # who had no time left keeps nobody waiting for longer
            with BufferedReader(TimedReader(self.connection, min(1.0, left))) as rest:
                while rest.read1():
                    pass
        super().finish()

    def asked(self) -> str:
        """Who asked for what, as it stands in the log."""
        asked = f"{self.command} {self.path.partition('?')[0]}"[:200] if self.command else "?"
        return f'{name(self.client_address)} "{asked.encode("ascii", "backslashreplace").decode()}"'


# The server: HTTP on one side, the WSGI application on the other.


class Answer(ServerHandler):
    """Calls the application once, and collects what it answers."""

    http_version = "1.1"
    os_environ: dict[str, str] = {}  # noqa: RUF012 - wsgiref's name; no request needs to see this process's environment

    request_handler: RequestHandler

    def send_preamble(self) -> None:
        """Begin the answer, and say that the connection ends with it."""
        super().send_preamble()
        self._write(b"Connection: close\r\n")

    def log_exception(self, exc_info: Any) -> None:
        """Say what went wrong in the application, in one line; Ctrl+C is not its fault."""
        if not isinstance(exc_info[1], Exception):
            raise exc_info[1]
        log.error("the application failed: %r", exc_info[1])


class RequestHandler(CarefulHandler, WSGIRequestHandler):
    """Turns a request into a call of the application."""

    def answer(self, body: bytes) -> None:
        """Call the application and send what it answers."""
        if not self.path.startswith("/"):
            raise Refused(400, "a path begins with /")
        response = BytesIO()
        threads = isinstance(self.server, ThreadingMixIn)
        call = Answer(BytesIO(body), response, sys.stderr, self.get_environ(), multithread=threads)
        call.request_handler = self
        call.run(self.server.app)
        self.send(response.getvalue())

    def get_environ(self) -> dict[str, Any]:
        """The request as WSGI tells it; wsgiref would invent a Content-Type where there is none."""
        return super().get_environ() | {"CONTENT_TYPE": self.headers.get("Content-Type", "")}

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log one line for each answer."""
        log.info("%s %s", self.asked(), code)


class SingleServer(WSGIServer):
    """One request at a time."""

    request_queue_size = 5  # how many may wait; the kernel lets one more in
    first_byte = FIRST_BYTE
    starved = False

    def __init__(self, address: tuple[str, int], timeout: float, app: WSGIApplication, names: Iterable[str]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.patience, self.app = timeout, app
        self.names = LOOPBACK.union(map(host_of, [address[0], *names]))
        super().__init__(address, RequestHandler)

    def server_bind(self) -> None:
        """Bind. (http.server would ask the name service for our own name, which can take seconds.)"""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client, whose request and whose reading of the answer may each take as long as the timeout."""
        try:
            client, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        client.settimeout(self.patience)
        log.info("accepted %s", name(address))
        return client, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client to its end."""
        super().finish_request(request, client_address)
        log.info("closed %s", name(client_address))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say why a client was dropped, in one line instead of a traceback."""
        error = sys.exception()
        why = "it does not read its answer" if isinstance(error, TimeoutError) else error
        log.warning("%s: dropped: %s", name(client_address), why)


class ThreadingServer(ThreadingMixIn, SingleServer):
    """A thread for each request."""

    request_queue_size = 128
    first_byte = math.inf
    daemon_threads = True
    block_on_close = False
    most_clients = 500

    def __init__(self, address: tuple[str, int], timeout: float, app: WSGIApplication, names: Iterable[str]) -> None:
        super().__init__(address, timeout, app, names)
        self.places = threading.BoundedSemaphore(self.most_clients)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a request's thread; with all places taken wait, and accept nobody."""
        self.places.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a request, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()


MODELS = {"single": SingleServer, "threading": ThreadingServer}


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def make_server(
    address: tuple[str, int],
    model: str = "single",
    *,
    timeout: float = 30.0,
    allow_host: Iterable[str] = (),
    app: WSGIApplication = dispatcher,
) -> SingleServer:
    """A server that listens already. A request that is not there after ``timeout`` seconds is refused.

    It answers to the names of loopback, to the address where a client found it, and to those in ``allow_host``.
    """
    return MODELS[model](address, timeout, app, allow_host)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="a web server with a micro-framework")
    parser.add_argument("--model", choices=MODELS, default="single")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further name of this host")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = make_server(
        (arguments.host, arguments.port), arguments.model, timeout=arguments.timeout, allow_host=arguments.allow_host
    )
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
