"""Frames of any size, in place; and clients that lie about them."""

import contextlib
import hashlib
import logging
import re
import socket
import struct
import textwrap
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction
from netlab.topics.zerocopy import TOPIC
from netlab.topics.zerocopy.client import Client
from netlab.topics.zerocopy.compare import Comparison
from netlab.topics.zerocopy.counting import SMALL
from netlab.topics.zerocopy.dissect import dissect
from netlab.topics.zerocopy.server import MODELS, ThreadingServer
from netlab.topics.zerocopy.transfer import Transfer, address_of
from netlab.topics.zerocopy.ways import WAYS
from tests.support.authenticated import (
    connected,
    ended,
    outlast,
    recv_exactly,
    served,
    wait_for_line,
    was_closed,
)
from tests.support.waiting import wait_until

DEADLINE = 10
HELD = 1.0
"""Seconds that a client may stall where a person holds what it sends for longer."""


@contextmanager
def serving(model="threading", **options):
    server = MODELS[model](("127.0.0.1", 0), **options)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def address():
    with serving(timeout=3.0) as address:
        yield address


@pytest.fixture
def client(address):
    client = Client(address, timeout=DEADLINE)
    yield client
    client.close()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "tutorial_concatenate"])
@pytest.mark.parametrize("size", [1, 65_537, 3 << 20])
def test_every_way_receives_the_same_bytes_and_counts_their_copies(client, way, size):
    transfer = client.receive(size, way)
    assert client.unpack(f"{min(size, 256)}B", 0) == tuple(range(min(size, 256)))
    assert sum(transfer.arrivals) == transfer.filled == size
    copies = {"join": 2, "slice": 2, "tutorial_slices": 2}.get(way, 1)
    if way == "concatenate":
        assert transfer.copied >= 2 * size
    elif way == "readinto":  # the last bytes come by way of the file's own buffer
        assert size <= transfer.copied <= size + min(size, SMALL)
    else:
        assert transfer.copied == copies * size
    assert transfer.peak >= size
    assert transfer.address == address_of(client.buffer)
    assert transfer.moves == (len(transfer.arrivals) - 1 if way == "concatenate" else 0)


def test_the_tutorials_first_function_fails_as_it_stands_and_the_connection_goes_on(client, capsys):
    with pytest.raises(TypeError, match="can only concatenate str"):
        client.receive("1 MiB", "tutorial_concatenate")
    assert client.receive(10).filled == 10
    assert "discarding" in capsys.readouterr().out
    compared = client.compare("1 MiB")
    assert "discarding" not in capsys.readouterr().out
    assert [transfer.way for transfer in compared] == list(WAYS)
    failed = [transfer.way for transfer in compared if transfer.failure]
    assert failed == ["tutorial_concatenate"]
    table = repr(compared).splitlines()
    assert [line.split()[0] for line in table[: 1 + len(WAYS)]] == ["way", *WAYS]
    assert "TypeError" in table[1]
    assert "2.00×" in next(line for line in table if line.startswith("slice"))


def test_a_comparison_says_how_far_it_is_and_what_it_is_at(client):
    told, first = [], next(Comparison().plan(1 << 16))[1] << 16
    arrived = Transfer.arrived

    def watched(transfer, count):
        told.append((*client.progress, client.transfer is client.compared.now))
        return arrived(transfer, count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transfer, "arrived", watched)
        compared = client.compare(1 << 16)
    done = [each for each, _, _ in told]
    totals = [of for _, of, _ in told]
    assert done == sorted(done) and totals == sorted(totals) and done[-1] < totals[-1]
    assert {now for _, _, now in told} == {True}
    assert totals[0] == first
    assert client.transfer is compared.now and compared.runs > 1
    assert all(each.failure or each.processor > 0 for each in compared)
    client.receive(10)
    assert client.transfer is not compared.now and client.progress == (10, 10)


def test_a_comparison_that_is_given_up_keeps_what_it_found_and_the_connection(monkeypatch, client):
    received = []

    def give_up(sock, transfer):
        received.append(transfer.arrived(len(sock.recv(10))))
        raise KeyError("given up")

    monkeypatch.setitem(WAYS, "waitall", give_up)
    with pytest.raises(KeyError):
        client.compare("1 MiB")
    assert received and "waitall" not in {each.way for each in client.compared}
    assert client.progress[1] == 1 << 20
    assert client.receive(10).filled == 10


@pytest.mark.parametrize("way", ["tutorial_slices", "concatenate", "slice", "readinto"])
def test_no_way_spins_when_the_other_side_closes_early(way):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname(), timeout=DEADLINE)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(struct.pack("!BI", 4, 100) + b"only this")
        with pytest.raises(EOFError, match="closed after 9 of 100 bytes"):
            client.receive(100, way)
        assert "EOFError" in client.transfer.failure


def test_the_rest_of_a_payload_that_was_given_up_is_thrown_away(monkeypatch, client, capsys):
    def give_up(sock, transfer):
        transfer.arrived(len(sock.recv(10)))
        raise KeyError("given up")

    monkeypatch.setitem(WAYS, "give up", give_up)
    with pytest.raises(KeyError):
        client.receive("3 MiB", "give up")
    assert client.progress == (10, 3 << 20)
    assert client.receive(10).filled == 10
    assert "discarding 3,145,718 bytes left from the failed read" in capsys.readouterr().out
    assert client.send(b"x").endswith("the same as ours")


