"""WSGI, with care: an environment without the secrets of this process, failures in one line, forms read strictly."""

from __future__ import annotations

import email
import logging
import sys
from collections.abc import Iterable
from email.message import Message
from socketserver import TCPServer, ThreadingMixIn
from typing import IO, Any
from wsgiref import simple_server

from netlab.hardening.http import HTTPServer

log = logging.getLogger(__name__)


class WSGIServer(HTTPServer, simple_server.WSGIServer):
    """A server that gives requests an environment."""

    allow_reuse_port = False  # which http.server may set: then a second server could take the port unnoticed

    def server_bind(self) -> None:
        """Bind. (http.server would ask the name service for this machine's name, which can take seconds.)"""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class ApplicationCall(simple_server.ServerHandler):
    """Calls the application once, and writes what it answers."""

    http_version = "1.1"
    os_environ: dict[str, str] = {}  # noqa: RUF012 - wsgiref's name; no request needs to see this process's environment

    def __init__(
        self,
        handler: simple_server.WSGIRequestHandler,
        environ: dict[str, Any],
        body: IO[bytes],
        response: IO[bytes],
    ) -> None:
        super().__init__(body, response, sys.stderr, environ, multithread=isinstance(handler.server, ThreadingMixIn))
        self.request_handler = handler  # logs the answer

    def send_preamble(self) -> None:
        """Begin the answer, and say that the connection ends with it."""
        super().send_preamble()
        self._write(b"Connection: close\r\n")

    def log_exception(self, exc_info: Any) -> None:
        """Log what went wrong in the application, in one line; Ctrl+C is not its fault."""
        if not isinstance(exc_info[1], Exception):
            raise exc_info[1]
        log.error("the application failed: %r", exc_info[1])


def without_body(body: Iterable[bytes]) -> list[bytes]:
    """Run an application's answer to its end, for its headers."""
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return []


def fields_of(body: bytes, boundary: bytes, most: int) -> list[tuple[str, str]]:
    """Names and values in multipart/form-data (RFC 7578), at most so many; a file's content counts as its value.

    `ValueError` for a form that is cut short, or a part without a name.
    """
    if not boundary:
        raise ValueError
    _, *parts, end = (b"\r\n" + body).split(b"\r\n--" + boundary, most + 1)
    if not end.startswith(b"--"):
        raise ValueError
    return [_field_of(part) for part in parts]


def boundary_of(header: Message) -> bytes:
    """What stands between the parts, by their Content-Type; `ValueError` if it cannot be read."""
    try:
        return (header.get_boundary() or "").encode("latin-1")
    except (LookupError, TypeError) as error:  # what email raises for a strange one
        raise ValueError from error


def _field_of(part: bytes) -> tuple[str, str]:
    head, blank, content = part.partition(b"\r\n\r\n")
    try:
        key = email.message_from_bytes(head[2:1024]).get_param("name", header="Content-Disposition")
    except (LookupError, TypeError) as error:
        raise ValueError from error
    if not (blank and head.startswith(b"\r\n") and isinstance(key, str)):
        raise ValueError
    return key.encode("ascii", "surrogateescape").decode(), content.decode()
