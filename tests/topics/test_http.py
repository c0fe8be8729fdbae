"""HTTP that is wrong, slow, too large or ambiguous, sent to both servers that read it."""

import logging
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.hardening.clients import ClientSocket
from netlab.hardening.http import HTTPHandler, RequestReader
from netlab.hardening.http_client import TimedSocket
from netlab.hardening.patience import Deadline, Patience
from netlab.topics.wsgi import client as wsgi_client
from netlab.topics.xmlrpc import client as xmlrpc_client
from tests.support.http_servers import DEADLINE, PATHS, SERVERS, exchange, read_all, serving, status
from tests.support.waiting import wait_until

TIMEOUT = 0.5
TOPICS = pytest.mark.parametrize("topic", SERVERS)


@pytest.fixture(scope="module")
def addresses():
    names = ("lab", "lab_1.local")
    with (
        serving("wsgi", timeout=TIMEOUT, allow_host=names) as one,
        serving("xmlrpc", timeout=TIMEOUT, allow_host=names) as two,
    ):
        yield {"wsgi": one, "xmlrpc": two}


def post(topic, *headers, body=b"", version=b"HTTP/1.1"):
    typed = any(header.lower().startswith(b"content-type:") for header in headers)
    kind = [b"Content-Type: text/xml"] if topic == "xmlrpc" and not typed else []
    lines = [b"POST %s %s" % (PATHS[topic], version), b"Host: lab", *kind, *headers]
    return b"\r\n".join([*lines, b"", b""]) + body


def answers(address, topic):
    """Whether the server still does its work."""
    if topic == "wsgi":
        return wsgi_client.Client(address, timeout=DEADLINE).get("/hello").status == 200
    return "keys" in xmlrpc_client.Client(address, timeout=DEADLINE).call("system.listMethods")


@TOPICS
@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: +5"],
        [b"Content-Length: -1"],
        [b"Content-Length: 0x5"],
        [b"Content-Length: abc"],
        [b"Content-Length:"],
        [b"Content-Length: \xb2"],
        [b"Content-Length : 5"],
        [b"Content-Length: " + b"9" * 5000],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding:\x0bchunked"],
        [b"X: a\rContent-Length: 5"],
        [b"X: a\r\n folded"],
        [b"X\0: a"],
        [b": a"],
        [b"no colon"],
        [b"Host: twice"],
    ],
    ids=range(21),
)
def test_ambiguous_and_malformed_headers_are_400(addresses, topic, headers):
    assert status(exchange(addresses[topic], post(topic, *headers, body=b"12345"), half_close=True)) == 400


@TOPICS
@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /a b HTTP/1.1\r\nHost: lab\r\n\r\n", 400),
        *((b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host, 400) for host in (b"a b", b"a/b", b"u@a", b"[::1", b"\xe4")),
        (b"GET http://user:word@lab/ HTTP/1.1\r\nHost: lab\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\nHost: lab\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\0\x01\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: lab\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: lab\r\n" + b"X: aaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\n", 431),
    ],
    ids=range(16),
)
def test_a_head_that_is_wrong_or_too_large_is_4xx(addresses, topic, request_bytes, expected):
    assert status(exchange(addresses[topic], request_bytes, half_close=True)) == expected


@TOPICS
def test_a_body_without_a_length_is_411_when_it_is_plainly_chunked(addresses, topic):
    request = post(topic, b"Transfer-Encoding: chunked", body=b"5\r\nHello\r\n0\r\n\r\n")
    assert status(exchange(addresses[topic], request)) == 411


@TOPICS
def test_a_large_body_is_refused_before_it_is_read_and_the_answer_arrives(addresses, topic):
    body = b"x" * (3 << 20)
    answer = exchange(addresses[topic], post(topic, b"Content-Length: %d" % len(body)), body)
    assert status(answer) == 413


@TOPICS
def test_a_body_cut_short_is_400(addresses, topic):
    answer = exchange(addresses[topic], post(topic, b"Content-Length: 100", body=b"name=x"), half_close=True)
    assert status(answer) == 400
    assert b"after 6 of 100" in answer


