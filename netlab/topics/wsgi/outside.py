"""Requests from elsewhere: everybody speaks HTTP."""

from __future__ import annotations

import shlex
from urllib.parse import quote, urlencode

from netlab.topics.outside import Called, program

RESERVED = "!#$%&'()*+,/:;=?@[]~"  # stays as it is in a path


def outside(called: Called) -> list[tuple[str, str]]:
    """The same request."""
    method, path, body, fields = _request(called)
    url = f"http://{called.address}{quote(path, safe=RESERVED)}"
    return [("curl", _curl(method, url, body, fields)), ("Python", _python(method, url, body, fields))]


def _request(called: Called) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, path, body and headers of the call; a greeting where there was none."""
    arguments, keywords = list(map(_text, called.arguments)), dict(called.keywords)
    if called.name == "request" and len(arguments) >= 2:
        body = called.arguments[2] if len(called.arguments) > 2 else b""
        content = body if isinstance(body, bytes) else _text(body).encode()
        return arguments[0], arguments[1], content, {k.replace("_", "-"): _text(v) for k, v in keywords.items()}
    path = arguments[0] if arguments else "/"
    if called.name == "post":
        form = urlencode(keywords, doseq=True).encode()
        return "POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"}
    if called.name != "get":
        path, keywords = "/hello", {"name": "Guido"}
    query = urlencode(keywords, doseq=True)
    return "GET", f"{path}{'&' if '?' in path else '?'}{query}" if query else path, b"", {}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _curl(method: str, url: str, body: bytes, fields: dict[str, str]) -> str:
    words = ["curl", "-i", "--max-time", "10"]
    if method == "HEAD":
        words.append("--head")
    elif method != ("POST" if body else "GET"):
        words += ["-X", method]
    words += [word for name, value in fields.items() for word in ("-H", f"{name}: {value}")]
    if body:
        words += ["--data-binary", body.decode("utf-8", "surrogateescape")]
    return shlex.join([*words, url])


def _python(method: str, url: str, body: bytes, fields: dict[str, str]) -> str:
    sends = f", data={body!r}" if body else ""
    headers = f", headers={fields!r}" if fields else ""
    return program(
        "from urllib.request import Request, urlopen",
        "",
        f"with urlopen(Request({url!r}, method={method!r}{sends}{headers}), timeout=10) as answer:",
        "    print(answer.status, answer.reason)",
        "    print(answer.read().decode())",
    )
