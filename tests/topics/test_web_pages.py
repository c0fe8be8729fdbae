"""What a web page makes a browser send to a loopback server, sent to both servers that read HTTP."""

import asyncio
import contextlib
import http.client
import logging
import socket
import subprocess
import threading
import time
from xmlrpc.client import dumps

import pytest

from netlab.hardening.http import RequestReader
from netlab.lab.lab import Lab
from netlab.topics.discovery import topic_named
from netlab.topics.host_names import ALLOW_HOST, parse_names
from tests.support.authenticated import served
from tests.support.forking.process import netlab
from tests.support.http_servers import DEADLINE, PATHS, SERVERS, exchange, read_all, serving, status
from tests.support.waiting import wait_until

TOPICS = pytest.mark.parametrize("topic", SERVERS)
CALL = dumps(("spam", 1), "set").encode()
KINDS = {"wsgi": (b"name=Guido", "application/x-www-form-urlencoded"), "xmlrpc": (CALL, "text/xml")}


@pytest.fixture(scope="module")
def addresses():
    with contextlib.ExitStack() as stack:
        yield {topic: stack.enter_context(serving(topic, timeout=DEADLINE)) for topic in SERVERS}


def post(address, topic, **headers):
    """The status and the reason that answer a good request with these headers."""
    body, kind = KINDS[topic]
    fields = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("POST", PATHS[topic].decode(), body, {k: v for k, v in fields.items() if v is not None})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.reason


@TOPICS
@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:1", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:15000", "[0:0::1]:1"]
)
def test_loopback_s_own_names_are_answered_with_whatever_port(addresses, topic, host):
    """The port is that of the wire, or of a tunnel before it, which the server does not know."""
    assert post(addresses[topic], topic, Host=host)[0] == 200


@TOPICS
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "127.0.0.2",
        "[2001:db8::1]:80",
        "localhost.",
    ],
)
def test_a_name_that_is_not_the_server_s_is_421(addresses, topic, host):
    code, reason = post(addresses[topic], topic, Host=host)
    assert code == 421
    assert "--allow-host" in reason


@TOPICS
def test_the_host_of_a_whole_url_is_looked_at_too(addresses, topic):
    head = b"GET http://evil.example%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % PATHS[topic]
    assert status(exchange(addresses[topic], head)) == 421


@TOPICS
@pytest.mark.parametrize(("host", "expected"), [(b"", 200), (b"Host: localhost\r\n", 200), (b"Host: evil\r\n", 421)])
def test_http_1_0_may_leave_the_host_out_but_not_have_another(addresses, topic, host, expected):
    body, kind = KINDS[topic]
    head = b"POST %s HTTP/1.0\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    request = head % (PATHS[topic], host, kind.encode(), len(body)) + body
    assert status(exchange(addresses[topic], request)) == expected


@TOPICS
@pytest.mark.parametrize("name", ["lab.example", "LAB.example", "192.0.2.7", "2001:db8::7"])
def test_further_names_are_allowed_by_an_option(topic, name):
    host = f"[{name}]:80" if ":" in name else f"{name}:80"
    with serving(topic, allow_host=[name, "another.example"]) as address:
        assert post(address, topic, Host=host.lower())[0] == 200
        assert post(address, topic, Host="evil.example")[0] == 421


@TOPICS
def test_the_address_where_a_client_finds_the_server_is_its_own(topic):
    with serving(topic, host="0.0.0.0") as (_, port):
        assert post(("127.0.0.2", port), topic)[0] == 200
        assert post(("127.0.0.2", port), topic, Host="127.0.0.3")[0] == 421


@TOPICS
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://localhost:1", "https://127.0.0.1", "file://", "http://"]
)
def test_what_a_page_of_another_site_sends_is_403(addresses, topic, origin):
    assert post(addresses[topic], topic, Origin=origin)[0] == 403


