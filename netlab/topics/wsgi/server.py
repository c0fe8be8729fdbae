"""A web server for a WSGI application (PEP 3333): each request becomes one call of a function."""

import sys
from argparse import ArgumentParser
from io import BytesIO
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import WSGIApplication

from netlab.hardening.command import main
from netlab.hardening.http import HTTPHandler
from netlab.hardening.server import BoundedThreadingMixIn
from netlab.hardening.wsgi import ApplicationCall, WSGIServer
from netlab.topics.wsgi.app import dispatcher


class RequestHandler(HTTPHandler, WSGIRequestHandler):
    """Turns a request into a call of the application."""

    server: "Server"

    def answer(self, body: bytes) -> None:
        """Call the application and send what it answers."""
        response, threads = BytesIO(), isinstance(self.server, ThreadingMixIn)
        call = ApplicationCall(BytesIO(body), response, sys.stderr, self.get_environ(), multithread=threads)
        call.request_handler = self
        call.run(self.server.app)
        self.request.sendall(response.getvalue())

    def get_environ(self) -> dict[str, Any]:
        """The request as a dictionary; wsgiref would invent a Content-Type if there is none."""
        return super().get_environ() | {"CONTENT_TYPE": self.headers.get("Content-Type", "")}


class Server(WSGIServer):
    """One request at a time. The other clients wait in the kernel's accept queue."""

    handler = RequestHandler
    request_queue_size = 5  # clients that may wait; Linux lets one more in

    def __init__(self, address: tuple[str, int], *, app: WSGIApplication = dispatcher, **options: Any) -> None:
        super().__init__(address, **options)
        self.app = app


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each request."""


MODELS = {"single": Server, "threading": ThreadingServer}

if __name__ == "__main__":
    options = ArgumentParser(add_help=False)
    options.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further name")
    main(MODELS, port=8080, options=options)
