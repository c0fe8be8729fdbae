"""A lab whose capture keeps the newest: what is let go is said, what is kept is shown and saved."""

from __future__ import annotations

import re
from pathlib import Path

from netlab.capture.capture_file import Capture
from netlab.lab.lab import Lab
from tests.support.waiting import wait_until

LIMIT = 256 << 10
LINE = b"x" * 5000


def test_a_lab_keeps_the_newest(tmp_path: Path) -> None:
    with Lab("tcp", limit=LIMIT, keep="newest") as lab, lab.connect() as client:
        shown = lab.capture
        folder = shown.path.parent
        for number in range(100):
            client.send(LINE + b"%03d" % number)
            received = 0
            while received < 5003:
                received += len(client.recv(8192))
        capture = lab.capture
        assert capture is shown and capture.let_go > 100
        last = next(s for s in reversed(capture.segments[-5:]) if s.length)
        assert last.number == len(capture.segments) and bytes(last.data[-3:]) == b"099"
        assert sum(file.stat().st_size for file in folder.glob("*.pcapng")) <= LIMIT + (64 << 10)
        wait_until(lambda: re.fullmatch(r"the oldest [\d,]+ segments were let go", lab.state.capture_note))

        lab.save(tmp_path / "kept.pcapng")
        with Capture.of_file(tmp_path / "kept.pcapng") as saved:
            saved.grow()
            assert [s.number for s in saved.segments] == [s.number for s in capture.segments]

        lab.clear_capture()
        client.send(b"again")
        client.recv(100)
        assert lab.capture.let_go == 0
        assert len(list(folder.glob("*.pcapng"))) == 1, "the files of the old capture are gone"