@TOPICS
def test_what_the_server_s_own_page_sends_is_answered(addresses, topic):
    host = "{}:{}".format(*addresses[topic])
    assert post(addresses[topic], topic, Origin=f"http://{host}")[0] == 200
    assert post(addresses[topic], topic, Origin="HTTP://LOCALHOST:9", Host="localhost:9")[0] == 200


@TOPICS
def test_asking_whether_another_site_may_is_refused(addresses, topic):
    """A browser asks this (CORS) before it sends what no form could."""
    head = b"OPTIONS %s HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n" % PATHS[topic]
    answer = exchange(addresses[topic], head)
    assert status(answer) == 403
    assert b"access-control-allow-origin" not in answer.lower()


def test_a_page_may_link_to_what_only_shows_something_and_cannot_read_it(addresses):
    head = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"
    answer = exchange(addresses["wsgi"], head)
    assert status(answer) == 200
    assert b"access-control-allow-origin" not in answer.lower()


@pytest.mark.parametrize("kind", ["text/xml", "TEXT/XML; charset=utf-8", "application/xml", "application/xml;a=b"])
def test_a_call_is_sent_as_xml(addresses, kind):
    assert post(addresses["xmlrpc"], "xmlrpc", Content_Type=kind)[0] == 200


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain; text/xml", "xml"],
)
def test_a_call_that_is_sent_as_anything_else_is_415(addresses, kind):
    """The types that a page may send without asking: three, and no type."""
    code, reason = post(addresses["xmlrpc"], "xmlrpc", Content_Type=kind)
    assert code == 415
    assert "text/xml" in reason


@TOPICS
def test_clients_of_the_wire_call_the_server_by_the_wire_s_address(topic):
    with Lab(topic_named(topic)) as lab:
        lab.start()
        assert post(tuple(lab.address), topic)[0] == 200
        assert post(tuple(lab.address), topic, Host=f"localhost:{lab.address.port}")[0] == 200
        assert post(tuple(lab.address), topic, Host="evil.example")[0] == 421


@TOPICS
def test_a_wire_beyond_loopback_makes_its_address_the_server_s(topic):
    with Lab(topic_named(topic), host="127.0.0.2", options={"allow_host": ("lab.example",)}) as lab:
        lab.start()
        assert post(tuple(lab.address), topic)[0] == 200
        assert post(tuple(lab.address), topic, Host="lab.example")[0] == 200
        assert post(tuple(lab.address), topic, Host="127.0.0.3")[0] == 421


@TOPICS
def test_serve_takes_several_names(topic):
    names = ["--allow-host", "one.example,two.example", "--allow-host", "192.0.2.7"]
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with netlab("serve", topic, "--port", "0", *names, text=True, **pipes) as server:
        try:
            address = ("127.0.0.1", int(server.stdout.readline().rpartition(":")[2]))
            for host in ("one.example", "two.example:1", "192.0.2.7", "localhost"):
                assert post(address, topic, Host=host)[0] == 200
            assert post(address, topic, Host="three.example")[0] == 421
        finally:
            server.terminate()


@pytest.mark.parametrize("text", ["lab.example:8080", "http://lab", "a b", "lab/", "*"])
def test_a_text_that_is_not_a_name_is_a_usage_error(text):
    with pytest.raises(ValueError, match="neither a name nor an address"):
        parse_names(text)
    assert ALLOW_HOST.flag == "--allow-host"


@TOPICS
def test_under_single_two_connections_that_stay_silent_hold_nobody_up_for_long(topic, monkeypatch):
    """A browser connects before it has a request."""
    monkeypatch.setattr(SERVERS[topic].Server, "first_byte", 0.2)
    with serving(topic, "single", timeout=600) as address:
        assert asyncio.run(behind_two_silent_ones(address, topic)) == [200, 408, 408]


async def behind_two_silent_ones(address, topic):
    silent = [await asyncio.open_connection(*address) for _ in range(2)]
    async with asyncio.timeout(DEADLINE):
        served, _ = await asyncio.to_thread(post, address, topic)
        answers = [await reader.read() for reader, _ in silent]
    for _, writer in silent:
        writer.close()
    return [served, *map(status, answers)]


