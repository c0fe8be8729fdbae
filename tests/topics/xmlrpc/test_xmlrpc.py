"""A store that is called from afar: what XML-RPC carries, what it refuses, and what nobody may reach."""

import gc
import gzip
import logging
import socket
import threading
import time
import tracemalloc
import weakref
from contextlib import suppress
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from xmlrpc.client import Fault, ProtocolError, ResponseError, ServerProxy, dumps
from xmlrpc.server import SimpleXMLRPCServer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.hardening.http import RefusedRequest
from netlab.hardening.xmlrpc import read_call, read_result, unpack
from netlab.topics.xmlrpc import TOPIC
from netlab.topics.xmlrpc.client import Client, signature_of
from netlab.topics.xmlrpc.server import Server
from netlab.topics.xmlrpc.store import MAX_KEYS, KeyValueStore
from tests.support.http_servers import DEADLINE, run_ejected, serving
from tests.support.waiting import wait_until

METHODS = ["delete", "exists", "get", "keys", "set", "sleep"]
SYSTEM = ["system.listMethods", "system.methodHelp", "system.methodSignature"]


@pytest.fixture
def address():
    with serving("xmlrpc", timeout=DEADLINE) as address:
        yield address


@pytest.fixture
def call(address):
    return Client(address, timeout=DEADLINE).call


def post(address, body, path="/RPC2", method="POST", **headers):
    connection = HTTPConnection(*address, timeout=DEADLINE)
    headers = {"Content_Type": "text/xml", **headers}
    connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def fault(call, *words):
    with pytest.raises(Fault) as caught:
        call(*words)
    return caught.value.faultCode, caught.value.faultString


def test_values_are_kept_by_name(call):
    assert call("set", "spam", [1, 2, 3]) is None
    assert call("set", "foo", "bar") is None
    assert call("keys") == ["spam", "foo"]
    assert call("get", "spam") == [1, 2, 3]
    assert call("delete", "spam") is None
    assert call("exists", "spam") is False
    assert call("exists", "foo") is True


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ((1, 2), [1, 2]),
        (None, None),
        (b"\0\xff", b"\0\xff"),
        ({"a": {"b": [True, -(2**31), 1.5]}}, {"a": {"b": [True, -(2**31), 1.5]}}),
        (datetime(2024, 2, 29, 1, 2, 3), datetime(2024, 2, 29, 1, 2, 3)),
        ("é<&>\n€", "é<&>\n€"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_what_xmlrpc_carries(call, sent, kept):
    call("set", "x", sent)
    assert call("get", "x") == kept


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, {1}, 1j, {1: "a"}])
def test_what_the_client_cannot_send_is_its_own_error(call, value):
    with pytest.raises((OverflowError, TypeError)):
        call("set", "x", value)
    assert call("keys") == []


def test_faults_say_what_is_wrong(call):
    assert fault(call, "get", "nope") == (404, "nothing is stored under 'nope'")
    assert fault(call, "delete", "nope")[0] == 404
    assert fault(call, "get") == (-32602, "get takes (string), not ()")
    assert fault(call, "get", 1, 2) == (-32602, "get takes (string), not (int, int)")
    assert fault(call, "set", ["unhashable"], 1)[0] == -32602
    assert fault(call, "sleep", 11)[0] == -32602
    assert fault(call, "sleep", float("nan"))[0] == -32602
    assert fault(call, "sleep", True)[0] == -32602
    code, text = fault(call, "nothing")
    assert code == -32601
    assert "there are delete, exists" in text


def test_an_integer_too_large_for_the_way_back_is_refused_on_the_way_in(address, call):
    xml = dumps(("x", 0), "set").replace("<int>0</int>", "<i8>4294967296</i8>")
    with pytest.raises(Fault, match="limits"):
        read_result(_raw(address, xml.encode()))
    assert call("exists", "x") is False


def _raw(address, body):
    connection = HTTPConnection(*address, timeout=DEADLINE)
    connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
    return connection.getresponse().read()


@pytest.mark.parametrize(
    "name",
    [
        "__class__",
        "get.__globals__",
        "_dispatch",
        "funcs",
        "shutdown",
        "system.multicall",
        "register_function",
        "keys.x",
    ],
)
def test_nothing_else_is_reachable(call, name):
    assert fault(call, name, *(["x"] if name != "keys.x" else []))[0] == -32601


