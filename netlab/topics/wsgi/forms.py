"""A request's parameters, from its query and its form. The module cgi read them, until Python 3.13 removed it."""

import re
from email.message import Message
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from netlab.hardening.wsgi import boundary_of, fields_of

MAX_BODY, MAX_FIELDS = 1 << 20, 100  # bytes, and names


class BadForm(ValueError):
    """A form that cannot be read: the status of the answer, and why."""

    def __init__(self, reason: str, status: str = "400 Bad Request") -> None:
        super().__init__(reason)
        self.status = status


def read_params(environ: WSGIEnvironment) -> dict[str, list[str]]:
    """The parameters of the form and of the query; lists, since a name may come more than once."""
    fields = read_form(environ) if environ["REQUEST_METHOD"] == "POST" else []
    params: dict[str, list[str]] = {}
    for key, value in fields + urlencoded(environ.get("QUERY_STRING", "")):
        if "\0" in key + value:
            raise BadForm("a form holds no NUL")
        params.setdefault(key, []).append(value)
    return params


def read_form(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The fields of the form in the body, of which exactly Content-Length bytes are read."""
    length = (environ.get("CONTENT_LENGTH") or "0").strip(" \t")
    if not re.fullmatch("[0-9]{1,18}", length):
        raise BadForm("Content-Length is not a number")
    if int(length) > MAX_BODY:
        raise BadForm(f"the body is larger than {MAX_BODY} bytes", "413 Request Entity Too Large")
    body = environ["wsgi.input"].read(int(length))
    header = Message()
    header["Content-Type"] = environ.get("CONTENT_TYPE") or "application/x-www-form-urlencoded"
    if header.get_content_type() == "multipart/form-data":
        return multipart(header, body)
    if body and header.get_content_type() != "application/x-www-form-urlencoded":
        raise BadForm("send a form, urlencoded or multipart/form-data", "415 Unsupported Media Type")
    return urlencoded(body.decode("latin-1"))


def urlencoded(text: str) -> list[tuple[str, str]]:
    """The fields of ``name=Guido&x=1``; in WSGI a string holds one byte in each character."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise BadForm("a % must be followed by two hexadecimal digits")
    try:
        text = text.encode("latin-1").decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise BadForm(f"a form is UTF-8 and has at most {MAX_FIELDS} fields") from None


def multipart(header: Message, body: bytes) -> list[tuple[str, str]]:
    """The fields of ``curl -F name=Guido``: parts with a boundary between them."""
    try:
        return fields_of(body, boundary_of(header), MAX_FIELDS)
    except ValueError:
        raise BadForm(f"the multipart form is malformed, or has more than {MAX_FIELDS} fields") from None
