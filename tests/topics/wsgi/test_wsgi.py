"""Paths to functions, forms to parameters, and a client that shows what came back."""

import shutil
import socket
import subprocess
import threading
import time
from io import BytesIO
from wsgiref.handlers import BaseHandler
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.topics.client_call import Call
from netlab.topics.wsgi import TOPIC
from netlab.topics.wsgi.app import dispatcher
from netlab.topics.wsgi.client import Client, Response
from netlab.topics.wsgi.dispatcher import PathDispatcher
from netlab.topics.wsgi.server import Server
from tests.support.http_servers import DEADLINE, exchange, run_ejected, serving


@pytest.fixture(scope="module")
def address():
    with serving("wsgi", timeout=DEADLINE) as address:
        yield address


@pytest.fixture
def web(address):
    return Client(address, timeout=DEADLINE)


def call(app, method="GET", path="/hello", query="", body=b"", kind="", check=validator, **more):
    """Call an application as a careful server would; return status, headers, body."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": BytesIO(body)}
    environ |= {"SCRIPT_NAME": "", "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind, **more}
    setup_testing_defaults(environ)
    got = []
    result = check(app)(environ, lambda status, headers, exc_info=None: got.extend((status, dict(headers))))
    answer = b"".join(result)
    getattr(result, "close", str)()
    return got[0], got[1], answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/hello", "/localtime", "/nowhere"])
def test_the_application_is_valid_wsgi(method, path):
    status, headers, body = call(dispatcher, method, path, "name=Guido")
    assert status[:3] in ("200", "404", "405")
    assert headers["Content-Type"]
    assert (body == b"") == (method == "HEAD")


def test_hello_greets_by_name(web):
    answer = web.get("/hello", name="Guido")
    assert answer.status == 200
    assert dict(answer.headers)["Content-Type"] == "text/html; charset=utf-8"
    assert dict(answer.headers)["Content-Length"] == str(len(answer.body))
    assert b"<h1>Hello Guido!</h1>" in answer.body


@pytest.mark.parametrize("params", [{}, {"name": ""}, {"name": "  "}, {"other": "x"}])
def test_without_a_name_the_world_is_greeted(web, params):
    assert "<h1>Hello World!</h1>" in web.get("/hello", **params).text


@pytest.mark.parametrize("send", ["get", "post"])
def test_a_name_is_text_and_not_html(web, send):
    text = getattr(web, send)("/hello", name="<script>alert('é & \"')</script>").text
    assert "<h1>Hello &lt;script&gt;alert(&#x27;é &amp; &quot;&#x27;)&lt;/script&gt;!</h1>" in text
    assert "<script>" not in text


def test_the_first_of_a_repeated_name_counts_and_the_form_before_the_query(web):
    assert "Hello a!" in web.get("/hello", name=["a", "b"]).text
    assert "Hello form!" in web.post("/hello?name=query", name="form").text


def test_a_path_may_be_written_as_a_url_and_with_utf8_bytes(address):
    answer = exchange(address, "GET http://localhost:1/hello?name=é HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert "Hello é!" in answer.decode()


def test_localtime_is_well_formed_xml(web):
    before, answer, after = time.localtime(), web.get("/localtime"), time.localtime()
    root = ElementTree.fromstring(answer.body)
    assert answer.body.startswith(b"<?xml")
    assert [child.tag for child in root] == ["year", "month", "day", "hour", "minute", "second"]
    assert tuple(before)[:6] <= tuple(int(child.text) for child in root) <= tuple(after)[:6]


def test_an_unknown_path_is_404_in_plain_text(web):
    answer = web.get("/nowhere")
    assert (answer.status, answer.body) == (404, b"Not Found")
    assert dict(answer.headers)["Content-Type"].startswith("text/plain")


def test_a_known_path_says_which_methods_it_has(web):
    answer = web.request("DELETE", "/hello")
    assert (answer.status, dict(answer.headers)["Allow"]) == (405, "GET, HEAD, POST")


def test_head_is_get_without_the_body(web):
    head, get = web.request("HEAD", "/hello"), web.get("/hello")
    assert head.body == b""
    assert dict(head.headers)["Content-Length"] == dict(get.headers)["Content-Length"]


@pytest.mark.parametrize("line", ["GET /hello?name=%zz", "GET /hello?name=%ff", "GET /hello?name=%00", "GET /hello?%"])
def test_a_badly_quoted_query_is_400(address, line):
    assert exchange(address, f"{line} HTTP/1.0\r\n\r\n".encode()).startswith(b"HTTP/1.1 400")


def multipart(*parts, boundary=b"b", end=b"--\r\n"):
    head = b'\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return b"".join(b"--" + boundary + head % part for part in parts) + b"--" + boundary + end


def post(body, kind="multipart/form-data; boundary=b", **more):
    status, _, answer = call(dispatcher, "POST", body=body, kind=kind, **more)
    return status[:3], answer


def test_a_multipart_form_does_what_a_query_does():
    assert b"Hello Guido!" in post(multipart((b"x", b"1"), (b"name", b"Guido")))[1]
    assert "Hello é\r\n&lt;!".encode() in post(multipart((b"name", "é\r\n<".encode())))[1]
    odd = multipart((b"name", b"q"), boundary=b"'()+_,-./:=?")
    assert b"Hello q!" in post(odd, 'multipart/form-data;boundary="\'()+_,-./:=?"')[1]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (multipart((b"name", b"x")), "multipart/form-data"),
        (multipart((b"name", b"x")), "multipart/form-data; boundary="),
        (multipart((b"name", b"x")), "multipart/form-data; boundary=other"),
        (multipart((b"name", b"x"), end=b""), "multipart/form-data; boundary=b"),
        (multipart((b"name", b"\xff")), "multipart/form-data; boundary=b"),
        (multipart((b"name", b"\0")), "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b"),
        (multipart(*[(b"name", b"x")] * 101), "multipart/form-data; boundary=b"),
        (multipart((b"name", b"x")), "multipart/form-data; boundary*" + "9" * 5000 + "=b"),
        (b"&".join([b"a=1"] * 101), "application/x-www-form-urlencoded"),
        (b"name=\xff", "application/x-www-form-urlencoded"),
    ],
    ids=range(11),
)
def test_a_bad_form_is_400(body, kind):
    assert post(body, kind)[0] == "400"


def test_a_body_that_is_not_a_form_is_415():
    assert post(b'{"name": ', "application/json")[0] == "415"
    assert post(b"", "application/json")[0] == "200"


@pytest.mark.parametrize(("length", "status"), [("abc", "400"), ("-1", "400"), ("1" * 19, "400"), ("9999999", "413")])
def test_the_application_itself_bounds_the_body(length, status):
    assert post(b"name=x", "", CONTENT_LENGTH=length, check=lambda app: app)[0] == status


@given(body=st.binary(max_size=200), kind=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_form_is_answered(body, kind):
    assert post(body, "multipart/form-data;" + kind)[0] in ("200", "400", "415")


def test_a_large_nasty_multipart_is_answered_quickly():
    started = time.monotonic()
    nested = b"".join(
        b"--b\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (i, i) for i in range(9000)
    )
    assert post(nested)[0] == "400"
    assert post(b"--b\r\nContent-Disposition: " + b";" * 1_000_000 + b"\r\n\r\n\r\n--b--")[0] == "400"
    assert time.monotonic() - started < DEADLINE


def test_a_framework_takes_functions_and_generators():
    app = PathDispatcher()

    def count(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield from (b"1", b"2", *(value.encode() for value in environ["params"].get("x", [])))

    assert app.register("get", "/count", count) is count
    assert call(app, "GET", "/count", "x=3")[2] == b"123"
    assert call(app, "HEAD", "/count")[2] == b""
    assert call(app, "POST", "/count")[1]["Allow"] == "GET, HEAD"


def test_a_fault_of_the_application_is_a_500_and_one_log_line(caplog, capsys):
    def broken(environ, start_response):
        raise RuntimeError("oops")

    with serving("wsgi", app=broken) as address:
        assert Client(address, timeout=DEADLINE).get("/").status == 500
    assert "RuntimeError('oops')" in caplog.text
    assert "Traceback" not in caplog.text + capsys.readouterr().err


def test_the_environment_of_the_process_stays_with_the_process(monkeypatch):
    monkeypatch.setattr(BaseHandler, "os_environ", {"NETLAB_AUTHKEY": "secret"})  # wsgiref's copy, made at import

    def show(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [repr(environ).encode()]

    with serving("wsgi", app=show) as address:
        assert "NETLAB_AUTHKEY" not in Client(address, timeout=DEADLINE).get("/").text


def test_expect_100_continue_is_answered_before_the_body(address):
    with socket.create_connection(address, DEADLINE) as connection:
        head = b"POST /hello HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
        connection.sendall(head)
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"name=x")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


# The client.


def test_a_response_reads_as_it_came(web):
    lines = repr(web.get("/nowhere")).splitlines()
    assert lines[0] == "404 Not Found"
    assert "Content-Type: text/plain; charset=utf-8" in lines
    assert lines[-2:] == ["", "Not Found"]


def test_a_response_cannot_steer_a_terminal_and_is_shortened():
    text = repr(Response(200, "OK\x1b[2J", (("X", "\x9b"),), b"\x1b[31m\r\n" + b"a" * 9000))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\\x1b[31m" in text
    assert len(text) < 4000
    assert text.endswith("more characters")


@pytest.mark.parametrize("charset", ["nonsense", "hex", '"latin-1"', "idna", ""])
def test_any_charset_is_shown(charset):
    assert Response(200, "OK", (("content-type", f"text/plain; charset={charset}"),), b"ab\xff").text.startswith("ab")


def answering(*pieces, pause=0.0):
    """A server that sends these bytes to one client, whatever it asks."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as connection:
            connection.recv(4096)
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()