@pytest.mark.parametrize("way", ["tutorial_slices", "concatenate", "join", "slice", "recv_into", "waitall", "readinto"])
def test_a_connection_survives_a_call_that_was_given_up(way):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname(), timeout=0.2)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(struct.pack("!BI", 4, 100) + b"only this")
            with pytest.raises(TimeoutError):
                client.receive(100, way)
            peer.sendall(b"." * 91 + struct.pack("!BI", 4, 4) + b"next")
            client.receive(4, way)
        assert client.buffer == b"next"
        client.close()


def test_the_buffer_is_filled_where_it_is(client):
    client.receive("1 MiB", "recv_into")
    whole = client.buffer
    part = client.view(10, 14)
    assert part.view.tolist() == list(range(10, 14))
    assert repr(part).startswith(repr(bytes(range(10, 14))))
    assert f"{address_of(whole) + 10:#x}" in repr(part)
    assert "owns none" in repr(part)
    assert len(textwrap.wrap(repr(part).splitlines()[1], 43)) == 2, "the console at 120 columns shows all of it"
    copied = client.copy(0, 2)
    assert "b'bb" in repr(client.write(0, b"bb"))
    assert client.buffer is whole
    assert client.copy(0, 2) == b"bb"
    assert copied == b"\x00\x01"
    assert client.unpack("!BI", 0) == struct.unpack("!BI", b"bb\x02\x03\x04")
    with pytest.raises(BufferError):
        client.resize(10)
    with pytest.raises(ValueError, match="not in the buffer"):
        client.write((1 << 20) - 1, b"too long")


def test_files_and_bytes_are_stored_and_their_digest_compared(client, tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"x", bytes(300_000)):
        path.write_bytes(content)
        expected = f"sha256 {hashlib.sha256(content).hexdigest()}, the same as ours"
        assert client.send_file(str(path)) == expected
        assert client.send(content) == expected


@pytest.mark.parametrize("size", [0, -1, "2 GiB", "a lot"])
def test_sizes_out_of_bounds_are_refused_before_anything_is_sent(client, size):
    with pytest.raises(ValueError, match=r"bytes|size"):
        client.receive(size)
    assert client.receive(10).filled == 10


@pytest.mark.parametrize("model", TOPIC.models)
def test_a_length_beyond_the_bound_ends_the_connection_with_a_reason(model, caplog):
    caplog.set_level(logging.INFO)
    with serving(model, max_frame=1000) as address, socket.create_connection(address, DEADLINE) as sock:
        sock.sendall(struct.pack("!BI", 1, 1001))
        assert sock.recv(1) == b""
    assert "announced 1,001 bytes, 1,000 is the limit" in caplog.text


def resident():
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read resident memory from")
def test_an_announced_gibibyte_takes_no_memory_before_it_arrives():
    with serving() as address, socket.create_connection(address, DEADLINE) as sock:
        before = resident()
        sock.sendall(struct.pack("!BI", 1, 1 << 30) + bytes(1000))
        Client(address, timeout=DEADLINE).receive(10)  # the server has had its turn
        assert resident() - before < 50_000


@pytest.mark.parametrize(
    "data",
    [b"\x02\0\0\0\x20" + bytes(32), b"\x03\0\0\0\x07" + bytes(7), b"\xff" * 5, b"GET / HTTP/1.0\r\n\r\n"],
)
def test_a_wrong_type_ends_the_connection_with_a_reason(address, data, caplog):
    caplog.set_level(logging.INFO)
    with socket.create_connection(address, DEADLINE) as sock:
        sock.sendall(data)
        with pytest.raises(EOFError):
            while True:
                try:
                    if not sock.recv(100):
                        raise EOFError
                except ConnectionResetError as error:
                    raise EOFError from error
    assert "refused: a frame of type" in caplog.text


@pytest.mark.parametrize(
    "data", [b"", b"\x01\0", struct.pack("!BI", 1, 100) + b"half", struct.pack("!BI", 3, 8) + b"1"]
)
def test_a_stalled_frame_is_dropped(data, caplog):
    caplog.set_level(logging.INFO)
    with serving(timeout=0.2) as address, socket.create_connection(address, DEADLINE) as sock:
        sock.sendall(data)
        assert sock.recv(1) == b""
    words = {0: "silent for 0.2 s", 9: "after 4 of 100 bytes it sent less than 1 MiB in 0.2 s"}
    wait_for_line(caplog, f"dropped: {words.get(len(data), 'no whole ')}")
    assert "failed" not in caplog.text


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_leaves_in_the_middle_of_a_payload_is_logged(model, caplog):
    caplog.set_level(logging.INFO)
    with serving(model) as address:
        with socket.create_connection(address, DEADLINE) as sock:
            sock.sendall(struct.pack("!BI", 1, 3 << 20) + bytes(10))
        wait_for_line(caplog, "dropped: it left in the middle of a frame: after 10 of 3,145,728 bytes")
        client = Client(address, timeout=DEADLINE)
        assert client.send(b"x").endswith("the same as ours")
        client.close()
        wait_for_line(caplog, "closed ")


