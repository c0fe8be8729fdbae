"""``netlab inspect FILE``: shows a capture, and says in one sentence what it cannot read."""

from __future__ import annotations

import asyncio
import gzip
import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packet_recorder import TcpRecord
from netlab.capture.unread import not_read
from netlab.capture.writer import CaptureWriter
from netlab.commands.app import FRAMES
from netlab.commands.inspect import main
from netlab.dissect.tls.outside_keys import OutsideKeys
from netlab.topics.by_port import guess_topic
from netlab.topics.discovery import topics
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.capture_app import InspectApp, open_capture
from netlab.ui.keys.help import Help
from netlab.ui.wire.dissect_as import DissectAs
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.wire_list import WireList
from tests.support.screen.recorded_tls import sample
from tests.support.waiting import until

START = 1_700_000_000_000_000_000


def write_capture(path: Path, *, port: int = 20000) -> Path:
    """One flow: Hello there and back."""
    writer = CaptureWriter(str(path), 1 << 20)
    record = TcpRecord(writer, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", port))
    record.opened(START)
    for at, way in enumerate(Direction, 1):
        record.way(way).carried(START + at * 1_000_000, memoryview(b"Hello\nand"))
        writer.settle()
    writer.close()
    return path


def test_a_capture_is_shown_from_its_first_segment_and_read_as_chosen(tmp_path: Path) -> None:
    async def run() -> None:
        with open_capture(write_capture(tmp_path / "lab.pcapng")) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                wire, inspector = app.query_one(WireList), app.query_one(Inspector)
                assert wire.highlighted is not None
                assert wire.highlighted.number == 1
                assert str(wire.query_one(SegmentList).border_title) == "wire", "nothing more comes"
                assert "Hello" in wire.query_one(SegmentList).render_line(2).text
                await pilot.press("down", "enter")
                await until(pilot, lambda: bool(inspector.fields.root.children))
                assert inspector.bytes.source.view(0, 99) == b"Hello\nand"
                assert names(inspector) == ["line 1", "line 2"]
                assert "as TCP" in str(inspector.fields.border_title)
                assert "3 segments" in str(app.query_one("#file").render())
                await pilot.press("d")
                await pilot.pause()
                options = app.screen.query_one(OptionList)
                offered = [str(options.get_option_at_index(i).prompt).strip() for i in range(options.option_count)]
                assert len(offered) == len(set(offered))
                options.highlighted = [str(options.get_option_at_index(i).prompt).split()[0] for i in range(9)].index(
                    "HTTP/1"
                )
                await pilot.press("enter")
                await until(pilot, lambda: names(inspector) == ["bytes"])
                assert "as HTTP/1" in str(inspector.fields.border_title)
        with open_capture(tmp_path / "lab.pcapng") as capture:
            again = DissectAs(InspectApp(capture), lambda: None).meanings(capture)
            capture.grow()
            assert again is not None
            assert again.of(capture.flows[0]).protocol.name == "http", "it is remembered"

    asyncio.run(run())


def test_a_dissector_of_ones_own_reads_a_file_and_is_read_again_when_it_is_saved(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    head = "from netlab.dissect.fields import Dissection, Field\ndef dissect(data, direction, offset=0):\n    "
    own.write_text(head + "return Dissection((Field('mine', 0, len(data), 'x', ''),), f'{offset} mine')\n")

    async def run() -> None:
        with open_capture(write_capture(tmp_path / "lab.pcapng")) as capture:
            app = InspectApp(capture, dissect_file=own)
            async with app.run_test(size=(80, 24)) as pilot:
                wire, inspector = app.query_one(WireList), app.query_one(Inspector)
                await until(pilot, lambda: "0 mine" in wire.query_one(SegmentList).render_line(2).text)
                await pilot.press("down")
                await until(pilot, lambda: names(inspector) == ["mine"])
                own.write_text(head + "return 1 // 0\n")
                await until(pilot, lambda: "line 3: ZeroDivisionError" in fields(inspector))
                assert bytes(inspector.bytes.source.view(0, 99)) == b"Hello\nand"
                own.write_text(head + "while True: pass\n")
                await until(pilot, lambda: "it ran for more than 2 s" in fields(inspector))
                own.write_text(head + "return Dissection((Field('better', 0, 5, 'x', ''),))\n")
                await until(pilot, lambda: names(inspector) == ["better"])

    asyncio.run(run())


def fields(inspector: Inspector) -> str:
    """All lines of the tree."""
    return "\n".join(str(node.label) for node in inspector.fields.root.children)


def names(inspector: Inspector) -> list[str]:
    """Of the fields at the top."""
    return [node.data.name for node in inspector.fields.root.children if node.data is not None]


def test_help_says_what_a_pane_is_and_which_keys_act_there(tmp_path: Path) -> None:
    async def helped(app: InspectApp, pilot: Pilot[None]) -> str:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        text = str(app.screen.query_one(Static).render())
        await pilot.press("escape")
        return text

    async def run() -> None:
        with open_capture(write_capture(tmp_path / "lab.pcapng")) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                wire = await helped(app, pilot)
                await pilot.press("tab")
                shown = await helped(app, pilot)
        assert "This pane: wire" in wire
        assert "Mark or unmark this segment" in wire
        assert "Hold segments" not in wire, "a file holds nothing"
        assert "This pane: bytes" in shown
        assert "Find text" in shown
        assert "Choose how this flow or its port is read" in wire[wire.index("Keys everywhere") :]

    asyncio.run(run())


def test_the_topic_is_guessed_by_port_and_transport() -> None:
    tcp = topics()["tcp"]
    client, server = Endpoint("127.0.0.1", 5), Endpoint("127.0.0.1", tcp.port)
    guessed = guess_topic(Flow(1, Transport.TCP, client, server))
    assert guessed is not None
    assert guessed.name == "tcp"
    assert guess_topic(Flow(1, Transport.TCP, server, client)) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "too short"),
        (b"GIF89a" * 10, "not a capture"),
        (gzip.compress(b"GIF89a" * 10, mtime=0), "compressed with gzip; unpack it first"),
    ],
)
def test_what_is_no_capture_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str
) -> None:
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path)]) == 1
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_file_without_segments_promises_none(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "none.pcap"
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        with open_capture(path) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                first = app.screen.query_one(SegmentList).render_line(1).text
        assert first.rstrip() == " This file contains no segments."

    asyncio.run(run())


def test_without_a_terminal_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write_capture(tmp_path / "lab.pcapng"))]) == 2
    assert "terminal" in capsys.readouterr().err


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2


