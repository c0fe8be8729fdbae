"""What can be seen of buffers: what copies, what a view shares, what an early end or a false length does."""

from __future__ import annotations

from netlab.topics.experiment import Experiment
from netlab.topics.zerocopy.receiving_scripts import BOUNDED, QUOTED, REPAIRED, copies, lying_header, spin
from netlab.topics.zerocopy.view_scripts import resize, write_through

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
        copies,
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
        spin,
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
        write_through,
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
        resize,
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
        lying_header,
        QUOTED,
        BOUNDED,
    ),
)
