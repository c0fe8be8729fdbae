"""What a person sent and a page repeats: as text, or as HTML that a browser would run."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple
from urllib.parse import unquote_plus

from netlab.dissect.exchanges.http_exchanges import HttpExchange
from netlab.dissect.exchanges.whole_body import WholeBody, body_of
from netlab.dissect.fields import Field

MOST_PARAMETERS = 50
_LONGEST_VALUE = 2000
_MOST_PAGE = 1 << 16


class Parameter(NamedTuple):
    """A parameter of a request, from its query or its form."""

    name: str
    value: str


class Repeated(NamedTuple):
    """A parameter that stands in the page that answers it."""

    parameter: Parameter
    escaped: bool


def parameters_of(exchange: HttpExchange) -> list[Parameter]:
    """The parameters of a request, those of its form first, as far as they are of a usual length."""
    return list(_parameters(exchange))[:MOST_PARAMETERS]


def _parameters(exchange: HttpExchange) -> Iterator[Parameter]:
    request = exchange.request
    if request is None:
        return
    if (body := body_of(request)) is not None:
        for field in body.fields[:MOST_PARAMETERS]:
            if (found := _of_form(body, field, request.message.data)) is not None:
                yield found
    target = request.find("request line", "target")
    for field in target.children[:MOST_PARAMETERS] if target is not None else ():
        yield _pair(bytes(request.message.data[field.start : min(field.end, field.start + _LONGEST_VALUE)]))


def _of_form(body: WholeBody, field: Field, message: memoryview) -> Parameter | None:
    derived = body.unpacked or len(body.chunks) > 1  # then its fields lie in what was put together
    data = body.data if derived else message
    if field.kind == "parameter":
        return _pair(bytes(data[field.start : min(field.end, field.start + _LONGEST_VALUE)]))
    content = next((each for each in field.children if each.name == "content"), None)
    if field.kind != "part" or content is None:
        return None
    raw = bytes(data[content.start : min(content.end, content.start + _LONGEST_VALUE)])
    return Parameter(field.name, raw.decode("utf-8", "replace"))


def _pair(raw: bytes) -> Parameter:
    name, _, value = raw.decode("utf-8", "replace").partition("=")
    return Parameter(unquote_plus(name), unquote_plus(value))


def page_of(exchange: HttpExchange) -> str:
    """The HTML page that answers a request, or its beginning; empty if the answer is something else."""
    response = exchange.response
    if response is None or not response.header("content-type").lower().startswith("text/html"):
        return ""
    body = body_of(response)
    return bytes(body.data[:_MOST_PAGE]).decode("utf-8", "replace") if body is not None else ""


def repeated(exchange: HttpExchange) -> Iterator[Repeated]:
    """The parameters with a tag in them that the page repeats."""
    page = page_of(exchange)
    for parameter in parameters_of(exchange) if page else ():
        value = parameter.value
        if "<" not in value:
            continue
        if value in page:
            yield Repeated(parameter, escaped=False)
        elif escape(value) in page or escape(value, quote=False) in page:
            yield Repeated(parameter, escaped=True)