def test_a_response_that_ends_early_or_never_is_an_error():
    with pytest.raises(Exception, match="4 more expected"):
        Client(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHello!")).get("/")
    with pytest.raises(ValueError, match="larger"):
        Client(answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (9 << 20))).get("/")
    with pytest.raises(TimeoutError):
        Client(answering(b"HTTP/1.1 200 OK\r\n", *[b"a"] * 200, pause=0.05), timeout=0.3).get("/")


def test_the_client_holds_a_socket_only_during_a_request(address):
    made = []

    class Watched(socket.socket):
        def connect(self, where):
            made.append(client.socket)
            super().connect(where)

    client = Client(address, timeout=DEADLINE, make_socket=Watched)
    assert client.socket is None
    client.get("/hello")
    assert isinstance(made[0], Watched)
    assert made[0].fileno() == -1
    assert client.socket is None
    client.close()
    client.close()


def test_two_lengths_can_be_asked_for_from_the_console(web):
    assert web.request("POST", "/hello", b"name=x", Content_Length=6, content_length=5).status == 400


def test_bare_text_is_a_name_or_a_path():
    assert TOPIC.bare("Guido's", "single") == [Call("get", ("/hello",), (("name", "Guido's"),))]
    assert TOPIC.bare("/localtime", "single") == [Call("get", ("/localtime",))]


# Other programs, and the ejected recipe.


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "words",
    [
        ["--data-urlencode", "name=Gü&ido"],
        ["-F", "name=Gü&ido"],
        ["-G", "--data-urlencode", "name=Gü&ido"],
        ["-F", "name=Gü&ido", "-H", "Expect: 100-continue", "--http1.0"],
        ["-F", "name=Gü&ido", "-H", "Expect: 100-continue"],
    ],
)
def test_curl_is_greeted(address, words):
    url = "http://{}:{}/hello".format(*address)
    shown = subprocess.run(
        ["curl", "-s", "--noproxy", "*", *words, url], capture_output=True, timeout=DEADLINE, check=True
    )
    assert "<h1>Hello Gü&amp;ido!</h1>" in shown.stdout.decode()


def test_the_recipe_runs_alone(tmp_path):
    shown = run_ejected("wsgi", tmp_path)
    assert "<h1>Hello Guido!</h1>" in shown
    assert shown.startswith("200 OK\n")


def test_the_port_is_free_again_at_once(address):
    first = Server(("127.0.0.1", 0))
    where = first.server_address
    with socket.create_connection(where):
        first.server_close()
        Server(where).server_close()
