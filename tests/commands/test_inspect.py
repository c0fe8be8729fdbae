"""``netlab inspect`` without panes: lines, JSON objects and raw bytes, of files and of what arrives by and by."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from netlab import cli
from netlab.capture.model import Direction, Endpoint
from netlab.capture.packet_recorder import TcpRecord
from netlab.capture.savefile import save
from netlab.capture.segment_reader import SegmentReader
from netlab.capture.writer import CaptureWriter
from netlab.commands.captures.segment_fields import FIELDS, USUAL
from tests.support import build
from tests.support.folders import CAPTURE_CASES
from tests.support.forking.process import netlab, run_netlab
from tests.support.screen.recorded_tls import sample
from tests.support.waiting import PATIENCE

START = 1_700_000_000_000_000_001
HOSTILE = bytes(range(256)) + "\x1b]0;title\x07\u202e\u2028".encode() + b"\xed\xa0\x80"


def written(path: Path, *payloads: bytes, port: int = 20000) -> Path:
    """A flow in which each payload goes to the server and comes back in capitals."""
    writer = CaptureWriter(str(path), 1 << 30)
    record = TcpRecord(writer, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", port))
    record.opened(START)
    for at, payload in enumerate(payloads, 1):
        record.from_client.carried(START + at * 1_000_000, memoryview(payload))
        record.from_server.carried(START + at * 1_000_000, memoryview(payload.upper()), "corrupt", memoryview(payload))
    record.from_server.dropped(START + 10**9, memoryview(b"never came"), "loss")
    record.from_client.finished(START + 10**9)
    writer.settle()
    writer.close()
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    assert cli.main(["inspect", *map(str, words)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def test_a_line_for_each_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "lab.pcapng", b"Hello")
    assert printed(capsys, path, "--text") == [
        "     1     0.000000     1  127.0.0.1:50001 → 127.0.0.1:20000  open        ·",
        "     2     0.001000     1  127.0.0.1:50001 → 127.0.0.1:20000  data        5  'Hello'",
        "     3     0.001000     1  127.0.0.1:50001 ← 127.0.0.1:20000  data        5  corrupt · 'HELLO'",
        "     4     1.000000     1  127.0.0.1:50001 ← 127.0.0.1:20000  data        0  dropped: loss · 'never came'",
        "     5     1.000000     1  127.0.0.1:50001 → 127.0.0.1:20000  fin         ·",
    ]


def test_an_object_for_each_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "lab.pcapng", b"Hello")
    first, _, third, fourth, _ = map(json.loads, printed(capsys, path, "--json"))
    assert tuple(first) == USUAL
    assert third == {
        "number": 3,
        "time": "2023-11-14T22:13:20.001000001Z",
        "seconds": 0.001,
        "flow": 1,
        "transport": "tcp",
        "client": "127.0.0.1:50001",
        "server": "127.0.0.1:20000",
        "direction": "to client",
        "kind": "data",
        "length": 5,
        "summary": "'HELLO'",
        "fate": "corrupt",
        "outcome": "changed",
    }
    assert (fourth["outcome"], fourth["fate"], fourth["summary"]) == ("dropped", "loss", "'never came'")


@pytest.mark.parametrize("port", [20000, 8080, 15000, 25000, 18000, 20443, 20001, 9])
def test_hostile_bytes_are_safe_text_and_valid_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int
) -> None:
    path = written(tmp_path / "lab.pcapng", HOSTILE, HOSTILE[::-1], b"\r\n", port=port)
    for line in printed(capsys, path, "--text"):
        assert line.isprintable()
    for line in printed(capsys, path, "--text", "--fields", ",".join(FIELDS)):
        values = line.split("\t")
        assert len(values) == len(FIELDS)
        assert all(value.isprintable() for value in values)
    found = [json.loads(line) for line in printed(capsys, path, "--json", "--fields", ",".join(FIELDS))]
    assert bytes.fromhex(found[1]["data"]) == HOSTILE
    assert bytes.fromhex(found[2]["original"]) == HOSTILE
    json.dumps(found).encode("ascii")


def test_fields_filter_and_flow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.pcapng"
    path.write_bytes(build.capture([*build.echo(), *build.opened(first=5, second=6)]))
    fields = ("--text", "--fields", "number,flow,kind")
    assert printed(capsys, path, *fields, "--flow", "2") == ["6\t2\topen"]
    wanted = printed(capsys, path, *fields, "--filter", "data")
    assert [line.split("\t")[1:] for line in wanted] == [["1", "data"]] * 2
    assert printed(capsys, path, *fields, "--filter", "data", "--flow", "2") == []


def test_the_bytes_of_one_direction(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = written(tmp_path / "lab.pcapng", b"one\n\x1b", b"two\n")
    for way, want in (("server", b"one\n\x1btwo\n"), ("client", b"ONE\n\x1bTWO\n")):
        assert cli.main(["inspect", str(path), "--flow", "1", "--stream", way]) == 0
        assert capfdbinary.readouterr() == (want, b"")
    assert cli.main(["inspect", str(path), "--flow", "7", "--stream", "server"]) == 1
    assert capfdbinary.readouterr().err.endswith(b"lab.pcapng: there is no flow 7; it has 1 flow\n")


def test_missing_bytes_are_counted(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    packets = [*build.opened(), build.tcp(build.CLIENT, build.SERVER, 101, payload=b"one")]
    path = tmp_path / "gap.pcapng"
    path.write_bytes(build.capture([*packets, build.tcp(build.CLIENT, build.SERVER, 110, payload=b"two")]))
    assert cli.main(["inspect", str(path), "--flow", "1", "--stream", "server"]) == 0
    assert capfdbinary.readouterr() == (b"onetwo", b"netlab inspect: 6 bytes of flow 1 are not in the capture\n")


def test_raw_bytes_do_not_go_to_a_terminal_unless_forced(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.pcapng", b"Hello")
    terminal, slave = pty.openpty()
    try:
        words = ["inspect", str(path), "--flow", "1", "--stream", "server"]
        refused = run_netlab(*words, stdout=slave, timeout=PATIENCE)
        assert refused.returncode == 2
        assert "add --force" in refused.stderr
        assert run_netlab(*words, "--force", stdout=slave, timeout=PATIENCE).returncode == 0
        assert os.read(terminal, 100) == b"Hello"
    finally:
        os.close(slave)
        os.close(terminal)


def test_standard_input_is_printed_as_it_arrives(tmp_path: Path) -> None:
    data = written(tmp_path / "lab.pcapng", b"Hello", b"again").read_bytes()
    words = ["inspect", "--json", "--fields", "number", "-"]
    with netlab(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(data[:-40])
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(5)] == [b'{"number":%d}\n' % at for at in range(1, 6)]
        process.stdin.write(data[-40:])
        process.stdin.close()
        assert process.stdout.read().splitlines()[-1] == b'{"number":7}'
        assert process.wait(PATIENCE) == 0


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.pcapng", *[b"Hello"] * 3000)
    with netlab("inspect", str(path), "--text", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().endswith("open        ·\n".encode())
        process.stdout.close()
        assert process.stderr.read() == b""


def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.pcapng", *[b"Hello" * 100] * 3000)
    reader, count = SegmentReader(), 0
    tracemalloc.start()
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(1 << 16):
                count += sum(1 for _ in reader.feed(piece))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert count == 6003
    assert path.stat().st_size > 4 << 20


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["FILE", "--text", "--json"], "not allowed with argument"),
        (["FILE", "--text", "--fields", "number,nothing"], "--fields: there is no field 'nothing'; there are number, "),
        (["FILE", "--json", "--filter", "Hello"], "--filter: column 1: Hello is not understood"),
        (["FILE", "--stream", "server"], "--stream needs --flow N: which flow?"),
        (
            ["FILE", "--stream", "server", "--flow", "1", "--filter", "data"],
            "leave --fields, --filter and --keylog out",
        ),
        (["FILE", "--text", "--flow", "0"], "'0' is not a flow's number; they count from 1"),
        (["FILE", "--filter", "data"], "--filter is for what is printed: add --text, --json or --stream"),
        (["--text"], "the following arguments are required: FILE"),
    ],
)
def test_usage_errors(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["inspect", *words])
    assert why in capsys.readouterr().err


def test_what_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body>This is not a capture.</body></html>")
    for path, why in (
        (page, f"cannot read {page}: this file is not a capture; netlab reads pcapng and pcap"),
        (tmp_path / "no.pcapng", f"cannot open {tmp_path / 'no.pcapng'}: No such file or directory"),
        (tmp_path, f"cannot open {tmp_path}: Is a directory"),
    ):
        assert cli.main(["inspect", "--json", str(path)]) == 1
        assert capsys.readouterr() == ("", f"netlab inspect: {why}\n")


def test_what_was_read_before_damage_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "lab.pcapng", b"Hello")
    path.write_bytes(path.read_bytes()[:-2])
    assert cli.main(["inspect", "--text", "--fields", "number", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["1", "2", "3", "4", "5"]
    assert "it ends inside the block that begins at byte " in err


def test_every_case_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for path in CAPTURE_CASES.iterdir():
        assert cli.main(["inspect", "--json", str(path)]) == 0
        out, err = capsys.readouterr()
        assert [json.loads(line)["number"] for line in out.splitlines()] == [*range(1, out.count("\n") + 1)]
        assert err == "" or err.startswith("netlab inspect: ")


def test_directions_are_the_filters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "lab.pcapng", b"Hello")
    for way, word in zip(Direction, ("server", "client"), strict=True):
        lines = printed(capsys, path, "--text", "--fields", "direction", "--filter", way.value)
        assert (
            set(lines)
            == {f"to {word}"}
            == set(printed(capsys, path, "--text", "--fields", "direction", "--filter", word))
        )


def test_flows_are_read_by_their_content_whatever_the_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.pcapng"
    writer = CaptureWriter(str(path), 1 << 20)
    records = [TcpRecord(writer, Endpoint("127.0.0.1", 50000 + n), Endpoint("127.0.0.1", 9)) for n in range(2)]
    for record in records:
        record.opened(START)
    for piece in (b"GET /hello HTTP/1.1\r\nHo", b"st: a\r\n\r\n"):
        records[0].from_client.carried(START, memoryview(piece))
    records[1].from_client.carried(START, memoryview(b"*2\r\n$3\r\nGET\r\n$4\r\nspam\r\n"))
    records[1].from_server.carried(START, memoryview(b"$3\r\negg\r\n"))
    writer.settle()
    writer.close()
    lines = printed(capsys, path, "--text", "--fields", "summary", "--filter", "data")
    assert "GET /hello" in lines[1], "the message that ends there"
    assert "GET spam" in lines[2]
    assert "egg" in lines[3]


@pytest.mark.parametrize("inside", [True, False])
def test_tls_is_opened_by_a_key_log_or_by_secrets_inside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], inside: bool
) -> None:
    secrets, sent, received = sample()
    plain, keys = tmp_path / "tls.pcapng", tmp_path / "keys.log"
    writer = CaptureWriter(str(plain), 1 << 20)
    record = TcpRecord(writer, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 443))
    record.opened(START)
    hello = 5 + int.from_bytes(sent[3:5], "big")
    for way, piece in (
        (record.from_client, sent[:hello]),
        (record.from_server, received[:-27]),
        (record.from_client, sent[hello:-27]),
        (record.from_client, sent[-27:]),
    ):
        way.carried(START, memoryview(piece))
    writer.settle()
    writer.close()
    words = ["--text", "--fields", "summary"]
    assert "Hello" not in printed(capsys, plain, *words)[4]
    if inside:
        save(plain, plain.stat().st_size, tmp_path / "open.pcapng", secrets=secrets.encode())
        assert printed(capsys, tmp_path / "open.pcapng", *words)[4] == "Hello"
    else:
        keys.write_text(secrets + "\n")
        assert printed(capsys, plain, *words, "--keylog", keys)[4] == "Hello"


def test_how_far_tls_is_opened_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets, sent, received = sample()
    path, keys = tmp_path / "tls.pcapng", tmp_path / "keys.log"
    keys.write_text(secrets + "\n")
    writer = CaptureWriter(str(path), 1 << 22)
    record = TcpRecord(writer, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 443))
    record.opened(START)
    hello = 5 + int.from_bytes(sent[3:5], "big")
    record.from_client.carried(START, memoryview(sent[:hello]))
    record.from_server.carried(START, memoryview(received))
    more = b"\x17\x03\x03\xff\xf0".ljust(0xFFF5, b"?")
    for piece in (sent[hello:], *[more] * 17):
        record.from_client.carried(START, memoryview(piece))
    writer.settle()
    writer.close()
    said = "netlab inspect: TLS of 1 flow was opened up to 1 MiB of each direction, and not beyond\n"
    for words, wanted in ((["--keylog", str(keys)], said), ([], "")):
        assert cli.main(["inspect", str(path), "--text", *words]) == 0
        assert capsys.readouterr().err == wanted


def test_a_persons_own_dissector_reads_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "from netlab.dissect.fields import Dissection, Field\n"
        "def dissect(data, direction, offset=0):\n"
        "    return Dissection((Field('word', 0, len(data), 'text', ''),), f'a word of {len(data)}')\n"
    )
    path = written(tmp_path / "lab.pcapng", b"Hello")
    lines = printed(capsys, path, "--text", "--fields", "summary", "--dissect", own)
    assert lines[1] == "a word of 5"
    own.write_text("nonsense(")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["inspect", str(path), "--json", "--dissect", str(own)])
    assert "--dissect: own.py, line 1" in capsys.readouterr().err
