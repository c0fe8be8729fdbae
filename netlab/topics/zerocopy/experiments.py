"""What can be seen of buffers: what copies, what a view shares, what an early end or a false length does."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, cast

from netlab.capture.model import Direction
from netlab.topics.experiment import Experiment, ExperimentLab, Runner, payload

if TYPE_CHECKING:
    from netlab.topics.zerocopy.buffer import Slice
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


def _copies(runner: Runner) -> None:
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


def _spin(runner: Runner) -> None:
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


def _write_through(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes. Take the first four as a view, buffer[0:4], and as a copy.")
    peer.call("receive", 4096)
    view = cast("Slice", peer.call("view", 0, 4)).view
    copied = peer.call("copy", 0, 4)
    runner.expect("both read the same: 00 01 02 03", lambda: bytes(view) == copied == bytes(range(4)))
    runner.step("Write b'spam' over the first four bytes of the buffer, through a third slice.")
    peer.call("write", 0, b"spam")
    runner.expect("the view, taken before, reads b'spam'",
                 lambda: bytes(view) == b"spam", found=lambda: bytes(view))  # fmt: skip
    runner.expect("the copy has not changed", lambda: copied == bytes(range(4)), found=lambda: copied)
    runner.step("Read them as a number with struct.unpack_from on the buffer.")
    number = peer.call("unpack", "!I", 0)
    runner.expect("1936744813, which is 'spam': struct reads the bytes where they lie",
                 lambda: number == struct.unpack("!I", b"spam"), found=lambda: number)  # fmt: skip


def _resize(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes into a bytearray; the client keeps a view of it. Make it longer: resize(8192).")
    peer.call("receive", 4096)
    peer.begin("resize", 8192)
    peer.wait()
    runner.expect("BufferError: Existing exports of data: object cannot be re-sized",
                 lambda: isinstance(peer.outcome, BufferError), found=lambda: peer.outcome)  # fmt: skip
    runner.step("Make it shorter: resize(100).")
    peer.begin("resize", 100)
    peer.wait()
    runner.expect("BufferError again", lambda: isinstance(peer.outcome, BufferError), found=lambda: peer.outcome)
    runner.step("Copy the bytes into a bytearray of our own, make a view of it, and release the view.")
    own = bytearray(cast("bytes", peer.call("copy", 0, 16)))
    view = memoryview(own)
    refused = _append(own)
    view.release()
    runner.expect("append() raises BufferError before the release, and works after it",
                 lambda: isinstance(refused, BufferError) and _append(own) is None)  # fmt: skip


def _append(buffer: bytearray) -> Exception | None:
    """Append a byte; the error that this raises."""
    try:
        buffer.append(0)
    except BufferError as error:
        return error
    return None


def _lying_header(runner: Runner) -> None:
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


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "copies",
        "The tutorial fills slices of a memoryview with what recv() returns, and calls that zero-copy. How often is "
        "each byte copied?",
        (
            "Not at all: the view shows the network card's memory.",
            "Once, by the kernel.",
            "Twice: into the bytes object that recv() returns, and from there into the slice.",
            "Once for each call of recv().",
        ),
        2,
        "The kernel must copy each byte once, out of the socket. recv() makes a new object for it, and a slice "
        "assignment copies that object's content again. recv_into() gives the slice itself to the kernel, so only one "
        "copy is left. What the memoryview saves is something else: += copies everything again for each piece.",
        _copies,
    ),
    Experiment(
        "spin",
        "The tutorial's loop wants 65,536 bytes. The connection ends after 1,000. What does the loop do?",
        (
            "It returns the 1,000 bytes.",
            "recv() raises an error.",
            "It waits, without using the processor.",
            "It loops without end, as fast as it can.",
        ),
        3,
        "At the end of a stream recv() returns b'' at once, every time it is called. That is shorter than what "
        "remains, so the loop asks again, and keeps a processor busy. Zero bytes mean the end: here an error, because "
        "less arrived than was announced.",
        _spin,
        QUOTED,
        REPAIRED,
    ),
    Experiment(
        "write-through",
        "You keep the buffer's first four bytes twice: as a view and as a copy. Then something writes into the buffer. "
        "What do you read?",
        (
            "In both the old bytes: you took them before.",
            "In both the new bytes.",
            "In the view the new bytes, in the copy the old ones.",
            "The view raises an error: it is out of date.",
        ),
        2,
        "A slice of a memoryview owns nothing: it is an address and a length, and shows the buffer itself. That is why "
        "it costs nothing, and why you must not keep it when the buffer is reused. A slice of bytes or of a bytearray "
        "is an object of its own.",
        _write_through,
    ),
    Experiment(
        "resize",
        "A view shows a bytearray. Now you make the bytearray longer. What happens?",
        (
            "It grows, and the view with it.",
            "It grows; the view goes on showing the old bytes.",
            "It refuses, as long as the view exists.",
        ),
        2,
        "To grow, a bytearray may have to move; to shrink, it gives memory back. A view holds the address, and would "
        "then show memory that belongs to something else. In C such a bug can hide for years. Python counts the views "
        "(its exports) and raises BufferError. view.release(), or the end of its with block, removes the view.",
        _resize,
    ),
    Experiment(
        "lying-header",
        "Five bytes announce a payload of 1 GiB, and then hardly anything arrives. How much memory does that cost this "
        "server?",
        (
            "1 GiB: it makes room for what was announced.",
            "As much as arrived.",
            "None: it refuses so large a payload.",
        ),
        1,
        "Five bytes from a stranger must not cost a gigabyte. The server first checks the length against a limit. Then "
        "it makes an anonymous mapping, to which the kernel gives real memory page by page, as bytes arrive. "
        "bytearray(size), as in the tutorial, writes zeros into all of it at once.",
        _lying_header,
        QUOTED,
        BOUNDED,
    ),
)
