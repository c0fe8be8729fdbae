"""The micro-framework: which function answers which path and method."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from netlab.hardening.wsgi import without_body
from netlab.topics.wsgi.forms import BadForm, read_params


class PathDispatcher:
    """A WSGI application that calls the function for a path and a method."""

    def __init__(self) -> None:
        self.pathmap: dict[str, dict[str, WSGIApplication]] = {}

    def register(self, method: str, path: str, function: WSGIApplication) -> WSGIApplication:
        """Let a function answer; ``environ['params']`` has the parameters."""
        self.pathmap.setdefault(path, {})[method.upper()] = function
        return function

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request. HEAD is GET without the body."""
        body = self.answer(environ, start_response)
        return without_body(body) if environ["REQUEST_METHOD"] == "HEAD" else body

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the registered function, or say what is wrong."""
        functions = self.pathmap.get(environ.get("PATH_INFO", ""))
        if functions is None:
            return respond(start_response, "404 Not Found")
        if "GET" in functions:
            functions = {"HEAD": functions["GET"], **functions}
        function = functions.get(environ["REQUEST_METHOD"])
        if function is None:
            return respond(start_response, "405 Method Not Allowed", Allow=", ".join(sorted(functions)))
        try:
            environ["params"] = read_params(environ)
        except BadForm as error:
            return respond(start_response, error.status, str(error))
        return function(environ, start_response)


def respond(start_response: StartResponse, status: str, text: str = "", kind: str = "", **headers: str) -> list[bytes]:
    """Answer with text of a media type; by default, with the status."""
    body = (text or status[4:]).encode()
    headers |= {"Content-Type": f"{kind or 'text/plain'}; charset=utf-8", "Content-Length": str(len(body))}
    start_response(status, list(headers.items()))
    return [body]
