"""The multiprocessing topic on real sockets: messages, authkey, and pickles that must not run."""

from __future__ import annotations

import contextlib
import copyreg
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client as StockClient
from multiprocessing.connection import Listener
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.hardening.clients import ClientSocket
from netlab.hardening.patience import Deadline, Patience
from netlab.hardening.plain_pickle import check, load
from netlab.topics.client_call import Call
from netlab.topics.ejecting import eject
from netlab.topics.multiprocessing import TOPIC, server
from netlab.topics.multiprocessing.client import Client
from netlab.topics.multiprocessing.framing import ServerEnd
from netlab.topics.multiprocessing.server import MODELS, Server, ThreadingServer
from tests.support.authenticated import (
    SlicedSocket,
    connected,
    ended,
    log,
    outlast,
    read_frame,
    served,
    wait_for_line,
    was_closed,
)
from tests.support.folders import TOPIC_SAMPLES
from tests.support.waiting import PATIENCE

__all__ = ["log"]
KEY = b"peekaboo"
EXAMPLES = [
    "the first message",
    None,
    True,
    42,
    -(2**70),
    2.5,
    1 + 2j,
    ...,
    "grün\ud800",
    b"bytes",
    bytearray(b"bytearray"),
    (),
    (1, 2),
    [[], [1, "a"]],
    {"a": (1, 2), 3: None},
    {1, 2},
    frozenset({(1, 2), "x"}),
    list(range(3000)),
    [(1, 2)] * 5,
]
plain = (
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner)
            | st.lists(inner).map(tuple)
            | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
        ),
    )
    | st.sets(st.integers() | st.text())
    | st.frozensets(st.tuples(st.integers(), st.text()))
    | st.binary().map(bytearray)
)


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with served(ThreadingServer(("127.0.0.1", 0), timeout=PATIENCE)) as address:
        yield address


@pytest.mark.parametrize("model", MODELS)
def test_every_message_comes_back_whole_the_first_one_too(model: str) -> None:
    with served(MODELS[model](("127.0.0.1", 0), timeout=PATIENCE)) as address:
        c = Client(address)
        for value in EXAMPLES:
            c.send(value)
            answer = c.recv()
            assert answer == value
            assert type(answer) is type(value)
        c.close()


