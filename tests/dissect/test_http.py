"""HTTP and XML-RPC read from any bytes: as recorded, cut anywhere, and made up."""

import time
import tracemalloc
from xmlrpc.client import dumps

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction
from netlab.dissect.flow import Run
from netlab.dissect.http.http_flow import HttpFlow
from netlab.topics.wsgi.dissect import dissect as read_web
from netlab.topics.xmlrpc.dissect import dissect as read_call
from tests.support.dissection_text import read, tree
from tests.support.field_laws import check_fields
from tests.support.folders import CAPTURE_CASES, TOPIC_SAMPLES
from tests.support.work import calls

SAMPLES = sorted(TOPIC_SAMPLES.glob("[wx]*-*-re[qs]*.txt"))
UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


def dissect_for(path):
    return read_call if path.name.startswith("xmlrpc") else read_web


def check(dissection, length):
    """Every field lies within the one around it, and all of them cover the bytes."""

    check_fields(dissection.fields, 0, length)
    assert (dissection.fields[0].start, dissection.fields[-1].end) == (0, length) if length else not dissection.fields
    assert all(a.end == b.start for a, b in zip(dissection.fields, dissection.fields[1:], strict=False))
    assert dissection.needs >= 0
    return dissection


def web(data, direction=UP, offset=0):
    return check(read_web(memoryview(data), direction, offset), len(data))


def called(data, direction=UP):
    return check(read_call(memoryview(data), direction, 0), len(data))


def find(dissection, name):
    """The first field of that name, at any depth."""
    waiting = list(dissection.fields)
    while waiting:
        field = waiting.pop(0)
        if field.name == name:
            return field
        waiting = [*field.children, *waiting]
    raise AssertionError(f"no field {name}")


def posted(body, kind=b"text/xml"):
    return b"POST /RPC2 HTTP/1.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)


