"""A web client: methods of HTTP by their names. ``python client.py`` tries it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from netlab.hardening.connecting import arguments
from netlab.hardening.http_client import HTTPClient

SHOWN = 3000  # characters of a body
RESERVED = "%/:?#[]@!$&'()*+,;=~"  # what may stand in a URL as it is (RFC 3986)


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answered. It reads as it came: status, headers, body."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, by the charset that the headers name."""
        content_type = {key.lower(): value for key, value in self.headers}.get("content-type", "")
        charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except (LookupError, ValueError):  # there is no such charset
            return self.body.decode("latin-1")

    def __repr__(self) -> str:
        head = [f"{self.status} {self.reason}", *(f"{key}: {value}" for key, value in self.headers)]
        text = self.text.replace("\r\n", "\n")
        more = f"\n… {len(text) - SHOWN} more characters" if len(text) > SHOWN else ""
        return "\n".join(printable(line) for line in [*head, "", *text[:SHOWN].rstrip().split("\n")]).rstrip() + more


def printable(line: str) -> str:
    """A line of the server that cannot steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class Client(HTTPClient):
    """Makes requests, each over a connection of its own."""

    def get(self, path: str = "/", /, **params: object) -> Response:
        """Ask for a path, with parameters in its query: get('/hello', name='Guido')."""
        query = urlencode(params, doseq=True)
        return self.request("GET", f"{path}{'&' if '?' in path else '?'}{query}" if query else path)

    def post(self, path: str = "/", /, **form: object) -> Response:
        """Send a form, urlencoded: post('/hello', name='Guido')."""
        body = urlencode(form, doseq=True).encode()
        return self.request("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def request(self, method: str, path: str, body: bytes | str = b"", /, **headers: object) -> Response:
        """Send any request: request('PUT', '/x', b'…', Content_Type='text/plain'). An underscore stands for -."""
        fields = {key.replace("_", "-"): str(value) for key, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        return Response(*self._exchange(method, quote(path, safe=RESERVED), content, fields))


if __name__ == "__main__":
    server, _ = arguments(port=8080)
    client = Client(server)
    print(client.get("/hello", name="Guido"))
    print(client.post("/hello", name="Guido"))
    print(client.get("/localtime"))
