"""What encrypted records carried: in the fields, in the place of the bytes, and said where nobody knows the keys."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from netlab.capture.model import Direction
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.fields import Derived, Dissection, Field
from netlab.topics.discovery import topic_named
from netlab.ui.bytes.byte_source import SparseSource, StreamSource
from netlab.ui.bytes.fields.dissecting import JOINED, Extent, leading, segment_extent, stream_extent
from netlab.ui.bytes.fields.plaintext import NOT_OURS, Plaintexts, with_plaintext
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp
from tests.support.screen.recorded_tls import sample, tls_capture
from tests.support.waiting import until

TLS = topic_named("tls")


def plaintexts(secrets: str | None = None) -> Plaintexts:
    known = sample()[0] if secrets is None else secrets
    return Plaintexts(TLS.opener, lambda: known)


def walk(fields: tuple[Field, ...]) -> list[Field]:
    return [each for field in fields for each in (field, *walk(field.children))]


def test_each_record_of_a_segment_has_its_plaintext_exactly_where_it_was_carried() -> None:
    capture, opening = tls_capture(), plaintexts()
    segment = capture.segments[4]
    extent = segment_extent(segment, leading(segment, capture))
    understood = opening.understood(extent, TLS.dissector(), opening.sealed(segment.flow, capture))
    record, within = understood.dissection.fields
    plain = record.children[-1]
    assert (plain.name, plain.value, plain.start, plain.end) == ("plaintext", "'Hello'", 5, 10)
    assert (record.start, record.end) == (0, len(segment.data)) == (0, 27)
    assert within.buffer == Derived("decrypted", b"Hello", 27)
    assert [(each.name, each.value) for each in within.children] == [("payload", "'Hello'")]
    assert understood.plain is not None
    assert bytes(understood.plain.view(5, 10)) == b"Hello"
    assert understood.plain.gaps(0, 27) == [(0, 5), (10, 27)]
    assert understood.plain.length == 27


def test_the_encrypted_part_of_the_handshake_is_read_too() -> None:
    capture, opening = tls_capture(), plaintexts()
    flow = capture.flows[0]
    extent = stream_extent(StreamSource(capture.stream(flow, IN)), IN)
    understood = opening.understood(extent, TLS.dissector(), opening.sealed(flow, capture))
    chain = [field.value for field in walk(understood.dissection.fields) if field.kind == "X.509"]
    assert chain == ["CN=localhost ← CN=netlab lab CA", "CN=netlab lab CA ← CN=netlab lab CA"]
    assert all(0 <= field.start <= field.end <= extent.length for field in walk(understood.dissection.fields))


def test_a_conversation_of_others_stays_closed_and_says_why() -> None:
    capture, opening = tls_capture(), plaintexts("CLIENT_RANDOM 00 00")
    segment = capture.segments[4]
    extent = segment_extent(segment, leading(segment, capture))
    understood = opening.understood(extent, TLS.dissector(), opening.sealed(segment.flow, capture))
    assert understood.remark == NOT_OURS
    assert understood.plain is None
    assert [field.name for field in understood.dissection.fields[0].children][-1] == "ciphertext"


def test_beyond_what_is_decrypted_it_says_so() -> None:
    capture, opening = tls_capture(), plaintexts()
    capture.add(capture.flows[0], IN, b"\x17\x03\x03\x10\x00".ljust(JOINED, b"?"))
    for number, beyond in ((6, False), (8, True)):
        segment = capture.segments[number - 1]
        extent = segment_extent(segment, leading(segment, capture))
        understood = opening.understood(extent, TLS.dissector(), opening.sealed(segment.flow, capture))
        assert ("up to 1 MiB of each direction" in understood.remark) is beyond


def test_an_opener_that_fails_leaves_records_closed() -> None:
    def opener(secrets: str, to_server: memoryview, to_client: memoryview) -> None:
        raise ArithmeticError("no")

    opening = Plaintexts(lambda: opener, str)
    capture = tls_capture()
    extent = segment_extent(capture.segments[4], leading(capture.segments[4], capture))
    understood = opening.understood(extent, TLS.dissector(), opening.sealed(capture.flows[0], capture))
    assert understood.remark == "not decrypted: ArithmeticError: no"
    assert understood.dissection.fields


def test_a_record_across_two_segments_is_shown_in_both() -> None:
    record = Opened(0, 12, 2, "said", b"abcdefgh")
    whole = Dissection((Field("record", -6, 6, "record", ""),))
    second = with_plaintext(Extent(memoryview(bytes(12)), OUT, 0, 6, 6), whole, [record])
    assert second.plain is not None
    assert bytes(second.plain.view(0, 6)) == b"efgh\0\0"
    assert second.plain.gaps(0, 6) == [(4, 6)]


def test_gaps_of_sparse_bytes() -> None:
    source = SparseSource(memoryview(bytes(10)), [(2, 4), (4, 5), (9, 10)])
    assert source.gaps(0, 10) == [(0, 2), (5, 9)]
    assert source.gaps(1, 6) == [(1, 2), (5, 6)]
    assert source.gaps(2, 5) == []


def test_nothing_decrypts_before_a_flow_is_looked_at() -> None:
    code = (
        "import sys, netlab.ui.tab.tab, netlab.topics.discovery as d; d.topics(); print('cryptography' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def drive(app: PanesApp, script: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    async def run() -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            await script(pilot)

    asyncio.run(run())


def tls_app(capture: HandMade | None = None, secrets: str | None = None) -> PanesApp:
    app = PanesApp(capture or tls_capture(), TLS.dissector())
    app.plaintexts = plaintexts(secrets)
    return app


def field_lines(app: PanesApp) -> list[str]:
    tree = app.inspector.fields
    return [str(tree.get_node_at_line(line).label) for line in range(tree.last_line + 1)]  # type: ignore[union-attr]


def test_p_turns_a_record_over_and_back() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(5)
        await until(pilot, lambda: any("'Hello'" in line for line in field_lines(app)), "the plaintext")
        await pilot.press("enter")
        crossed = app.inspector.bytes.source
        await pilot.press("p")
        await pilot.pause()
        shown = app.inspector.bytes.source
        assert bytes(shown.view(5, 10)) == b"Hello"
        assert str(app.inspector.bytes.border_title).startswith(
            "plaintext of #5 → ── decrypted with this session's secrets"
        )
        assert str(app.inspector.fields.border_title).endswith("p shows the encrypted bytes, x shows decrypted")
        await pilot.press("p")
        await pilot.pause()
        assert app.inspector.bytes.source is crossed
        assert str(app.inspector.fields.border_title).endswith("p shows the plaintext, x shows decrypted")

    drive(tls_app(), script)


def test_the_pane_says_that_nobody_here_knows_the_keys() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(5)
        await until(pilot, lambda: NOT_OURS in field_lines(app), "the remark")

    drive(tls_app(secrets=""), script)


def test_both_directions_open() -> None:
    capture, opening = tls_capture(), plaintexts()
    sealed = opening.sealed(capture.flows[0], capture)
    assert sealed is not None
    assert {direction: len(view) for direction, view in sealed.streams.items()} == {
        direction: sum(s.length for s in capture.segments if s.direction is direction) for direction in Direction
    }