@TOPICS
def test_the_first_byte_has_five_seconds_under_single_and_the_timeout_under_threading(topic):
    models = SERVERS[topic].MODELS
    assert models["single"].first_byte == 5.0
    assert models["threading"].first_byte > 3600


@TOPICS
@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_an_empty_line_before_a_request_is_ignored(addresses, topic, line):
    body, kind = KINDS[topic]
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    request = line + head % (PATHS[topic], kind.encode(), len(body)) + body
    assert status(exchange(addresses[topic], request)) == 200


@TOPICS
@pytest.mark.parametrize("sent", [0, 9, -3], ids=["nothing", "half a head", "half a body"])
def test_while_a_person_holds_what_clients_send_nobody_is_refused_for_it(topic, sent, monkeypatch):
    """The lab informs the server, which may have accepted the client before."""
    begun = threading.Event()

    def reading(reader, buffer):
        begun.set()
        return readinto(reader, buffer)

    readinto = RequestReader.readinto
    monkeypatch.setattr(RequestReader, "readinto", reading)
    body, kind = KINDS[topic]
    head = b"POST %s HTTP/1.0\r\nContent-Type: %s\r\n" % (PATHS[topic], kind.encode())
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    server = SERVERS[topic].Server(("127.0.0.1", 0), timeout=DEADLINE)
    with served(server) as address, socket.create_connection(address, DEADLINE) as held:
        held.sendall(request[:sent])
        assert begun.wait(DEADLINE), "the client is being served"
        server.patience.hold()
        server.first_byte = server.patience.seconds = 0.2
        since = time.monotonic()
        wait_until(lambda: time.monotonic() > since + 0.6, "three times what a client may stall")
        held.sendall(request[sent:])
        assert status(read_all(held)) == 200


@TOPICS
def test_once_released_a_silent_client_is_refused_after_all(topic):
    server = SERVERS[topic].Server(("127.0.0.1", 0), timeout=0.2)
    server.patience.hold()
    with served(server) as address, socket.create_connection(address, DEADLINE) as silent:
        since = time.monotonic()
        wait_until(lambda: time.monotonic() > since + 0.6, "three times what a client may stall")
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(1)
        silent.settimeout(DEADLINE)
        server.patience.release()
        assert status(read_all(silent)) == 408


@TOPICS
def test_why_a_client_got_no_answer_is_in_the_log_as_an_event(topic, caplog):
    server = SERVERS[topic].Server(("127.0.0.1", 0), timeout=0.2)
    sent = {
        b"": ("dropped", "no request began within 0.2 s"),
        b"GET /": ("dropped", "the whole request did not arrive within 0.2 s"),
        b"GET / HTTP/1.1\r\n\r\n": ("refused", 'HTTP/1.1 requires exactly one Host header (400 to "GET /")'),
        b"GET /\r\n": ("refused", "this is not an HTTP/1 request line (400)"),
    }
    with served(server) as address:
        for begun, (what, why) in sent.items():
            with socket.create_connection(address, DEADLINE) as peer:
                peer.sendall(begun)
                assert 400 <= status(read_all(peer)) < 500
                said = "{}:{}: {}: {}".format(*peer.getsockname(), what, why)
            wait_until(lambda said=said: said in caplog.messages, said)


@TOPICS
def test_an_answer_that_says_no_is_an_answer(topic, caplog):
    caplog.set_level(logging.INFO)
    with serving(topic) as address, socket.create_connection(address, DEADLINE) as peer:
        name = "{}:{}".format(*peer.getsockname())
        peer.sendall(b"GET /elsewhere HTTP/1.0\r\n\r\n")
        assert status(read_all(peer)) == 404
        peer.close()
        wait_until(lambda: f"closed {name}" in caplog.messages, "its end in the log")
    about = [line for line in caplog.messages if name in line]
    assert not any("refused" in line or "dropped" in line for line in about)
