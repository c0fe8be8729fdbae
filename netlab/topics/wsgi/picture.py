"""A name that is HTML: what the tutorial's function makes of it, beside what this server answers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from html import escape
from itertools import zip_longest

from netlab.dissect.exchanges.escaping import page_of, parameters_of
from netlab.dissect.exchanges.http_exchanges import HttpExchange
from netlab.dissect.exchanges.http_picture import draw_exchanges
from netlab.dissect.picture import Picture, Row, SeenFlow, Tone

TUTORIAL = """\
<html>
  <head>
     <title>Hello {name}</title>
   </head>
   <body>
     <h1>Hello {name}!</h1>
   </body>
</html>"""
MOST_LINES = 40
_NARROWEST = 28
"""Columns that a page needs to stand beside another."""
_INDENT = 8


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The exchanges, with both pages where escaping mattered; None if it did nowhere: HTTP's picture says the same."""
    mattered = False

    def beside(exchange: HttpExchange, columns: int) -> Iterator[Row]:
        nonlocal mattered
        for row in pages(exchange, columns):
            mattered = True
            yield row

    picture = draw_exchanges(seen, width, beside)
    if picture is None or not mattered:
        return None
    return Picture("WSGI: a name that is HTML", picture.rows, picture.note)


def pages(exchange: HttpExchange, columns: int) -> Iterator[Row]:
    """Both pages; nothing if the name is the same escaped, or the answer is no page."""
    names = [each.value for each in parameters_of(exchange) if each.name == "name" and each.value]
    page, response = page_of(exchange), exchange.response
    if not names or names[0] == escape(names[0]) or not page or response is None or not _greets(exchange):
        return
    segment, sent = response.message.first, tutorial_page(names)
    yield Row(f"unescaped, as the tutorial sends it: {_greeting(sent)}", segment, tone=Tone.WRONG)
    raw = "<" in names[0] and names[0].strip() in page
    as_here = "unescaped, as this server sends it" if raw else "escaped, as this server sends it"
    yield Row(f"{as_here}: {_greeting(page)}", segment, tone=Tone.WRONG if raw else Tone.GOOD)
    left, right = sent.splitlines()[:MOST_LINES], page.splitlines()[:MOST_LINES]
    lines = _side_by_side(left, right, (columns - _INDENT) // 2)
    yield Row("both pages, the tutorial's and this server's", segment, tuple(Row(line, segment) for line in lines))


def tutorial_page(names: list[str]) -> str:
    """What the tutorial's ``hello_world`` answers. ``cgi.FieldStorage`` makes a list of a name that comes twice."""
    return TUTORIAL.format(name=names[0] if len(names) == 1 else names)


def _greets(exchange: HttpExchange) -> bool:
    """Whether it is the path that the tutorial's function answers."""
    request = exchange.request
    return request is not None and request.says("request line", "target").partition("?")[0] == "/hello"


def _greeting(page: str) -> str:
    """The page's heading."""
    return next((line.strip() for line in page.splitlines() if "<h1" in line), "")[:500]


def _side_by_side(left: list[str], right: list[str], half: int) -> Iterator[str]:
    """Lines of both pages, aligned at their ends, ``≠`` between those that differ; one after the other if narrow."""
    if half < _NARROWEST:
        yield from ("the tutorial's page:", *left, "this server's page:", *right)
        return
    for ours, theirs in reversed([*zip_longest(reversed(left), reversed(right), fillvalue="")]):
        mark = "│" if ours.strip() == theirs.strip() else "≠"
        yield from _row(ours, mark, theirs, half)


def _row(left: str, mark: str, right: str, half: int) -> Iterator[str]:
    """A pair of lines; what is too long for its half goes on below."""
    for one, other in zip_longest(_wrapped(left, half), _wrapped(right, half), fillvalue=""):
        yield f"{one}{' ' * (half - _cells(one))} {mark} {other}"


def _wrapped(line: str, columns: int) -> Iterator[str]:
    part = ""
    for character in line[:1000]:
        if _cells(part) + _cells(character) > columns:
            yield part
            part = ""
        part += character
    yield part


def _cells(text: str) -> int:
    """How many columns text takes: two for a wide character, none for one that combines."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
