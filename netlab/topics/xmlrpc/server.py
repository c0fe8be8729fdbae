"""Functions that are called from afar, by XML-RPC. Standard library only; ``python server.py`` runs it.

single     one call at a time; who waits, waits in the kernel's accept queue
threading  a thread for each call
"""

from __future__ import annotations

import argparse
import email
import logging
import math
import re
import socket
import sys
import threading
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, RawIOBase
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from xml.parsers import expat
from xmlrpc.client import Error, Fault, Unmarshaller, dumps
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

log = logging.getLogger(__name__)
MAX_LINE, MAX_HEAD, MAX_BODY = 8192, 32768, 1 << 20  # bytes
MAX_STORE, MAX_KEYS = 4 << 20, 1000  # bytes of XML, and names, that the store holds
MAX_DEPTH = 200  # tags within tags
MAX_SLEEP = 10.0  # seconds
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) (HTTP/1\.[01])\r?\n")
ABSOLUTE = re.compile(r"https?://([^/?#]+)/?", re.IGNORECASE)
HOST = re.compile(r"([0-9A-Za-z._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
XML_TYPES = ("text/xml", "application/xml")
FIRST_BYTE = 5.0  # seconds; a browser connects ahead of its requests, and may never send one
HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r?\n")

# Codes of faults. The negative ones are those that XML-RPC servers agreed on.
NO_METHOD, BAD_ARGUMENTS, FAILED = -32601, -32602, -32603
NO_SUCH_NAME, STORE_FULL = 404, 507
TYPES: dict[type, str] = {
    bool: "boolean",
    int: "int",
    float: "double",
    str: "string",
    bytes: "base64",
    datetime: "dateTime.iso8601",
    list: "array",
    dict: "struct",
    type(None): "nil",
}


class KeyValueStore:
    """Values by name. Safe to use from several threads."""

    # What may be called from afar, and nothing else may: each with its signatures, the type of the result first.
    signatures = (
        ("get", [["any", "string"]]),
        ("set", [["nil", "string", "any"]]),
        ("delete", [["nil", "string"]]),
        ("exists", [["boolean", "string"]]),
        ("keys", [["array"]]),
        ("sleep", [["double", "double"], ["double", "int"]]),
    )

    def __init__(self) -> None:
        self._values: dict[str, tuple[object, int]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> object:
        """The value that is stored under a name."""
        with self._lock:
            return self._find(name)

    def set(self, name: str, value: Any) -> None:
        """Store a value under a name."""
        try:
            size = len(name) + len(dumps((value,), allow_none=True))
        except (OverflowError, TypeError, RecursionError) as error:
            raise Fault(BAD_ARGUMENTS, f"XML-RPC could not carry that value back: {error}") from None
        with self._lock:
            others = [size for key, (_, size) in self._values.items() if key != name]
            if len(others) >= MAX_KEYS or sum(others) + size > MAX_STORE:
                raise Fault(STORE_FULL, f"the store is full: at most {MAX_KEYS} names and {MAX_STORE} bytes")
            self._values[name] = value, size

    def delete(self, name: str) -> None:
        """Forget a name and its value."""
        with self._lock:
            self._find(name)
            del self._values[name]

    def exists(self, name: str) -> bool:
        """Whether there is a value under a name."""
        with self._lock:
            return name in self._values

    def keys(self) -> list[str]:
        """All names."""
        with self._lock:
            return list(self._values)

    def sleep(self, seconds: float) -> float:
        """Answer after that many seconds, at most 10: a slow call, to see who waits."""
        if not 0 <= seconds <= MAX_SLEEP:
            raise Fault(BAD_ARGUMENTS, f"sleep takes 0 to {MAX_SLEEP:g} seconds, not {seconds:g}")
        time.sleep(seconds)
        return float(seconds)

    def _find(self, name: str) -> object:
        if name not in self._values:
            raise Fault(NO_SUCH_NAME, f"nothing is stored under {name[:100]!r}")
        return self._values[name][0]


class SingleServer(SimpleXMLRPCServer):
    """One call at a time."""

    request_queue_size = 5  # how many may wait; the kernel lets one more in
    first_byte = FIRST_BYTE
    starved = False

    def __init__(self, address: tuple[str, int], timeout: float, allow_none: bool, names: Iterable[str]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.patience, self.with_none = timeout, allow_none
        self.names = LOOPBACK.union(map(host_of, [address[0], *names]))
        super().__init__(address, RequestHandler, logRequests=False)
        self.signatures: dict[str, list[list[str]]] = {}
        store = KeyValueStore()
        for method, signatures in store.signatures:
            self.offer(method, getattr(store, method), signatures)
        self.offer("system.listMethods", self.list_methods, [["array"]])
        self.offer("system.methodSignature", self.method_signature, [["array", "string"]])
        self.offer("system.methodHelp", self.method_help, [["string", "string"]])

    def offer(self, method: str, function: Any, signatures: list[list[str]]) -> None:
        """Let a function be called from afar."""
        self.register_function(function, method)
        self.signatures[method] = signatures

    def list_methods(self) -> list[str]:
        """The names of all methods."""
        return sorted(self.signatures)

    def method_signature(self, method: str) -> list[list[str]]:
        """The types of a method: of its result, then of each argument; a list for each way to call it."""
        return self.signatures[self.known(method)]

    def method_help(self, method: str) -> str:
        """What a method does."""
        return str(self.funcs[self.known(method)].__doc__)

    def known(self, method: str) -> str:
        """The method's name, if there is such a method."""
        if method not in self.signatures:
            raise Fault(NO_METHOD, f"no method {method[:100]!r}; there are {', '.join(self.list_methods())}")
        return method

    def _dispatch(self, method: str, params: Any) -> Any:
        """Call a method, with arguments that fit one of its signatures."""
        given = types_of(params)
        signatures = [signature[1:] for signature in self.signatures[self.known(method)]]
        if not any(fits(given, wanted) for wanted in signatures):
            ways = " or ".join(f"({', '.join(wanted)})" for wanted in signatures)
            raise Fault(BAD_ARGUMENTS, f"{method} takes {ways}, not ({', '.join(given)})")
        return self.funcs[method](*params)

    def respond(self, method: str, params: tuple[object, ...]) -> tuple[str, str]:
        """The response to a call as XML, and in a few words for the log."""
        try:
            result = self._dispatch(method, params)
            return dumps((result,), methodresponse=True, allow_none=self.with_none), "answered"
        except (
            Fault
        ) as fault:  # its name ends here: kept, it would hold the arguments until the garbage collector comes
            return failure(fault)
        except Exception as error:  # noqa: BLE001 - a fault is how whatever went wrong reaches the caller
            return failure(Fault(FAILED, f"the result cannot be carried by XML-RPC: {error}"))

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
    """A thread for each call."""

    request_queue_size = 128
    first_byte = math.inf
    daemon_threads = True
    block_on_close = False
    most_clients = 500

    def __init__(self, address: tuple[str, int], timeout: float, allow_none: bool, names: Iterable[str]) -> None:
        super().__init__(address, timeout, allow_none, names)
        self.places = threading.BoundedSemaphore(self.most_clients)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a call's thread; with all places taken wait, and accept nobody."""
        self.places.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a call, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()


def failure(fault: Fault) -> tuple[str, str]:
    """The response that says what went wrong, and the same for the log."""
    return dumps(fault, methodresponse=True), f"fault {fault.faultCode}: {fault.faultString}"


def types_of(params: tuple[object, ...]) -> list[str]:
    """The XML-RPC types of arguments."""
    return [TYPES.get(type(value), type(value).__name__) for value in params]


def fits(given: list[str], wanted: list[str]) -> bool:
    """Whether arguments of these types are those that a signature wants."""
    return len(given) == len(wanted) and all(want in (got, "any") for got, want in zip(given, wanted, strict=True))


class BadValue(Fault):
    """An argument of a call is no value of its type."""


class CallReader(Unmarshaller):
    """Makes values of tags, but not of tags that are nested without end. A fault names what is no value."""

    depth = arguments = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """A tag opened."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Refused(400, f"the XML is nested more than {MAX_DEPTH} tags deep")
        try:
            super().start(tag, attrs)
        except Error:
            raise BadValue(BAD_ARGUMENTS, f"argument {self.arguments + 1}: XML-RPC has no type {tag[:60]!r}") from None

    def end(self, tag: str) -> None:
        """A tag closed."""
        self.depth -= 1
        text = "".join(self._data)
        try:
            super().end(tag)
        except (ArithmeticError, TypeError, ValueError):
            if tag in ("array", "struct"):
                raise
            raise BadValue(BAD_ARGUMENTS, f"argument {self.arguments + 1}: {text[:60]!r} is no {tag}") from None
        self.arguments += tag == "param"


def read_call(xml: bytes) -> tuple[str, tuple[object, ...]]:
    """The method and the arguments of a ``methodCall``; `Fault` where one of them is no value."""
    reader, parser = CallReader(use_builtin_types=True), expat.ParserCreate()
    reader.xml("", None)  # strings come decoded
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse_dtd
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(xml, True)
        params, method = reader.close(), reader.getmethodname()
    except expat.ExpatError as error:
        raise Refused(400, f"the body is not well-formed XML: {error}") from None
    except BadValue:
        if reader.getmethodname() is not None:
            raise
        method = None
    except (Error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):  # what Unmarshaller raises
        method = None
    if method is None:
        raise Refused(400, "the XML is no XML-RPC call")
    return method, params


def refuse_dtd(*declared: object) -> None:
    """No XML-RPC call needs a DTD, and an entity can grow without end or name a file."""
    raise Refused(400, "XML with a DTD is refused")


def unpack(body: bytes, coding: str) -> bytes:
    """The body without its Content-Encoding; a gzip that would grow too large is not unpacked to its end."""
    if coding == "identity":
        return body
    if coding != "gzip":
        raise Refused(415, "Content-Encoding may be gzip and nothing else")
    unzip = zlib.decompressobj(wbits=31)  # gzip, not zlib
    try:
        xml = unzip.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise Refused(400, "the body is not gzip") from None
    if len(xml) > MAX_BODY:
        raise Refused(413, f"the body unpacks to more than {MAX_BODY} bytes")
    if not unzip.eof:
        raise Refused(400, "the gzip is cut short")
    return xml


# HTTP, read with care. (The recipe of WSGI has the same three classes.)


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


class RequestHandler(CarefulHandler, SimpleXMLRPCRequestHandler):
    """Turns a POST into a call."""

    rpc_paths = ("/", "/RPC2")
    for_any_page = ()

    def answer(self, body: bytes) -> None:
        """Call the method and send its result, or the fault."""
        if not self.is_rpc_path_valid():
            raise Refused(404, "calls go to /RPC2")
        if self.command != "POST":
            raise Refused(405, "a call is a POST", Allow="POST")
        if self.headers.get("Content-Type", "").partition(";")[0].strip(" \t").lower() not in XML_TYPES:
            raise Refused(415, "a call is sent as text/xml")  # as which no page can send without asking (CORS)
        xml = unpack(body, self.headers.get("Content-Encoding", "identity").lower())
        method, params = "?", tuple[object, ...]()
        try:
            method, params = read_call(xml)
            answer, outcome = self.server.respond(method, params)
        except Fault as fault:
            answer, outcome = failure(fault)
        log.info(
            "%s 200 %s(%s) %s", self.asked(), ascii(method[:100])[1:-1], ", ".join(types_of(params))[:200], outcome
        )
        self.reply(200, "OK", "text/xml; charset=utf-8", answer.encode())


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
    allow_none: bool = True,
) -> SingleServer:
    """A server that listens already. A request that is not there after ``timeout`` seconds is refused.

    It answers to the names of loopback, to the address where a client found it, and to those in ``allow_host``.
    """
    return MODELS[model](address, timeout, allow_none, allow_host)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="an XML-RPC server that stores values by name")
    parser.add_argument("--model", choices=MODELS, default="single")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=15000)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    parser.add_argument("--allow-none", choices=("yes", "no"), default="yes", help="whether None may be sent")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further name of this host")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = make_server(
        (arguments.host, arguments.port),
        arguments.model,
        timeout=arguments.timeout,
        allow_none=arguments.allow_none == "yes",
        allow_host=arguments.allow_host,
    )
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
