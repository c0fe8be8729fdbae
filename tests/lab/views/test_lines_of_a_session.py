"""Lines about buffers and views in a running lab: with the client's own buffer, and with its capture."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.state import EntryKind, PythonLine
from tests.support.echo import told


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("zerocopy") as lab:
        yield lab


@pytest.fixture
def client(lab: Lab) -> Iterator[Session]:
    with lab.connect() as client:
        client.run("receive(4096)")
        yield client


def lines_of(client: Session, line: str) -> list[str]:
    """What the transcript has of one line; its exception is in there."""
    before = len(client.transcript)
    client.submit(line)
    client.wait_idle()
    return told(client)[before:]


def test_the_transcript_has_the_line_as_python_its_value_and_what_was_copied(client: Session) -> None:
    said = lines_of(client, "v = view(0, 64)")
    assert said[0] == ">>> v = z.buffer[0:64]" and len(said) == 2
    assert said[1].startswith("# 0 bytes copied: the view begins at 0x")
    said = lines_of(client, "bytes(v[0:4])")
    assert said[:2] == [">>> bytes(v[0:4])", "b'\\x00\\x01\\x02\\x03'"] and said[2].startswith("# 4 bytes copied")
    assert lines_of(client, "v.cast('>H')") == [
        ">>> v.cast('>H')",
        "ValueError: memoryview: destination format must be a native single character format prefixed with an optional "
        "'@'",
        "# a view has this machine's byte order; struct.unpack_from('>H', …) reads the other",
    ]
    calls = [entry for entry in client.transcript if isinstance(entry.did, PythonLine)]
    assert [entry.kind for entry in calls] == [EntryKind.CALL] * 3
    assert len({entry.call for entry in calls}) == 3


def test_the_operation_of_the_same_name_is_as_before(client: Session) -> None:
    said = lines_of(client, "view(0, 2)")
    assert said[0] == ">>> z.view(0, 2)"
    assert said[1].startswith("b'\\x00\\x01'\nmemoryview of 2 bytes") and "it owns none" in said[1]
    assert not client.views.names


def test_resize_is_refused_and_succeeds_for_a_reason_that_can_be_seen(client: Session) -> None:
    client.run("v = view(0, 64)")
    assert lines_of(client, "resize(8192)")[2:] == [
        "BufferError: Existing exports of data: object cannot be re-sized",
        "# 1 export of the bytearray is held by z.buffer, v",
    ]
    (group,) = client.views.table()
    assert group.buffer is not None
    assert [(view.name, view.export == group.views[0].export) for view in group.views] == [
        ("z.buffer", True),
        ("v", True),
    ]
    assert (group.buffer.kind, group.buffer.exports, group.buffer.names) == ("bytearray", 1, ("z.owner",))
    client.run("v.release()")
    with pytest.raises(BufferError):
        client.run("resize(8192)")
    client.run("z.buffer.release()")
    (group,) = client.views.table()
    assert group.buffer is not None and group.buffer.exports == 0 and all(view.released for view in group.views)
    client.run("resize(8192)")
    (group,) = client.views.table()
    assert group.buffer is not None and (group.buffer.nbytes, group.buffer.exports) == (8192, 1)
    assert [(view.name, view.released) for view in group.views] == [("z.buffer", False), ("v", True)]
    client.run("len(z.buffer)")
    assert told(client)[-2] == "8192"
    client.close()
    assert not client.views.names


def test_nobody_who_looks_is_a_reason_to_refuse_a_resize(client: Session) -> None:
    looks, over = [0], threading.Event()

    def look() -> None:
        while not over.is_set():
            client.views.table(wait=False)
            key = client.views.own
            if key is not None:
                with client.views.bytes_of(key) as seen:
                    looks[0] += seen is not None and len(seen[:64]) == 64

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        for number in range(60):
            client.run("z.buffer.release()")
            client.run(f"resize({5000 + number})")
    finally:
        over.set()
        looking.join()
    assert looks[0] > 0


def test_a_line_can_release_and_resize_what_a_client_received(client: Session) -> None:
    for line in ("a = z.owner", "z.buffer.release()", "a.extend(b'!')", "a[4096]"):
        client.run(line)
    assert told(client)[-2] == "33"
    with pytest.raises(ValueError, match="released"):
        client.run("view(0, 4)")
    assert told(client)[-1] == "# z.buffer was released; the client makes another when it receives"
    client.run("receive(10)")
    assert [len(group.views) for group in client.views.table()] == [1, 0]


def test_a_segment_is_a_read_only_view_of_the_mapped_capture(lab: Lab, client: Session) -> None:
    number = next(each.number for each in lab.capture.segments if each.carries)
    client.run(f"s = segment({number})")
    client.run("s.readonly")
    assert told(client)[-2] == "True"
    group = client.views.table()[-1]
    assert group.buffer is not None and (group.buffer.kind, group.buffer.readonly) == ("mmap", True)
    with pytest.raises(TypeError):
        client.run("s[0] = 1")
    with pytest.raises(LabError, match="there is no segment 9,999; there are 1 to"):
        client.run("s = segment(9999)")


def test_lines_need_no_connection_but_the_client_s_own_buffer_does(lab: Lab) -> None:
    with lab.open() as client:
        client.run("a = bytearray(4)")
        assert not client.connected and list(client.views.names) == ["a"]
        with pytest.raises(LabError, match="this client holds no buffer"):
            client.run("v = view(0, 4)")