def test_introspection_tells_the_truth(call):
    assert call("system.listMethods") == METHODS + SYSTEM
    arguments = {"string": "x", "any": 1, "int": 0, "double": 0.0}
    call("set", "x", 1)
    for name in METHODS + SYSTEM:
        assert call("system.methodHelp", name).endswith((".", "wait", "s"))
        for result, *wanted in call("system.methodSignature", name):
            given = ["get"] if name.startswith("system") and wanted else [arguments[kind] for kind in wanted]
            if name == "get":
                call("set", "x", 1)
            got = call(name, *given)
            types = {"array": list, "string": str, "boolean": bool, "double": float, "nil": type(None), "any": object}
            assert isinstance(got, types[result]), name
    assert fault(call, "system.methodHelp", "nothing")[0] == -32601


def test_without_none_a_method_that_returns_nothing_is_a_fault():
    with serving("xmlrpc", allow_none=False) as address:
        call = Client(address, timeout=DEADLINE).call
        code, text = fault(call, "set", "x", 1)
        assert code == -32603
        assert "allow_none" in text
        assert call("get", "x") == 1
        with pytest.raises(TypeError, match="allow_none"):
            Client(address, timeout=DEADLINE, allow_none=False).call("set", "x", None)


def test_the_store_is_bounded(monkeypatch):
    store = KeyValueStore()
    for number in range(MAX_KEYS):
        store.set(str(number), "")
    store.set("0", "again")
    with pytest.raises(Fault, match="full"):
        store.set("one more", "")
    store = KeyValueStore()
    with pytest.raises(Fault, match="full"):
        for number in range(10):
            store.set(str(number), "x" * (1 << 20))


def test_a_fault_keeps_nothing_of_its_call():
    argument = threading.Event()  # something that can be weakly referred to
    kept = weakref.ref(argument)
    server = Server(("127.0.0.1", 0))
    gc.disable()
    try:
        assert "fault" in server.respond("get", (argument,))[1]
        del argument
        assert kept() is None
    finally:
        gc.enable()
        server.server_close()


def test_threads_share_the_store(address):
    def work(number):
        client = Client(address, timeout=DEADLINE)
        for turn in range(10):
            client.call("set", f"{number}-{turn}", number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Client(address, timeout=DEADLINE).call("keys")) == 50


def test_a_slow_call_blocks_all_others_under_single_only():
    for model, seconds, blocks in (("single", 0.6, True), ("threading", 2, False)):
        with serving("xmlrpc", model) as address:
            started = time.monotonic()
            slow = threading.Thread(target=Client(address, timeout=DEADLINE).call, args=("sleep", seconds))
            slow.start()
            wait_until(lambda address=address: _established(address) >= 1, "the slow call's connection")
            Client(address, timeout=DEADLINE).call("keys")
            assert (time.monotonic() - started >= seconds) is blocks
            slow.join()


def _established(address):
    """How many connections the port has, as the kernel sees it."""
    port = f":{address[1]:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)


# Requests that are not a call.


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
CALL = dumps((), "keys").encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"<x/>",
        b"\xff\xfe",
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
        BOMB + b"<methodCall><methodName>&b;</methodName></methodCall>",
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + CALL.partition(b"?>\n")[2],
        ('<?xml version="1.0" encoding="utf-16"?>' + BOMB.decode() + "<methodCall/>").encode("utf-16"),
        dumps((1,), methodresponse=True).encode(),
        dumps(Fault(1, "no")).encode(),
        CALL[:-5],
        b"<methodCall>" + b"<array>" * 1000,
        CALL.replace(b"<params>", b"<params><array>"),
        b"<methodCall><methodName>keys</methodName><params><struct><value>1</value></struct></params></methodCall>",
    ],
    ids=range(14),
)
def test_a_request_that_is_not_a_call_is_400(address, body):
    assert post(address, body).status == 400


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("<int>x</int>", "argument 2: 'x' is not a valid int"),
        ("<i4>1.5</i4>", "argument 2: '1.5' is not a valid i4"),
        (f"<int>{'9' * 5000}</int>", f"argument 2: '{'9' * 60}' is not a valid int"),
        ("<boolean>true</boolean>", "argument 2: 'true' is not a valid boolean"),
        ("<double>1,5</double>", "argument 2: '1,5' is not a valid double"),
        ("<bigdecimal>x</bigdecimal>", "argument 2: 'x' is not a valid bigdecimal"),
        ("<base64>a</base64>", "argument 2: 'a' is not a valid base64"),
        ("<dateTime.iso8601>today</dateTime.iso8601>", "argument 2: 'today' is not a valid dateTime.iso8601"),
        ("<array><data><value><int>\x85</int></value></data></array>", r"argument 2: '\x85' is not a valid int"),
        ("<struct><member><name>a</name><value><int/></value></member></struct>", "argument 2: '' is not a valid int"),
        ("<number>1</number>", "argument 2: XML-RPC has no type 'number'"),
    ],
    ids=range(11),
)
def test_a_bad_value_in_a_call_is_named_in_the_fault(address, call, caplog, value, why):
    caplog.set_level(logging.INFO)
    xml = dumps(("name", "VALUE"), "set").replace("<string>VALUE</string>", value)
    assert xml.count(value) == 1
    with pytest.raises(Fault) as caught:
        read_result(_raw(address, xml.encode()))
    assert (caught.value.faultCode, caught.value.faultString) == (-32602, why)
    assert call("exists", "name") is False
    assert any("is not a valid" in line or "has no type" in line for line in caplog.messages)
    assert all(line.isprintable() for line in caplog.messages)


