"""How long an exchange took, by the times at which its segments crossed."""

from __future__ import annotations

from netlab.dissect.exchanges.http_exchanges import HttpExchange
from netlab.dissect.pictures.durations import span


def times(exchange: HttpExchange, *, short: bool = False) -> str:
    """``1.2 ms to first byte, 1.5 ms in all``, both from the request's first byte; empty if there is no answer.

    ``short``: ``1st byte 1.2 ms, all 1.5 ms``.
    """
    request, response = exchange.request, exchange.response
    if request is None or response is None or not request.message.began_ns or not response.message.began_ns:
        return ""
    began = request.message.began_ns
    first, last = response.message.began_ns - began, max(response.ended_ns, request.ended_ns) - began
    if short:
        return f"1st byte {span(first)}, all {span(last)}"
    return f"{span(first)} to first byte, {span(last)} in all"


def times_in_full(exchange: HttpExchange) -> str:
    """How long the request took to come, the server to answer, and the answer to come."""
    request, response = exchange.request, exchange.response
    if not times(exchange) or request is None or response is None:
        return ""
    waited = response.message.began_ns - request.ended_ns
    between = f"waited {span(waited)}"
    if waited < 0:
        between = f"the answer began {span(-waited)} before the request's end"
    answered = span(response.ended_ns - response.message.began_ns)
    interim = "".join(
        f", {sent.status} after {span(sent.message.began_ns - request.message.began_ns)}"
        for sent in exchange.interim[:3]
    )
    asked = span(request.ended_ns - request.message.began_ns)
    return f"as captured: request {asked}{interim}, {between}, answer {answered}"
