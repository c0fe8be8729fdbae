"""The same request by other programs: curl and Python's http.client."""

from __future__ import annotations

import shlex
from urllib.parse import quote, urlencode

from netlab.capture.model import Endpoint
from netlab.topics.copy_as import CopiedCall, printf, program

RESERVED = "!#$%&'()*+,/:;=?@[]~"  # stays as it is in a path


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """The same request."""
    method, path, body, fields = _request(called)
    target = quote(path, safe=RESERVED)
    return [
        ("curl", _curl(method, f"http://{called.address}{target}", body, fields)),
        ("Python", _python(called.address, method, target, body, fields)),
    ]


def _request(called: CopiedCall) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, path, body and headers of the call; without a call, a greeting."""
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
    if not body:
        return shlex.join([*words, url])
    text = body.decode("utf-8", "replace")
    if text.isprintable() and not text.startswith("@"):  # which names a file
        return shlex.join([*words, "--data-binary", text, url])
    return f"{printf(body)} | {shlex.join([*words, '--data-binary', '@-', url])}"


def _python(address: Endpoint, method: str, target: str, body: bytes, fields: dict[str, str]) -> str:
    sends = f", {body!r}" if body else ""
    headers = f", headers={fields!r}" if fields else ""
    return program(
        "from http.client import HTTPConnection",
        "",
        f"web = HTTPConnection({address.host!r}, {address.port}, timeout=10)",
        f"web.request({method!r}, {target!r}{sends}{headers})",
        "answer = web.getresponse()",
        "print(answer.status, answer.reason)",
        "print(answer.read().decode(errors='replace'))",
        "web.close()",
    )