def test_what_is_not_a_signature_is_left_out():
    assert signature_of("signatures not supported") == ""
    assert signature_of([[], 5, ["int"]]) == "() -> int"
    assert signature_of([["int", "int", 7], ["nil"]]) == "(int, 7) -> int or () -> nil"


def test_a_dtd_is_refused_before_it_is_expanded():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><methodCall><methodName>&e19;</methodName></methodCall>'
    started = time.monotonic()
    with pytest.raises(RefusedRequest, match="XML with a DTD is refused"):
        read_call(bomb.encode())
    with pytest.raises(ResponseError, match="XML with a DTD is refused"):  # expat's own limit names a DTD as well
        read_result(bomb.encode())
    assert time.monotonic() - started < 1


def test_the_smallest_dtd_is_refused_in_an_answer():
    answer = dumps((["x"],), methodresponse=True)
    assert read_result(answer.encode()) == ["x"]
    with pytest.raises(ResponseError, match="XML with a DTD is refused"):
        read_result(answer.replace("<methodResponse>", "<!DOCTYPE methodResponse>\n<methodResponse>").encode())


def test_deep_xml_is_refused_on_both_sides():
    xml = dumps(("x",), "set").replace("<value>", "<value><array><data><value>" * 200)
    deep = xml.replace("</value>", "</value></data></array></value>" * 200).encode()
    with pytest.raises(RefusedRequest, match="200 tags deep"):
        read_call(deep)
    with pytest.raises(ResponseError, match="500 tags deep"):
        read_result(deep)


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(30 << 20))
    tracemalloc.start()
    with pytest.raises(RefusedRequest, match="unpacks to more"):
        unpack({"Content-Type": "text/xml", "Content-Encoding": "gzip"}, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_gzip_is_taken_and_bounded(address):
    assert post(address, gzip.compress(CALL), Content_Encoding="gzip").status == 200
    assert post(address, gzip.compress(bytes(30 << 20)), Content_Encoding="gzip").status == 413
    assert post(address, gzip.compress(CALL)[:-9], Content_Encoding="gzip").status == 400
    assert post(address, b"no gzip", Content_Encoding="gzip").status == 400
    assert post(address, CALL, Content_Encoding="br").status == 415


def test_calls_are_posted_to_one_of_two_paths(address):
    assert post(address, CALL, "/").status == 200
    assert post(address, CALL, "/elsewhere").status == 404
    answer = post(address, None, "/RPC2", "GET")
    assert (answer.status, answer.getheader("Allow")) == (405, "POST")


def test_a_body_that_is_slow_to_read_is_bounded():
    text = b"\n" * 400_000
    closings = b"<array></array>" * 30_000
    started = time.monotonic()
    for xml in (
        b"<methodCall><methodName>x</methodName><params><param><value><string>"
        + text
        + b"</string></value>"
        + closings,
        b"<a>" * 300_000,
        b"<value>" * 150 + text + b"</value>" * 150,
    ):
        with pytest.raises(RefusedRequest):
            read_call(xml)
    assert time.monotonic() - started < DEADLINE


TAGS = [
    "methodCall",
    "methodName",
    "methodResponse",
    "params",
    "param",
    "value",
    "int",
    "i8",
    "boolean",
    "double",
    "string",
]
TAGS += [
    "array",
    "data",
    "struct",
    "member",
    "name",
    "base64",
    "dateTime.iso8601",
    "nil",
    "bigdecimal",
    "fault",
    "x:array",
]
TREES = st.recursive(
    st.sampled_from(["", "keys", "1", "-5", "x", "é", "20240101T00:00:00", "&#13;", "faultCode", "9" * 5000]),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=20,
)


@given(TREES)
@settings(max_examples=300)
def test_any_xml_is_a_call_or_refused(tree):
    for xml in (tree, f"<methodCall><methodName>get</methodName>{tree}</methodCall>"):
        try:
            name, params = read_call(xml.encode())
        except RefusedRequest as refused:
            assert refused.status == 400
        except Fault as bad:
            assert bad.faultCode == -32602
        else:
            assert isinstance(name, str)
            assert isinstance(params, tuple)
        with suppress(ResponseError, Fault):
            read_result(xml.encode())


@given(TREES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_xml_is_answered(address, tree):
    xml = f"<methodCall><methodName>set</methodName><params><param><value>a</value></param>{tree}</params></methodCall>"
    assert post(address, xml.encode()).status in (200, 400)


# The client, and other programs.


def test_operations_come_from_the_server(address):
    client = Client(address, timeout=DEADLINE)
    assert client.remote_operations() == METHODS + SYSTEM
    assert client.remote_help("set") == ("(string, any) -> nil", "Store a value under a name.")
    assert client.remote_help("sleep")[0] == "(double) -> double or (int) -> double"
    assert client.remote_help("nothing") == ("", "")
    assert all(all(client.remote_help(name)) for name in METHODS + SYSTEM)


def other_server(**methods):
    server = SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
    for name, function in methods.items():
        server.register_function(function, name)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def test_the_client_calls_any_other_server():
    def add(a, b):
        """Add two numbers.

        More of it.
        """
        return a + b

    server = other_server(add=add)
    client = Client(server.server_address, timeout=DEADLINE)
    assert client.call("add", 2, 3) == 5
    assert client.remote_operations() == []  # it has no introspection
    assert client.remote_help("add") == ("", "")
    server.register_introspection_functions()
    assert client.remote_operations()[0] == "add"
    assert client.remote_help("add") == ("", "Add two numbers.")  # SimpleXMLRPCServer has no signatures
    with pytest.raises(Fault, match="not supported"):
        client.call("subtract", 1)
    with pytest.raises(ProtocolError, match="404"):
        Client(server.server_address, timeout=DEADLINE, path="/elsewhere").call("add", 1, 2)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["", "a b", "</methodName>", "é", "a\n"])
def test_a_method_name_cannot_carry_xml(call, name):
    with pytest.raises(ValueError, match="not a method name"):
        call(name)


def test_a_call_is_sent_once():
    """The standard library's transport sends a call again after a reset; a call may not be one to repeat."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)
        accepted = []

        def serve():
            while b"the last" not in accepted:
                connection = listener.accept()[0]
                accepted.append(connection.recv(65536))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(OSError):
            Client(listener.getsockname(), timeout=DEADLINE).call("keys")
        with socket.create_connection(listener.getsockname(), DEADLINE) as last:  # a second try would come before it
            last.sendall(b"the last")
            thread.join(DEADLINE)
    assert len(accepted) == 2 and accepted[0].startswith(b"POST ")


def test_the_standard_library_s_own_client_works(address):
    with ServerProxy("http://{}:{}".format(*address), allow_none=True) as proxy:
        proxy.set("foo", "bar")
        assert proxy.get("foo") == "bar"
        assert proxy.system.listMethods() == METHODS + SYSTEM
        with pytest.raises(Fault):
            proxy.get("nope")
        with pytest.raises(ProtocolError, match="larger than 1048576 bytes"):
            proxy.set("big", "x" * (2 << 20))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("keys", "keys()"),
        ("get spam", "get('spam')"),
        ("set n 5", "set('n', 5)"),
        ("set l [1,2]", "set('l', [1, 2])"),
        ("system.listMethods", "system.listMethods()"),
        ("what is this?", "what('is', 'this?')"),
        ("?", "system.listMethods()"),
        ("", "system.listMethods()"),
        ("if x", "system.listMethods()"),
    ],
)
def test_bare_text_is_a_call(text, line):
    (call,) = TOPIC.bare(text, "single")
    assert f"{call.name}({', '.join(map(repr, call.arguments))})" == line


def test_allow_none_is_yes_or_no():
    option = TOPIC.options[0]
    assert [option.parse("yes"), option.parse("no")] == [True, False]
    with pytest.raises(ValueError, match="neither yes nor no"):
        option.parse("maybe")


def test_the_recipe_runs_alone(tmp_path):
    assert run_ejected("xmlrpc", tmp_path) == "['spam']\n[1, 2, 3]\n"
