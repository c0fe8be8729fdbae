"""A web server (WSGI, PEP 3333): each request becomes a function call."""

from io import BytesIO
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import WSGIApplication

from netlab.hardening.command import host_option, main
from netlab.hardening.http import HTTPHandler
from netlab.hardening.server import BoundedThreadingMixIn
from netlab.hardening.wsgi import ApplicationCall, WSGIServer
from netlab.topics.wsgi.app import dispatcher


class RequestHandler(HTTPHandler, WSGIRequestHandler):
    """Turns a request into a call of the application."""

    server: "Server"

    def answer(self, body: bytes) -> None:
        """Call the application and send what it answers."""
        environ, response = self.get_environ(), BytesIO()
        call = ApplicationCall(self, environ, BytesIO(body), response)
        call.run(self.server.app)
        self.request.sendall(response.getvalue())

    def get_environ(self) -> dict[str, Any]:
        """The request as a dictionary; wsgiref would invent a missing type."""
        kind = self.headers.get("Content-Type", "")
        return super().get_environ() | {"CONTENT_TYPE": kind}


class Server(WSGIServer):
    """One request at a time. Other clients wait in the accept queue."""

    handler = RequestHandler
    request_queue_size = 5  # clients that may wait; Linux lets one more in

    def __init__(
        self,
        address: tuple[str, int],
        *,
        app: WSGIApplication = dispatcher,
        **options: Any,
    ) -> None:
        super().__init__(address, **options)
        self.app = app


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each request."""


MODELS = {"single": Server, "threading": ThreadingServer}

if __name__ == "__main__":
    main(MODELS, port=8080, options=host_option())
