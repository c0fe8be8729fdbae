"""The tutorial's page beside this server's, where a name is HTML."""

from __future__ import annotations

import html
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.dissect.picture import Picture, Row, Tone
from netlab.topics.wsgi.app import HELLO
from netlab.topics.wsgi.experiments import QUOTED, SCRIPT
from netlab.topics.wsgi.picture import draw, tutorial_page
from tests.support.seen import DOWN, UP, flow_of


def answer(body: str) -> bytes:
    page = body.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)


def asked(*names: str, path: str = "/hello") -> bytes:
    query = urlencode([("name", name) for name in names])
    return f"GET {path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def drawn(request: bytes, response: bytes, width: int = 100) -> Picture | None:
    return draw(flow_of("wsgi", (UP, request), (DOWN, response)), width)


def escaping(picture: Picture | None) -> list[Row]:
    """The rows that compare the pages."""
    assert picture is not None
    (exchange,) = picture.rows
    begins = ("unescaped", "escaped", "both pages")
    return [row for row in exchange.details if row.text.startswith(begins)]


PAGE = answer(HELLO.format(name=html.escape(SCRIPT)))


def test_both_pages_stand_side_by_side() -> None:
    tutorial, here, both = escaping(drawn(asked(SCRIPT), PAGE, width=128))
    assert tutorial.text == f"unescaped, as the tutorial sends it: <h1>Hello {SCRIPT}!</h1>"
    assert tutorial.tone is Tone.WRONG
    assert here.text == f"escaped, as this server sends it: <h1>Hello {html.escape(SCRIPT)}!</h1>"
    assert here.tone is Tone.GOOD
    lines = [row.text for row in both.details]
    assert "".join(line[:60] for line in lines).count(SCRIPT) == 2
    assert "".join(line[63:] for line in lines).count("&lt;/script") == 2
    marked = [line[61] for line in lines]
    assert (lines[-1][:7], lines[-1][61:]) == ("</html>", "│ </html>")
    assert set(marked) == {"│", "≠"}


def test_one_stands_below_the_other_where_there_is_little_room() -> None:
    *_, both = escaping(drawn(asked(SCRIPT), PAGE, width=60))
    assert [row.text for row in both.details if row.text.endswith("page:")] == [
        "the tutorial's page:",
        "this server's page:",
    ]


def test_a_form_is_compared_too() -> None:
    form = urlencode({"name": SCRIPT}).encode()
    head = "POST /hello HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = f"{head}Content-Length: {len(form)}\r\n\r\n".encode() + form
    assert len(escaping(drawn(request, PAGE))) == 3


def test_a_server_that_does_not_escape_is_marked() -> None:
    _, here, _ = escaping(drawn(asked(SCRIPT), answer(HELLO.format(name=SCRIPT))))
    assert here.text.startswith("unescaped, as this server sends it")
    assert here.tone is Tone.WRONG


@pytest.mark.parametrize("names", [("<b>",), ("<b>", "two & three")])
def test_the_tutorials_page_is_what_its_function_answers(names: tuple[str, ...]) -> None:
    """Its ``cgi.FieldStorage`` gives a name that comes once as text, others as a list."""
    space: dict[str, object] = {}
    exec(QUOTED, space)
    name = names[0] if len(names) == 1 else list(names)
    parts = space["hello_world"]({"params": {"name": name}}, lambda status, headers: None)
    assert tutorial_page(list(names)) == b"".join(parts).decode()


@pytest.mark.parametrize(
    ("request_bytes", "response"),
    [
        (asked("Guido"), answer(HELLO.format(name="Guido"))),
        (asked(SCRIPT, path="/other"), PAGE),
        (asked(SCRIPT), PAGE.replace(b"text/html", b"text/plain")),
        (asked(SCRIPT), b""),
    ],
)
def test_where_escaping_does_not_matter_http_is_drawn_as_everywhere(request_bytes: bytes, response: bytes) -> None:
    assert drawn(request_bytes, response) is None


NAMES = st.lists(st.text(st.sampled_from('<b>&"\n\0é漢\u0301'), max_size=60), max_size=3)


@given(names=NAMES, page=st.text(st.sampled_from("<h1>&lt;b\n"), max_size=60), width=st.integers(1, 200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_name_and_any_page_are_compared(names: list[str], page: str, width: int) -> None:
    drawn(asked(*names), answer(page), width)