def test_a_folder_is_no_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "folder" in capsys.readouterr().err


def test_the_command_sets_what_textual_reads_before_it_imports_it() -> None:
    code = (
        "import sys, os, netlab.cli as cli; main = cli.COMMANDS['inspect'].main();"
        "before = 'textual' in sys.modules; status = main(['/nothing/there']);"
        "import textual.constants; print(before, status, textual.constants.MAX_FPS)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout == f"False 1 {FRAMES}\n"


def test_a_pipe_is_not_waited_for_without_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert main([str(tmp_path / "pipe")]) == 2
    assert capsys.readouterr().err == "netlab inspect: this needs a terminal; --text and --json do not\n"


def test_a_file_that_grows_is_followed_and_one_that_is_cut_short_is_left(tmp_path: Path) -> None:
    whole = write_capture(tmp_path / "whole.pcapng").read_bytes()
    path = tmp_path / "grows.pcapng"
    path.write_bytes(whole[:-60])

    async def run() -> None:
        with open_capture(path) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                wire = app.query_one(WireList)
                await until(pilot, lambda: len(capture.segments) == 2, "the first segments")
                with path.open("ab") as more:
                    more.write(whole[-60:])
                await until(pilot, lambda: len(capture.segments) == 3, "the last one")
                await pilot.pause()
                assert wire.highlighted is not None
                assert wire.highlighted.number == 1, "the cursor stays"
                assert "Hello" in app.query_one(SegmentList).render_line(3).text
                path.write_bytes(whole[:200])
                await until(pilot, lambda: app.return_code == 1, "left")

    asyncio.run(run())


def test_help_names_the_link_types(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "EN10MB" in capsys.readouterr().out


def test_where_reading_stopped_is_said_in_full(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "cut.pcapng")
    path.write_bytes(path.read_bytes() + bytes(64))

    async def run() -> None:
        with open_capture(path) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                line = app.query_one("#file")
                said = " ".join("".join(line.render_line(y).text).strip() for y in range(line.size.height))
                assert said.endswith("what follows cannot be read")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ({"ARP": 1}, "1 packet not read: 1 ARP"),
        ({"ICMP": 2, "ARP": 1200}, "1,202 packets not read: 1,200 ARP, 2 ICMP"),
        (dict(zip("abcdef", range(9, 3, -1), strict=True)), "39 packets not read: 9 a, 8 b, 7 c, 6 d, 2 other kinds"),
    ],
)
def test_what_is_not_read_is_named(reasons: dict[str, int], said: str) -> None:
    assert not_read(Counter(reasons)) == said


def test_a_key_log_beside_the_file_opens_tls_as_it_grows(tmp_path: Path) -> None:
    secrets, sent, received = sample()
    writer = CaptureWriter(str(tmp_path / "tls.pcapng"), 1 << 20)
    record = TcpRecord(writer, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 443))  # the port says nothing
    record.opened(START)
    hello = 5 + int.from_bytes(sent[3:5], "big")
    for way, piece in (
        (Direction.TO_SERVER, sent[:hello]),
        (Direction.TO_CLIENT, received[:-27]),
        (Direction.TO_SERVER, sent[hello:-27]),
        (Direction.TO_SERVER, sent[-27:]),
    ):
        record.way(way).carried(START, memoryview(piece))
    writer.settle()
    writer.close()

    async def run() -> None:
        with open_capture(tmp_path / "tls.pcapng") as capture:
            app = InspectApp(capture, OutsideKeys(tmp_path / "keys.log"))
            async with app.run_test(size=(100, 40)) as pilot:
                inspector, wire = app.query_one(Inspector), app.query_one(WireList)
                (tmp_path / "keys.log").write_text(secrets + "\n")
                wire.go_to(5)
                await until(pilot, lambda: inspector._understood.plain is not None, "decrypted")
                await until(
                    pilot, lambda: "Hello" in app.query_one(SegmentList).render_line(5).text, "decrypted in the list"
                )
                assert "TLS secrets from keys.log" in str(app.query_one("#file", Static).render())

    asyncio.run(run())