@TOPICS
@pytest.mark.parametrize("part", ["nothing", "line", "headers", "body"])
def test_a_request_that_stops_half_way_is_408_in_time(addresses, topic, part):
    begun = {
        "nothing": b"",
        "line": b"POST /he",
        "headers": b"POST /hello HTTP/1.1\r\nHost: lab\r\nContent",
        "body": post(topic, b"Content-Length: 100", body=b"name"),
    }
    started = time.monotonic()
    assert status(exchange(addresses[topic], begun[part])) == 408
    assert time.monotonic() - started < DEADLINE


@TOPICS
@pytest.mark.parametrize("host", [b"", b"lab:", b"lab_1.local:80", b"127.0.0.1", b"[::1]:8080", b"a%20b"])
def test_a_host_is_empty_a_name_or_an_address(addresses, topic, host):
    path = PATHS[topic]
    answer = exchange(addresses[topic], b"PUT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path, host))
    assert status(answer) == (421 if host in (b"", b"a%20b") else 405)


@TOPICS
def test_a_client_that_used_up_its_time_gets_no_more(topic, monkeypatch):
    linger, granted = HTTPHandler.linger, []

    def noting(handler, seconds):
        if handler.server.server_address == address:  # not a server of another test
            granted.append(seconds)
        linger(handler, seconds)

    monkeypatch.setattr(HTTPHandler, "linger", noting)
    with serving(topic, model="single", timeout=TIMEOUT) as address:
        assert status(exchange(address, b"")) == 408
        assert status(exchange(address, b"GET /nowhere HTTP/1.0\r\n\r\n")) == 404
        wait_until(lambda: len(granted) == 2, "the server waits for the client to close")
    assert granted[0] == 0.1
    assert 0.1 < granted[1] <= TIMEOUT


@TOPICS
@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nHost: lab\r\n", b"body"])
def test_a_byte_now_and_then_does_not_buy_time(addresses, topic, begun):
    if begun == b"body":
        begun = post(topic, b"Content-Length: 10000")
    with socket.create_connection(addresses[topic], DEADLINE) as connection:
        started = time.monotonic()
        connection.sendall(begun)
        connection.settimeout(TIMEOUT / 10)
        while True:
            try:
                answer = connection.recv(4096)
                break
            except TimeoutError:
                assert time.monotonic() - started < TIMEOUT * 10
                connection.sendall(b"a")
    assert status(answer) == 408


@TOPICS
def test_a_client_that_sends_without_end_is_left_in_time(addresses, topic):
    with socket.create_connection(addresses[topic], DEADLINE) as connection:
        begun = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() < begun + DEADLINE:
                connection.sendall(bytes(65536))


def test_after_the_deadline_nothing_is_read_though_it_is_there():
    ours, theirs = socket.socketpair()
    patience = Patience(DEADLINE)
    with ours, ClientSocket.of(theirs, patience) as client, RequestReader(client, Deadline(patience, 0.0)) as late:
        ours.sendall(b"quick")
        with pytest.raises(TimeoutError):
            late.readinto(bytearray(5))


def test_a_client_reads_nothing_after_its_deadline_though_it_is_there():
    ours, theirs = socket.socketpair()
    with ours, theirs, TimedSocket(ours, time.monotonic()) as late:
        theirs.sendall(b"quick")
        with pytest.raises(TimeoutError):
            late.readinto(bytearray(5))


@TOPICS
def test_only_the_first_of_pipelined_requests_is_answered_and_whole(addresses, topic):
    answer = exchange(addresses[topic], b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n" * 200)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.count(b"Connection: close") == 1


@TOPICS
def test_a_client_that_leaves_or_resets_hurts_nobody(addresses, topic, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        socket.create_connection(addresses[topic], DEADLINE).close()
        with socket.create_connection(addresses[topic], DEADLINE) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\n")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert answers(addresses[topic], topic)
    assert "Traceback" not in caplog.text


@TOPICS
@given(garbage=st.binary(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_answered_with_4xx_or_not_at_all(addresses, topic, garbage):
    answer = exchange(addresses[topic], garbage, half_close=True)
    assert answer == b"" or 400 <= status(answer) < 500


@TOPICS
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "a\xff;"]
    ),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_is_a_server_error(addresses, topic, body, kind):
    headers = [b"Content-Type: " + kind.encode("latin-1"), b"Content-Length: %d" % len(body)]
    assert status(exchange(addresses[topic], post(topic, *headers, body=body))) < 500


@TOPICS
def test_under_single_a_half_sent_request_keeps_others_waiting_until_it_is_refused(topic):
    with serving(topic, "single", timeout=TIMEOUT) as address, socket.create_connection(address, DEADLINE) as slow:
        slow.sendall(b"GET /")
        started = time.monotonic()
        assert answers(address, topic)
        assert time.monotonic() - started > TIMEOUT / 2
        assert status(read_all(slow)) == 408


@TOPICS
def test_under_threading_a_half_sent_request_keeps_nobody_waiting(topic):
    with serving(topic, "threading", timeout=DEADLINE) as address, socket.create_connection(address, DEADLINE) as slow:
        slow.sendall(b"GET /")
        assert answers(address, topic)
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.recv(1)


@TOPICS
def test_under_threading_the_number_of_clients_is_bounded(topic, monkeypatch):
    monkeypatch.setattr(SERVERS[topic].ThreadingServer, "most_clients", 1)
    with serving(topic, "threading", timeout=TIMEOUT) as address, socket.create_connection(address, DEADLINE) as slow:
        slow.sendall(b"GET /")
        started = time.monotonic()
        assert answers(address, topic)
        assert time.monotonic() - started > TIMEOUT / 2


@TOPICS
def test_the_log_says_who_asked_for_what_and_cannot_be_forged(addresses, topic, caplog):
    caplog.set_level(logging.INFO)
    exchange(addresses[topic], b"GET /\x9b31m%0aforged?secret=1 HTTP/1.0\r\n\r\n")
    asked = '"GET /\\x9b31m%0aforged"'
    wait_until(lambda: any(asked in message for message in caplog.messages), asked)
    peer = next(message.split()[0] for message in caplog.messages if asked in message)
    wait_until(lambda: {f"accepted {peer}", f"closed {peer}"} <= set(caplog.messages), "both of this client")
    assert "secret" not in caplog.text


def test_ipv6_works():
    for topic, module in SERVERS.items():
        server = module.Server(("::1", 0))
        assert server.server_address[0] == "::1", topic
        server.server_close()


@TOPICS
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://lab%s", 200),
        (b"HTTP://lab:8080%s", 200),  # a scheme may be in capitals (RFC 3986, 3.1)
        (b"https://[::1]:1%s", 200),
        (b"http://lab/elsewhere", 404),
    ],
    ids=range(4),
)
def test_a_whole_url_is_answered_as_its_path_is(addresses, topic, target, expected):
    """RFC 9112, 3.2.2: a server must accept it, though only proxies get such requests."""
    url = target.replace(b"%s", PATHS[topic])
    body = b"name=x"
    if topic == "xmlrpc":
        body = b"<methodCall><methodName>keys</methodName><params/></methodCall>"
    request = post(topic, b"Content-Length: %d" % len(body), body=body).replace(PATHS[topic], url, 1)
    assert status(exchange(addresses[topic], request)) == expected


@TOPICS
@pytest.mark.parametrize("target", [b"http:///hello", b"http://", b"ftp://lab/hello", b"hello", b"*", b"//lab/hello"])
def test_a_target_that_is_neither_path_nor_url_is_4xx(addresses, topic, target):
    answer = exchange(addresses[topic], b"GET %s HTTP/1.1\r\nHost: lab\r\n\r\n" % target)
    assert 400 <= status(answer) < 500


def test_the_host_of_a_whole_url_counts_and_not_the_header():
    seen = []

    def app(environ, start_response):
        seen.append((environ["HTTP_HOST"], environ["PATH_INFO"], environ["QUERY_STRING"]))
        start_response("200 OK", [])
        return [b""]

    with serving("wsgi", timeout=TIMEOUT, app=app, allow_host=("real", "said")) as address:
        for target in (b"http://real:1/a?b=c", b"http://real?b=c", b"/a"):
            exchange(address, b"GET %s HTTP/1.1\r\nHost: said\r\n\r\n" % target)
    assert seen == [("real:1", "/a", "b=c"), ("real", "/", "b=c"), ("said", "/a", "")]


@TOPICS
@pytest.mark.parametrize("blanks", [b"Content-Length:%d", b"Content-Length: \t%d", b"Content-Length: %d \t"])
def test_blanks_around_a_header_mean_nothing(addresses, topic, blanks):
    body = {"wsgi": b"name=x", "xmlrpc": b"<methodCall><methodName>keys</methodName><params/></methodCall>"}[topic]
    assert status(exchange(addresses[topic], post(topic, blanks % len(body), body=body))) == 200