def test_there_are_samples_of_both_topics():
    assert {path.name.partition("-")[0] for path in SAMPLES} == {"wsgi", "xmlrpc"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_recorded_samples_read_as_expected(path):
    direction, data, expected = read(path.read_text(encoding="utf-8"))
    assert tree(dissect_for(path)(memoryview(data), direction, 0)) == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_cut_anywhere_is_still_read(path):
    direction, data, _ = read(path.read_text(encoding="utf-8"))
    blank = data.index(b"\r\n\r\n") + 4
    for length in range(1, len(data)):
        dissection = check(dissect_for(path)(memoryview(data[:length]), direction, 0), length)
        assert dissection.problem == ""
        if length >= blank and b"chunked" not in data:
            assert dissection.needs == len(data) - length


def test_several_messages_in_one_stream():
    one = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
    dissection = web(one + posted(b"a=1&b=%20", b"application/x-www-form-urlencoded") + one * 3)
    assert len(dissection.fields) == 5
    assert dissection.summary == "GET /1 · POST /RPC2 · GET /1 · 2 more"
    assert [(field.name, field.value) for field in find(dissection, "body").children] == [("a", "1"), ("b", " ")]


CASE = CAPTURE_CASES / "http_empty_line.pcap"


def test_an_empty_line_before_a_request_line_is_ignored():
    with Capture.of_file(CASE) as capture:
        capture.grow()
        found = web(bytes(capture.segments[-1].data))
    assert [(field.kind, field.value) for field in found.fields] == [
        ("http", "GET /1"),
        ("text", "ignored before a request line"),
        ("http", "GET /2"),
    ]
    assert (found.summary, found.problem) == ("GET /1 · GET /2", "")


@pytest.mark.parametrize("empty", [b"\n", b"\r\n", b"\r\n\n\r\n"])
def test_any_empty_lines_are(empty):
    request = b"GET / HTTP/1.1\r\n\r\n"
    assert [f.kind for f in web(empty + request + empty + request + empty).fields] == [
        "text", "http", "text", "http", "text",
    ]  # fmt: skip
    assert web(empty).problem == ""
    assert web(empty + b"no HTTP").problem == "this is not HTTP/1"
    assert web(empty + request, offset=9).fields[-1].kind == "http"
    assert web(empty + b"body", offset=9).fields[0].kind == "bytes"
    assert web(empty + b"HTTP/1.1 204 No Content\r\n\r\n", DOWN).fields[0].kind == "bytes"


def test_a_response_without_a_length_lasts_until_the_connection_closes():
    dissection = web(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", DOWN)
    assert find(dissection, "body").value == "<p> (until the connection closes)"
    assert dissection.needs == 0


@pytest.mark.parametrize("status", [b"100 Continue", b"204 No Content", b"304 Not Modified"])
def test_some_responses_have_no_body_whatever_they_say(status):
    dissection = web(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", DOWN)
    assert [field.value for field in dissection.fields] == [status.decode(), "200 OK"]


def chunked(*chunks, trailer=b""):
    body = b"".join(b"%x;note=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailer + b"\r\n"


def test_chunks_are_read_one_by_one_and_say_what_they_wait_for():
    data = chunked(b"Hello", b"World!", trailer=b"X: y\r\n")
    dissection = web(data * 2, DOWN)
    assert len(dissection.fields) == 2
    body = find(dissection, "body")
    assert body.value == "11 bytes in 2 chunks"
    chunks, (joined,) = body.children[:-1], body.children[-1:]
    assert [chunk.value for chunk in chunks] == ["5 bytes: b'Hello'", "6 bytes: b'World!'", "0 bytes"]
    assert (joined.name, joined.buffer.data) == ("put together", b"HelloWorld!")
    for length in range(data.index(b"Hello"), len(data)):
        cut = web(data[:length], DOWN)
        assert cut.problem == ""
        assert find(cut, "body").value.endswith("waits for more")
    assert web(data[: data.index(b"World!") + 2], DOWN).needs == 6


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        (b"Content-Length: 5\r\nContent-Length: 6", "ambiguous about its length: 5, 6"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", "ambiguous about its length: 5, chunked"),
        (b"Content-Length: five", "Content-Length is not a number"),
        (b"Transfer-Encoding: gzip", "Transfer-Encoding gzip is not understood"),
        (b"Transfer-Encoding: chunked", "a chunk's size is not a number"),
    ],
)
def test_what_cannot_be_read_stays_raw_and_says_why(headers, problem):
    dissection = web(b"POST / HTTP/1.1\r\n" + headers + b"\r\n\r\nwhat\r\n")
    assert dissection.problem == problem
    assert find(dissection, "rest").value == repr(b"what\r\n")


def test_a_chunk_that_does_not_end_where_it_should_is_said():
    assert web(chunked(b"Hello").replace(b"5;", b"4;"), DOWN).problem == "a chunk does not end at its announced size"


def test_bytes_that_are_not_http_stay_raw():
    assert web(b"\x16\x03\x01").problem == "this is not HTTP/1"
    assert web(b"ell", offset=7).problem.startswith("bytes from within")
    assert web(b"GET", offset=7).problem.startswith("bytes from within")
    assert web(b"GET / HTTP/1.0\r\n\r\n\0").problem == "what follows the message is not HTTP"
    assert web(b"").fields == ()


def test_the_parts_of_a_multipart_form_have_their_names():
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\nX: y\r\n\r\n2--b\r\n--b--\r\n'
    parts = find(web(posted(body, b"multipart/form-data; boundary=b")), "body").children
    assert [(part.name, part.value) for part in parts] == [("a", "1"), ("part", "2--b")]


def test_a_body_is_not_taken_apart_for_a_line_alone():
    def work(brief: bool) -> int:
        data = memoryview(posted(b"[" + b"1," * 500 + b"1]", b"application/json"))
        return calls(lambda: HttpFlow().feed(Run(data, UP, brief=brief)))

    assert 5 * work(brief=True) < work(brief=False)


# XML-RPC.


def test_values_in_chunks_are_found_where_they_stand():
    xml = dumps(("spam", [1, "é"]), "set").encode()
    pieces = [xml[i : i + 7] for i in range(0, len(xml), 7)]
    data = chunked(*pieces)
    dissection = called(data, DOWN)
    assert dissection.summary == "set('spam', [1, 'é'])"
    first = find(dissection, "param 1")
    joined = data[first.start : first.end]
    assert joined.startswith(b"<")
    assert joined.endswith(b">")


def test_every_scalar_shows_its_type():
    kinds = ["i4", "int", "i8", "boolean", "double", "string", "base64", "dateTime.iso8601", "nil"]
    values = "".join(f"<value><{kind}>1</{kind}></value>" for kind in kinds) + "<value>bare</value><value/>"
    array = f"<value><array><data>{values}</data></array></value>"
    xml = f"<methodResponse><params><param>{array}</param></params></methodResponse>"
    items = find(called(posted(xml.encode())), "param 1").children
    assert [item.kind for item in items] == [*kinds, "string", "string"]
    assert [item.value for item in items] == [
        "1",
        "1",
        "1",
        "True",
        "1.0",
        "'1'",
        "base64 1",
        "1",
        "None",
        "'bare'",
        "''",
    ]
    assert [item.name for item in items] == [str(number) for number in range(11)]


def test_a_dtd_ends_the_reading():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><methodCall><methodName>&b;</methodName></methodCall>'
    dissection = called(posted(bomb))
    assert dissection.problem == "XML with a DTD is not read"
    assert "aaaa" not in dissection.summary


def test_deep_and_many_values_are_bounded():
    deep = called(posted(b"<methodCall>" + b"<value><array><data>" * 500))
    assert "nested" in deep.problem
    many = called(posted(b"<methodResponse><params>" + b"<param><value>x</value></param>" * 5000))
    assert "only the first" in many.problem
    assert len(many.summary) < 400


# Any bytes.

FRAGMENTS = [b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n", b"\n", b"Content-Length: 5\r\n", b"X: y\r\n", b" "]
FRAGMENTS += [
    b"Transfer-Encoding: chunked\r\n",
    b"5\r\nHello\r\n",
    b"0\r\n\r\n",
    b"Content-Type: multipart/a; boundary=b\r\n",
]
FRAGMENTS += [
    b"--b\r\n",
    b"Content-Length: 99999999999\r\n",
    b"GET",
    b"HTTP/",
    b"fffffffffffffff\r\n",
    b"Content-Type: text/xml\r\n",
]
XML = [
    b"<value>",
    b"</value>",
    b"<int>",
    b"</int>",
    b"<array>",
    b"</array>",
    b"<struct>",
    b"</struct>",
    b"<nil/>",
    b"x",
    b"&#1;",
]
XML += [
    b"<methodCall>",
    b"</methodCall>",
    b"<fault>",
    b"</fault>",
    b"<name>",
    b"</name>",
    b"<member>",
    b"</member>",
    b"\xff",
]
XML += [
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<!DOCTYPE x [",
    b"<![CDATA[",
    b"\0",
]
ANYTHING = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=25).map(b"".join)
ANY_XML = st.lists(st.sampled_from(XML) | st.binary(max_size=4), max_size=25).map(b"".join)


@given(data=ANYTHING | st.binary(), direction=st.sampled_from(Direction), offset=st.sampled_from([0, 9]))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read(data, direction, offset):
    for dissect in (read_web, read_call):
        check(dissect(memoryview(data), direction, offset), len(data))


@given(ANY_XML)
@settings(max_examples=400, deadline=None)
def test_any_body_is_read(xml):
    called(posted(xml))
    called(chunked(*(xml[i : i + 5] for i in range(0, len(xml), 5))), DOWN)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 50_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 150_000,
        b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000,
        b"A" * 1_000_000,
        b"GET /" + b"?&" * 500_000 + b" HTTP/1.1\r\n\r\n",
        chunked(*[b"x"] * 100_000),
        chunked(*[b"<value>"] * 15_000),
        posted(b"<value>" * 140_000),
        posted(b"\n" * 1_000_000),
        posted(b"<methodName>" + b"\n&amp;" * 150_000),
        posted(b"--b\r\n" * 200_000, b"multipart/form-data; boundary=b"),
        posted(b"&a" * 500_000, b"application/x-www-form-urlencoded"),
    ],
    ids=range(12),
)
def test_nasty_megabytes_are_read_in_bounded_time(data):
    started = time.monotonic()
    called(data)
    web(data)
    assert time.monotonic() - started < 10  # quadratic would be minutes


@pytest.mark.parametrize("kind", [b"text/plain", b"text/xml", b"application/octet-stream"])
def test_a_large_body_is_not_copied(kind):
    data = memoryview(posted(b"x" * (64 << 20), kind))
    tracemalloc.start()
    read_web(data, UP, 0)
    read_call(data, UP, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20  # expat itself buffers the mebibyte of XML that it is given


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("</array>", "→ [1, 2, 3]"),
        ("<int>3", "→ [1, 2, 3…, …]"),
        ("<int>3</int></value>", "→ [1, 2, 3, …]"),
        ("<int>2</int></value>\n<value>", "→ [1, 2, …]"),
    ],
)
def test_values_that_have_not_come_yet_are_not_left_out_in_silence(end, said):
    body = dumps(([1, 2, 3],), methodresponse=True)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    come = head + body[: body.index(end) + len(end)]
    assert read_call(memoryview(come.encode()), Direction.TO_CLIENT).summary == said


def test_a_body_that_has_begun_is_told_by_its_announced_size():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 144\r\n\r\n"
    for body, told in ((b"x" * 81, 144), (b"x" * 144, 144), (b"", 0)):
        assert read_web(memoryview(head + body), Direction.TO_CLIENT, 0).summary == f"200 OK · {told} bytes"