def test_a_message_waits_for_no_acknowledgement(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    sockets: list[socket.socket] = []
    handle = server.EchoHandler.handle

    def values_now(handler: server.EchoHandler) -> None:
        sockets.append(handler.request)
        handle(handler)

    monkeypatch.setattr(server.EchoHandler, "handle", values_now)
    one = Client(address)
    try:
        one.send("Hello")
        assert one.recv() == "Hello"
        both = [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in (one.socket, *sockets)]
        assert len(both) == 2
        assert all(both)
    finally:
        one.close()


def test_the_standard_librarys_client_is_served_too(address: tuple[str, int]) -> None:
    with StockClient(address, authkey=KEY) as c:
        for value in EXAMPLES:
            c.send(value)
            assert c.recv() == value


def test_ipv6() -> None:
    with served(ThreadingServer(("::1", 0))) as address:
        c = Client(address)
        c.send(6)
        assert c.recv() == 6
        c.close()


@pytest.mark.parametrize("make_client", [Client, StockClient])
def test_a_wrong_key_is_an_authentication_error_and_never_logged(
    address: tuple[str, int], log: pytest.LogCaptureFixture, make_client: Callable[..., object]
) -> None:
    with pytest.raises(AuthenticationError, match="digest sent was rejected"):
        make_client(address, authkey=b"hocuspocus")
    wait_for_line(log, "refused: it has no authkey, or another one")
    assert "hocuspocus" not in log.text
    assert "peekaboo" not in log.text


def test_a_server_with_another_key_is_found_out_by_the_client() -> None:
    """It accepts whatever we answer, and then cannot answer our challenge."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pretend() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(frame(b"#CHALLENGE#" + b"x" * 20))
                read_frame(sock)
                sock.sendall(frame(b"#WELCOME#"))
                read_frame(sock)
                sock.sendall(frame(b"y" * 16))
                read_frame(sock)

        thread = threading.Thread(target=pretend, daemon=True)
        thread.start()
        with pytest.raises(AuthenticationError, match="another authkey"):
            Client(listener.getsockname())
        thread.join(PATIENCE)


def test_a_server_of_another_protocol_is_said_to_be_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pretend() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(frame(b"220 mail.example ESMTP"))
                was_closed(sock)

        thread = threading.Thread(target=pretend, daemon=True)
        thread.start()
        with pytest.raises(AuthenticationError):
            Client(listener.getsockname())
        thread.join(PATIENCE)


def test_a_client_without_key_is_dropped(address: tuple[str, int], log: pytest.LogCaptureFixture) -> None:
    with StockClient(address) as c:
        c.send("hello")
        with pytest.raises(pickle.UnpicklingError):  # what it reads is the challenge
            c.recv()
    wait_for_line(log, "it has no authkey, or another one")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        ThreadingServer(("127.0.0.1", 0), authkey=b"")
    with pytest.raises(ValueError, match="empty"):
        TOPIC.options[0].parse("")


def test_handshake_and_messages_in_slices_of_one_byte(address: tuple[str, int]) -> None:
    c = Client(address, make_socket=SlicedSocket)
    c.send(EXAMPLES[:8])
    assert c.recv() == EXAMPLES[:8]
    c.close()


def server_end(accepted: socket.socket, limit: int, seconds: float) -> ServerEnd:
    patience = Patience(seconds)
    return ServerEnd(ClientSocket.of(accepted, patience), limit, Deadline(patience))


def frame(message: bytes) -> bytes:
    return struct.pack("!i", len(message)) + message


class Runs:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def hostile(marker: Path) -> dict[str, bytes]:
    """Pickles that would make the marker file, were they loaded; by the name that they must be refused for."""
    touch = f"touch {marker}"
    python = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    nested = {"a": [1, (2, {"b": Runs(os.system, touch)})]}
    return {
        "posix.system": pickle.dumps(Runs(os.system, touch)),
        "builtins.eval": pickle.dumps(Runs(eval, python)),
        "builtins.exec": pickle.dumps(Runs(exec, python), protocol=5),
        "builtins.getattr": pickle.dumps(Runs(getattr, Runs(__import__, "os"), "system")),
        "builtins.__import__": pickle.dumps(Runs(__import__, "antigravity")),
        "subprocess.Popen": pickle.dumps(Runs(subprocess.Popen, ["touch", str(marker)])),
        "copyreg._reconstructor": pickle.dumps(Runs(copyreg._reconstructor, Path, object, None)),  # type: ignore[attr-defined]
        "pathlib": pickle.dumps(marker),
        "nested posix.system": pickle.dumps(nested),
        "os.system": f"cos\nsystem\n(S'{touch}'\ntR.".encode(),
        "os.popen": f"(S'{touch}'\nios\npopen\n.".encode(),
        "builtins.eval.__call__": b"\x80\x04\x8c\x08builtins\x8c\x0deval.__call__\x93\x8c\x011\x85R.",
        "builtins.complex.__init__": b"\x80\x04\x8c\x08builtins\x8c\x10complex.__init__\x93)R.",
        "memoised posix.system": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x04true\x85R.",
        "opcode EXT1": b"\x80\x02\x82\x01.",
        "opcode BINPERSID": b"\x80\x02K\x01Q.",
        "opcode BUILD": b"\x80\x04\x8c\x08builtins\x8c\x07complex\x93}b.",
        "opcode NEWOBJ": b"\x80\x04\x8c\x08builtins\x8c\x07complex\x93)\x81.",
    }


@pytest.mark.parametrize("name", hostile(Path("/tmp/unused")))
def test_a_pickle_that_would_run_code_is_refused_by_name_and_not_run(
    address: tuple[str, int], log: pytest.LogCaptureFixture, tmp_path: Path, name: str
) -> None:
    marker = tmp_path / "it-ran"
    with StockClient(address, authkey=KEY) as c:
        c.send_bytes(hostile(marker)[name])
        with pytest.raises((EOFError, ConnectionResetError)):  # what a plain client sees
            c.recv()
    wait_for_line(log, "refused: ")
    assert name.split()[-1] in log.text
    assert not marker.exists()


def test_the_marker_appears_where_such_a_pickle_is_loaded(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    marker = tmp_path / "it-ran"
    for name in ("posix.system", "builtins.eval", "os.system", "nested posix.system"):
        pickle.loads(hostile(marker)[name])
        assert marker.exists()
        marker.unlink()


def test_the_client_refuses_them_as_well_and_goes_on(tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    with Listener(("127.0.0.1", 0), authkey=KEY) as listener:

        def attack() -> None:
            with listener.accept() as connection:
                for message in hostile(marker).values():
                    connection.send_bytes(message)
                connection.send("done")

        thread = threading.Thread(target=attack, daemon=True)
        thread.start()
        c = Client(listener.address)
        for _ in hostile(marker):
            with pytest.raises(pickle.UnpicklingError):
                c.recv()
        assert c.recv() == "done"
        thread.join(PATIENCE)
        c.close()
    assert not marker.exists()


BOMBS = {
    "a deep tuple as a key": b"\x80\x04})" + b"\x85" * 200_000 + b"K\x01s.",
    "deep lists": b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "deep frozensets": b"\x80\x04" + b"(" * 100_000 + b"\x91" * 100_000 + b".",
    "a place far out in the memo": b"\x80\x04K\x01r\xff\xff\xff\x1f.",
    "a million sets": b"\x80\x04(" + b"\x8f" * 1_000_000 + b"t.",
    "an int that claims 2 GiB": b"\x80\x04\x8b\xff\xff\xff\x7f.",
    "bytes that claim 1 EiB": b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little") + b".",
    "a frame that claims 1 EiB": b"\x80\x04\x95" + (1 << 60).to_bytes(8, "little") + b"N.",
    "nothing": b"",
    "no STOP": b"\x80\x04K\x01",
    "an empty stack": b"\x80\x04.",
    "no mark": b"\x80\x04K\x01t.",
    "no memo": b"\x80\x04h\x07.",
    "a decimal of many digits": b"I" + b"9" * 1_000_000 + b"\n.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_its_own_connection_and_nothing_else(
    address: tuple[str, int], log: pytest.LogCaptureFixture, name: str
) -> None:
    with StockClient(address, authkey=KEY) as c, StockClient(address, authkey=KEY) as other:
        c.send_bytes(BOMBS[name])
        with pytest.raises((EOFError, ConnectionResetError)):
            c.recv()
        other.send(1)
        assert other.recv() == 1
    wait_for_line(log, "refused: ")


def test_a_message_that_refers_to_itself_again_and_again_comes_back_as_small_as_it_was(
    address: tuple[str, int],
) -> None:
    laughs: object = "ha"
    for _ in range(60):
        laughs = [laughs, laughs]
    with StockClient(address, authkey=KEY) as c:
        c.send(laughs)
        assert len(c.recv_bytes()) < 1000


def test_the_client_makes_no_bytearray_larger_than_its_message() -> None:
    name = b"\x8c\x08builtins\x8c\x09bytearray\x93\x94"
    with pytest.raises(pickle.UnpicklingError, match="bytearray"):
        load(b"\x80\x04" + name + b"\x8a\x05\x00\x00\x00\x00\x10\x85R.")
    copies = b"h\x00h\x01\x85R0" * 1000
    with pytest.raises(pickle.UnpicklingError, match="more than is in it"):
        load(b"\x80\x04" + name + b"B\x10\x27\x00\x00" + b"x" * 10_000 + b"\x94" + copies + b"N.")


def test_a_length_beyond_the_limit_is_refused_before_memory_is_taken(log: pytest.LogCaptureFixture) -> None:
    with served(ThreadingServer(("127.0.0.1", 0), max_message=1000, timeout=PATIENCE)) as address:
        for prefix in (
            struct.pack("!i", 1001),
            struct.pack("!i", 0x7FFFFFFF),
            struct.pack("!iQ", -1, 1 << 62),
            struct.pack("!i", -2),
        ):
            c = Client(address)
            c.send_raw(prefix)
            with pytest.raises((EOFError, ConnectionResetError)):
                c.recv()
            c.close()
        c = Client(address)
        c.send(b"x" * 900)
        assert c.recv() == b"x" * 900
        c.close()
        wait_for_line(log, "a message of 4,611,686,018,427,387,904 bytes, 1,000 is the limit")


def test_an_announced_message_takes_memory_only_as_it_arrives(address: tuple[str, int]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("!i", 1 << 24) + b"x" * 10)
        theirs.close()
        messages = server_end(ours, 1 << 24, PATIENCE)
        tracemalloc.start()
        with pytest.raises(ConnectionError, match="in the middle"):
            messages.recv_bytes()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("model", MODELS)
def test_a_silent_peer_is_dropped_and_the_next_one_served(model: str, log: pytest.LogCaptureFixture) -> None:
    with served(MODELS[model](("127.0.0.1", 0), timeout=0.3)) as address:
        with connected(address) as mute:
            c = Client(address, timeout=PATIENCE)
            c.send(1)
            assert c.recv() == 1
            c.close()
            read_frame(mute)
            assert was_closed(mute)
        wait_for_line(log, "dropped: silent for 0.3 s")


@pytest.mark.parametrize("stage", ["handshake", "message"])
def test_a_trickle_of_bytes_does_not_extend_the_time(stage: str, log: pytest.LogCaptureFixture) -> None:
    """Each byte comes in time, all of them together do not."""
    with served(ThreadingServer(("127.0.0.1", 0), timeout=0.4)) as address:
        sock = Client(address).socket if stage == "message" else connected(address)
        if stage == "handshake":
            read_frame(sock)
        stop = threading.Event()

        def trickle() -> None:
            data = b"\x00\x00\x00\xc8" + b"x" * 196
            while data and not stop.wait(0.05):
                try:
                    sock.send(data[:1])
                except OSError:
                    return
                data = data[1:]

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        wait_for_line(log, "dropped: no whole message within 0.4 s")
        stop.set()
        thread.join(PATIENCE)
        sock.close()


def test_a_client_that_leaves_in_the_middle_is_logged(address: tuple[str, int], log: pytest.LogCaptureFixture) -> None:
    with connected(address) as sock:
        read_frame(sock)
    wait_for_line(log, "it left during the handshake")
    c = Client(address)
    c.send_raw(b"\x00\x00\x00\x10half")
    c.close()
    wait_for_line(log, "it left in the middle of a message")
    assert "Traceback" not in log.text


def test_poll_and_a_wait_that_ends_before_the_message_is_whole() -> None:
    rest = threading.Event()
    with Listener(("127.0.0.1", 0), authkey=KEY) as listener:

        def half_then_half() -> None:
            with listener.accept() as connection:
                whole = frame(pickle.dumps("whole"))
                os.write(connection.fileno(), whole[:7])
                rest.wait(PATIENCE)
                os.write(connection.fileno(), whole[7:])

        thread = threading.Thread(target=half_then_half, daemon=True)
        thread.start()
        c = Client(listener.address, timeout=0.2)
        assert c.poll(PATIENCE)
        with pytest.raises(TimeoutError):
            c.recv()
        rest.set()
        thread.join(PATIENCE)
        assert c.recv() == "whole"
        assert c.poll(PATIENCE)  # the end is something too
        with pytest.raises(EOFError):
            c.recv()
        c.close()
        c.close()


def test_poll_is_false_while_nothing_comes(address: tuple[str, int]) -> None:
    c = Client(address)
    assert not c.poll()
    assert not c.poll(0.05)
    c.send(1)
    assert c.poll(PATIENCE)
    assert c.recv() == 1
    c.close()


@given(plain, st.sampled_from([4, 5]))
@settings(max_examples=100, deadline=None)
def test_plain_data_passes_and_loads(value: object, protocol: int) -> None:
    message = pickle.dumps(value, protocol)
    check(message)
    assert load(message) == value


@given(
    st.binary()
    | st.binary().map(lambda tail: b"\x80\x04" + tail)
    | st.lists(
        st.sampled_from([bytes([code]) for code in b"()]}\x8f\x85\x86\x87\x90\x91\x93\x94aesu0h1t.NK\x01\x8c\x01aR"])
    ).map(b"".join)
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_loaded_or_refused(message: bytes) -> None:
    try:
        check(message)
    except pickle.UnpicklingError:
        return
    # What is well-formed can still be wrong: a list as a key, a text that is called.
    with contextlib.suppress(pickle.UnpicklingError, TypeError, ValueError, EOFError, AttributeError, LookupError):
        load(message)


@given(st.lists(st.binary(max_size=60), max_size=3), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_bytes_leave_the_server_serving(address: tuple[str, int], chunks: list[bytes], shaken: bool) -> None:
    sock = Client(address).socket if shaken else connected(address)
    with sock:
        try:
            for chunk in chunks:
                sock.sendall(chunk)
        except OSError:
            pass  # it has been dropped already
    c = Client(address, timeout=PATIENCE)
    c.send(chunks)
    assert c.recv() == chunks
    c.close()


def samples() -> list[tuple[str, ...]]:
    lines = (TOPIC_SAMPLES / "pickles.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_of_every_python_passes_in_every_protocol(protocol: int) -> None:
    """In the spellings of Python 2.7 and 3.6 to 3.13; the client loads what they were made of."""
    rows = [row for row in samples() if row[0] == str(protocol)]
    assert len(rows) > 40
    for _, pythons, text, pickled in rows:
        loaded = load(bytes.fromhex(pickled))
        if pythons != "2.7":  # whose bytes are a str
            value = eval(text)
            assert (loaded, type(loaded)) == (value, type(value)), (pythons, text)


def test_samples_are_of_what_the_older_protocols_spell_by_names() -> None:
    texts = " ".join(row[2] for row in samples())
    assert all(f"{kind}(" in texts for kind in ("set", "frozenset", "bytearray", "complex"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_this_python_comes_back_from_the_server_in_every_protocol(
    address: tuple[str, int], protocol: int
) -> None:
    with StockClient(address, authkey=KEY) as c:
        for value in EXAMPLES[1:]:
            if protocol or value is not EXAMPLES[8]:  # protocol 0 has no spelling for a lone surrogate before 3.12
                c.send_bytes(pickle.dumps(value, protocol))
                assert c.recv_bytes() == pickle.dumps(value, protocol)


def test_a_str_of_python_2_keeps_its_bytes() -> None:
    assert load(b"S'gr\\xc3\\xbcn'\n.") == "grün"
    assert load(b"U\x02\xff\x00.").encode("utf-8", "surrogateescape") == b"\xff\x00"  # type: ignore[attr-defined]


NOT_PLAIN = {
    "a set of a str": b"cbuiltins\nset\n(Vabc\ntR.",
    "a set of a number": b"cbuiltins\nset\n(I5\ntR.",
    "a bytearray of a number": b"cbuiltins\nbytearray\n(I1000000000\ntR.",
    "bytes of a number": b"cbuiltins\nbytes\n(I1000000000\ntR.",
    "a complex of a str": b"cbuiltins\ncomplex\n(V1j\ntR.",
    "another encoding": b"c_codecs\nencode\n(Vabc\nVpunycode\ntR.",
    "an encoding by default": b"c_codecs\nencode\n(Vabc\ntR.",
    "bytes that are encoded": b"\x80\x04c_codecs\nencode\nC\x01a\x8c\x06latin1\x86R.",
    "an encoding disguised": b"c_codecs\nencode\n(Vabc\nS'punyco\\x64e'\ntR.",
    "a range": b"c__builtin__\nxrange\n(I1\ntR.",
    "a name of Python 2": b"c__builtin__\neval\n(V1\ntR.",
    "another codec function": b"c_codecs\ndecode\n(Vabc\nVlatin1\ntR.",
    "bytes of three": b"cbuiltins\nbytes\n(V1\nV2\nV3\ntR.",
    "a bytearray of four": b"cbuiltins\nbytearray\n(V1\nV2\nV3\nV4\ntR.",
    "a call of a str": b"Vset\n(lp0\ntR.",
    "a call of what a call returned": b"cbuiltins\nset\n((ltR(ltR.",
    "arguments that are no tuple": b"cbuiltins\nset\n(lR.",
    "a name called with nothing in between": b"cbuiltins\nset\ncbuiltins\nset\nR.",
    "a call of Ellipsis": b"cbuiltins\nEllipsis\n(tR.",
    "a list filled as a set": b"\x80\x04](K\x01\x90.",
    "a name filled as a dict": b"cbuiltins\nset\nVx\nVy\ns.",
    "a call of a mark": b"((R.",
    "a mark in a tuple": b"(K\x01\x86.",
    "a memo place by a negative number": b"K\x01p-1\n.",
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_no_pickle_of_plain_data_has_is_refused(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError):
        check(NOT_PLAIN[name])


def test_a_copy_of_the_same_list_is_not_made_again_and_again() -> None:
    begin = b"\x80\x02(" + b"K\x01" * 10_000 + b"lq\x00cbuiltins\nset\nq\x01"
    assert load(begin + b"h\x01h\x00\x85R.") == {1}
    with pytest.raises(pickle.UnpicklingError, match="more than is in it"):
        load(begin + b"h\x01h\x00\x85R0" * 10 + b".")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"Hello", "it is no pickle: .*byte 0, b.H., is no opcode"),
        (b"\x80\x04.", "it is no pickle: it pops an empty stack"),
        (b"K\x01t.", "it is no pickle: it pops an empty stack"),
        (b"0123", "it is no pickle: it pops an empty stack"),
        (b"h\x07.", "it is no pickle: it gets from the memo what was never put there"),
        (b"K\x01", "it is no pickle: .*ends before STOP"),
        (b"", "it is no pickle: .*ends before STOP"),
        (b"Vx", "it is no pickle: .*"),
    ],
)
def test_what_is_no_pickle_is_said_to_be_none_in_words(message: bytes, why: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=why) as caught:
        check(message)
    assert "index out of range" not in str(caught.value)


def test_a_server_without_an_authkey_is_explained() -> None:
    """It sends no challenge, and waits itself (python/cpython#123736)."""
    with Listener(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError, match="may use no authkey"):
        Client(listener.address, timeout=0.2)


def test_a_server_without_an_authkey_that_speaks_first_is_explained() -> None:
    with Listener(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept() as connection:
                connection.send("welcome to this server")
                with contextlib.suppress(EOFError, OSError):
                    connection.recv_bytes()

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with pytest.raises(AuthenticationError, match="no challenge: it uses no authkey, or speaks another protocol"):
            Client(listener.address, timeout=PATIENCE)
        thread.join(PATIENCE)


def test_a_first_message_that_is_empty_is_no_challenge_whatever_follows() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as peer:
                peer.sendall(bytes(4) + b"#CHALLENGE#" + bytes(20))
                with contextlib.suppress(OSError):
                    peer.recv(1)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with pytest.raises(AuthenticationError, match="no challenge"):
            Client(listener.getsockname(), timeout=PATIENCE)
        thread.join(PATIENCE)


def test_a_client_without_an_authkey_is_explained_in_the_log(log: pytest.LogCaptureFixture) -> None:
    with served(ThreadingServer(("127.0.0.1", 0), timeout=0.3)) as address, StockClient(address) as c:
        assert c.recv_bytes().startswith(b"#CHALLENGE#")
        wait_for_line(log, "it may use no authkey")


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("{'a': (1, 2)}", "send({'a': (1, 2)})"),
        ("1, 2", "send((1, 2))"),
        ("...", "send(Ellipsis)"),
        (" None ", "send(None)"),
        ("hello there", "send('hello there')"),
        ("os.system('x')", "send(\"os.system('x')\")"),
        ("", "send('')"),
        ("{[]: 1}", "send('{[]: 1}')"),
        ("(" * 5000, f"send({'(' * 5000!r})"),
    ],
)
def test_bare_text_is_a_literal_or_a_str(text: str, call: str) -> None:
    sent, read = TOPIC.bare(text, "single")
    assert f"send({sent.arguments[0]!r})" == call and read == Call("recv")


def test_the_recipes_run_on_their_own(tmp_path: Path) -> None:
    eject(TOPIC, tmp_path)
    environment = {**os.environ, "NETLAB_AUTHKEY": "hocuspocus"}
    command = [sys.executable, "multiprocessing_server.py", "--port", "0", "--model", "single"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as it:
        assert it.stdout is not None
        port = it.stdout.readline().decode().rpartition(":")[2].strip()
        done = subprocess.run(
            [sys.executable, "multiprocessing_client.py", "--port", port],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=60,
        )
        it.terminate()
    assert done.stdout.endswith(b"\n{'a': (1, 2)}\n"), done.stderr


def test_a_message_that_is_late_is_not_read_though_it_is_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(struct.pack("!i", 5) + b"quick")
        with pytest.raises(TimeoutError):
            server_end(theirs, 100, 0.0).recv_bytes()


HELD = 1.0
"""Seconds that a client may stall here. A person holds what it sends for longer."""


def test_while_a_person_holds_what_clients_send_none_is_dropped_that_was_there_before() -> None:
    server = ThreadingServer(("127.0.0.1", 0), timeout=HELD)
    with served(server) as address, connected(address) as mute:
        silent, halfway = Client(address, timeout=PATIENCE), Client(address, timeout=PATIENCE)
        message = frame(pickle.dumps("Hello"))
        halfway.send_raw(message[:7])
        read_frame(mute)
        server.patience.hold()
        outlast(ThreadingServer, HELD)
        assert not any(ended(each) for each in (mute, silent.socket, halfway.socket))
        silent.send("Hi")
        halfway.send_raw(message[7:])
        assert (silent.recv(), halfway.recv()) == ("Hi", "Hello")
        server.patience.release()
        assert all(was_closed(each) for each in (mute, silent.socket, halfway.socket)), "now their silence counts"
        for each in (silent, halfway):
            each.close()


def test_one_at_a_time_must_shake_hands_soon_unless_a_person_holds_that(log: pytest.LogCaptureFixture) -> None:
    server = Server(("127.0.0.1", 0), timeout=600)
    assert server.first_byte == 5
    server.first_byte = HELD
    with served(server) as address:
        with connected(address) as mute:
            read_frame(mute)
            server.patience.hold()
            outlast(ThreadingServer, HELD)
            assert not ended(mute)
            server.patience.release()
            assert was_closed(mute)
        wait_for_line(log, f"dropped: silent for {HELD:g} s")
        shaken = Client(address, timeout=PATIENCE)
        outlast(ThreadingServer, HELD)
        shaken.send("still here")
        assert shaken.recv() == "still here"
        shaken.close()