def accepted(caplog, socks):
    names = ["{}:{}".format(*sock.getsockname()) for sock in socks]
    return [name for name in names if f"accepted {name}" in caplog.messages]


@pytest.mark.parametrize("model", MODELS)
def test_while_a_person_holds_what_clients_send_none_is_dropped_that_was_there_before(model, caplog):
    caplog.set_level(logging.INFO)
    server = MODELS[model](("127.0.0.1", 0), timeout=HELD)
    with served(server) as address, contextlib.ExitStack() as stack:
        frame = struct.pack("!BI", 1, 100) + bytes(100)
        halfway = {
            at: stack.enter_context(connected(address)) for at in ((0, 3, 50) if model == "threading" else (50,))
        }
        for at, sock in halfway.items():
            sock.sendall(frame[:at])
        wait_until(lambda: len(accepted(caplog, halfway.values())) == len(halfway), "all are accepted")
        server.patience.hold()
        outlast(ThreadingServer, HELD)
        assert not any(ended(sock) for sock in halfway.values())
        for at, sock in halfway.items():
            sock.sendall(frame[at:])
            assert recv_exactly(sock, 37)[:5] == struct.pack("!BI", 2, 32)
        server.patience.release()
        assert all(was_closed(sock) for sock in halfway.values()), "now their silence counts"


def test_a_frame_that_trickles_is_dropped_in_bounded_time(caplog):
    with serving(timeout=0.3) as address, socket.create_connection(address, 0.05) as sock:
        sock.sendall(struct.pack("!BI", 1, 1 << 20))
        closed = False
        for _ in range(200):
            try:
                sock.send(b"x")
                closed = sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
        assert closed


def test_an_early_end_is_an_error_and_the_connection_is_not_used_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(listener.getsockname(), timeout=DEADLINE)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(struct.pack("!BI", 4, 100) + b"only this")
        with pytest.raises(EOFError, match="closed after 9 of 100 bytes"):
            client.receive(100)
        with pytest.raises(EOFError, match="91 bytes of the answer unsent"):
            client.receive(100)


def test_frames_are_fields():
    data = struct.pack("!BIQ", 3, 8, 1000) + struct.pack("!BI", 1, 10) + b"half"
    dissection = dissect(memoryview(data), Direction.TO_SERVER, 0)
    fetch, store = dissection.fields
    assert [field.value for field in fetch.children] == ["3 fetch", "8", "1,000 bytes"]
    assert (store.start, store.end, dissection.needs) == (13, 22, 6)
    assert dissection.summary == "fetch asks for 1,000 bytes and 1 more"


def test_a_short_payload_waits_for_no_acknowledgement(client):
    assert client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("data", "direction", "summary"),
    [
        (struct.pack("!BIQ", 3, 8, 1000), Direction.TO_SERVER, "fetch asks for 1,000 bytes"),
        (struct.pack("!BI", 3, 8), Direction.TO_SERVER, "fetch 8 bytes"),
        (struct.pack("!BI", 1, 5000), Direction.TO_SERVER, "store 5,000 bytes"),
        (struct.pack("!BI", 1, 4) + b"text", Direction.TO_SERVER, "store 4 bytes"),
        (struct.pack("!BI", 2, 32) + bytes(32), Direction.TO_CLIENT, "digest 32 bytes"),
        (struct.pack("!BI", 3, 9) + bytes(9), Direction.TO_SERVER, "payload"),
        (struct.pack("!BI", 1, 3) + b"text", Direction.TO_SERVER, "payload"),
        (b"Hello", Direction.TO_SERVER, "payload"),
    ],
)
def test_later_segments_are_frames_only_where_that_is_sure(data, direction, summary):
    assert dissect(memoryview(data), direction, 13).summary == summary


def test_what_is_no_frame_is_raw():
    dissection = dissect(memoryview(b"\x02\0\0\0\0"), Direction.TO_SERVER, 0)
    assert dissection.fields[0].name == "raw"
    assert "type 2" in dissection.problem


def walk(fields):
    for field in fields:
        yield field
        yield from walk(field.children)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.sampled_from(list(Direction)), st.sampled_from([0, 7]))
def test_any_bytes_are_fields_or_raw(data, direction, offset):
    dissection = dissect(memoryview(data), direction, offset)
    assert all(0 <= field.start <= field.end <= len(data) for field in walk(dissection.fields))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_leave_the_server_serving(address, data):
    with socket.create_connection(address, DEADLINE) as sock:
        sock.sendall(data)
    client = Client(address, timeout=DEADLINE)
    assert client.receive(10).filled == 10
    client.close()


def test_a_write_beyond_the_buffer_says_where_the_buffer_ends(client):
    client.receive(100)
    for offset, content in ((5_000_000, b"x"), (99, b"xy"), (-1, b"x")):
        with pytest.raises(ValueError, match="not in the buffer, which has 100"):
            client.write(offset, content)
    client.write(99, b"x")
