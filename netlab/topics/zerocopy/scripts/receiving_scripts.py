"""The experiments' scripts about receiving: what copies, and what an early end or a false length does."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, cast

from netlab.capture.model import Direction
from netlab.topics.experiment import ExperimentLab, Runner, payload

if TYPE_CHECKING:
    from netlab.topics.zerocopy.compare import Comparison
    from netlab.topics.zerocopy.transfer import Transfer

GIB, MIB = 1 << 30, 1 << 20

QUOTED = """\
def read(size):
    ret = memoryview(bytearray(size))
    remain = size
    while True:
        data = sock.recv(remain)
        length = len(data)
        ret[size - remain: size - remain + length] = data
        if len(data) == remain:
            break
        remain -= len(data)
    return ret
"""
REPAIRED = """\
def read(size):
    ret = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        count = sock.recv_into(ret[filled:])
        if count == 0:
            raise EOFError(f'closed after {filled:,} of {size:,} bytes')
        filled += count
    return ret
"""
BOUNDED = """\
def read(size):
    if size > MOST:
        raise ValueError(f'{size:,} bytes announced, {MOST:,} is the limit')
    ret = memoryview(mmap.mmap(-1, size))   # memory comes as bytes do
    ...
"""
FETCH = """
import struct
from socket import create_connection

sock = create_connection(('{host}', {port}))
sock.sendall(struct.pack('!BIQ', 3, 8, 65536))
assert sock.recv(5) == struct.pack('!BI', 4, 65536)
print(len(read(65536)), 'bytes')
"""
TRUST = """
import struct

spe, size = struct.unpack('!BI', memoryview(b'\\x01\\x40\\x00\\x00\\x00'))
read(size)
"""


def copies(runner: Runner) -> None:
    """Every way of receiving, with what it copies and holds."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 1 MiB in each way, in turns. The kernel's own copy counts as 1.")
    compared = cast("Comparison", peer.call("compare", "1 MiB"))
    runner.show(repr(compared))
    ways = {each.way: each for each in compared}
    runner.expect("recv_into: each byte copied once, straight into the buffer", lambda: _times(ways["recv_into"]) == 1)
    runner.expect("join, and recv() into a slice: twice",
                 lambda: _times(ways["join"]) == _times(ways["slice"]) == 2)  # fmt: skip
    runner.expect("so the tutorial's memoryview copies twice as well", lambda: _times(ways["tutorial_slices"]) == 2)
    runner.expect("data += piece: more than eight times, because each += copies all that came before",
                 lambda: _times(ways["concatenate"]) > 8, found=lambda: ways["concatenate"])  # fmt: skip
    runner.expect("the tutorial's first way, which begins with '': a TypeError",
                 lambda: "TypeError" in ways["tutorial_concatenate"].failure)  # fmt: skip
    runner.expect("join held everything twice for a moment, recv_into once",
                 lambda: (ways["join"].peak, ways["recv_into"].peak) == (2 * MIB, MIB))  # fmt: skip


def spin(runner: Runner) -> None:
    """The tutorial's loop after an early end, and the repaired one."""
    lab = runner.lab()
    runner.step("Run the tutorial's read(65536) in a process of its own.")
    run = runner.run_in_sandbox(QUOTED + FETCH, lab)
    runner.expect("it works: 65536 bytes", lambda: "65536 bytes" in run.output, found=lambda: run.output)
    runner.step("Again, but the wire cuts the connection after 1,000 bytes. The process may use 1 s of a processor.")
    lab.fault("cut after 1005 <-")
    run = runner.run_in_sandbox(QUOTED + FETCH, lab)
    runner.expect("it used up that second without a result: the loop never ends",
                 lambda: run.spun, found=lambda: run)  # fmt: skip
    runner.step("Run the repaired one, with the same cut.")
    run = runner.run_in_sandbox(REPAIRED + FETCH, lab)
    runner.expect("it ends at once: EOFError, closed after 1,000 of 65,536 bytes",
                 lambda: "EOFError: closed after 1,000 of 65,536" in run.output, found=lambda: run.output)  # fmt: skip


def lying_header(runner: Runner) -> None:
    """A length that is announced and does not come."""
    lab = runner.lab()
    resident = _peaks(lab)[1]
    runner.step("Announce 1 GiB, the server's limit, send 1 MiB of it, and hang up.")
    with lab.dial() as sock:
        sock.sendall(struct.pack("!BI", 1, GIB) + bytes(MIB))
    runner.expect("the log says how much arrived: 1,048,576 of 1,073,741,824 bytes",
                 lambda: _logged(lab, "after 1,048,576 of 1,073,741,824 bytes"))  # fmt: skip
    if resident:
        runner.expect("the server had reserved addresses for 1 GiB", lambda: _peaks(lab)[0] > GIB,
                     found=lambda: _peaks(lab))  # fmt: skip
        runner.expect("but it never used even 64 MiB more real memory than before",
                     lambda: _peaks(lab)[1] - resident < 64 * MIB, found=lambda: _peaks(lab))  # fmt: skip
    runner.step("Announce the most that the header can say: 4,294,967,295 bytes.")
    liar = lab.dial()
    liar.sendall(struct.pack("!BI", 1, 0xFFFFFFFF))
    runner.expect("the server refuses that at once, and answers nothing",
                 lambda: _logged(lab, "announced 4,294,967,295 bytes")
                 and not payload(lab.segments(), Direction.TO_CLIENT))  # fmt: skip
    runner.step("Run the tutorial's read() with 1 GiB from a header, in a process limited to 512 MiB.")
    run = runner.run_in_sandbox(QUOTED + TRUST)
    runner.expect("MemoryError, before a single byte of the payload arrives",
                 lambda: "MemoryError" in run.output, found=lambda: run.output)  # fmt: skip


def _peaks(lab: ExperimentLab) -> tuple[int, int]:
    """The most addresses and real memory that the server's process ever had, in bytes; zeros where that is unknown."""
    try:
        status = Path(f"/proc/{lab.server_pid}/status").read_text()  # proc(5): VmPeak and VmHWM, in kB
    except OSError:
        return 0, 0
    peaks = dict(line.split(":", 1) for line in status.splitlines())
    return int(peaks["VmPeak"].split()[0]) << 10, int(peaks["VmHWM"].split()[0]) << 10


def _times(transfer: Transfer) -> float:
    """How many times each byte was copied."""
    return transfer.copied / transfer.size


def _logged(lab: ExperimentLab, words: str) -> bool:
    return any(words in line for line in lab.log())
