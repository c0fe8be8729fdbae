"""What can be seen of buffers: what copies, what a view shares, what an early end or a false length does."""

from __future__ import annotations

from netlab.topics.experiment import Experiment
from netlab.topics.zerocopy.scripts.receiving_scripts import BOUNDED, QUOTED, REPAIRED, copies, lying_header, spin
from netlab.topics.zerocopy.scripts.view_scripts import (
    casting,
    exports,
    mapped_file,
    released,
    resize,
    steps,
    write_through,
)

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
        "casting",
        "A view v begins with 00 01, the number 1 in the network's order. Which of these reads 1 on any machine, "
        "without a copy?",
        (
            "v.cast('H')[0]",
            "v.cast('>H')[0]",
            "struct.unpack_from('>H', v)[0]",
            "Each of them.",
        ),
        2,
        "cast() changes what a view calls an element, and nothing in memory. So an element has the byte order of the "
        "machine, and '>H' is refused. On most machines v.cast('H')[0] is 256. The network's order is big-endian, and "
        "struct reads that from the same bytes. Cast what this machine wrote itself, such as samples or an array; "
        "unpack what came from elsewhere.",
        casting,
    ),
    Experiment(
        "steps",
        "A payload has left and right in turn, a byte each. You take e = v[::2], every second byte of a view. What "
        "does that cost, and what can e do?",
        (
            "A copy of half of the bytes; then e can do what v can.",
            "Nothing; but send() and cast() refuse e, because its bytes do not lie in a row.",
            "Nothing; and e can do what v can.",
            "It is an error: a view needs bytes in a row.",
        ),
        1,
        "A view is an address, a shape and strides: how far it is from one element to the next. A step only changes "
        "the stride, so it costs the same for a kilobyte and a gigabyte. A system call knows only an address and a "
        "length, and cast() wants the same. bytes(e) puts the bytes in a row, and that is a copy. Make it as late as "
        "you can, and of no more than you need.",
        steps,
    ),
    Experiment(
        "exports",
        "A function fills your bytearray through views and fails halfway. You keep the error to report it later. Now "
        "you empty the bytearray for the next message: data.clear(). What happens?",
        (
            "It works: the function has ended, and its views with it.",
            "It works, and the error's message changes with it.",
            "It works, but only the bytes that had arrived are removed.",
            "BufferError: one of the function's views is still there.",
        ),
        3,
        "An error carries its traceback, the traceback the frames, and a frame its local variables. So a view can "
        "live as long as an entry in a list of errors. data.clear() would free the memory that it shows, and is "
        "refused, far from the line that made the view. A with block releases a view at a known place, whatever "
        "happens in between.",
        exports,
    ),
    Experiment(
        "released",
        "v is a view of a bytearray, and part = v[4:8] a slice of it. You call v.release(). What now?",
        (
            "It is refused, because part needs v.",
            "v raises an error, part works, and the bytearray still cannot grow.",
            "v and part raise an error, and the bytearray can grow.",
            "v raises an error, part works, and the bytearray can grow.",
        ),
        1,
        "A slice holds the buffer itself, not the view that it was made from. So release() ends this one name for the "
        "bytes, and the bytearray stays fixed until the last view is gone. What was released raises a ValueError: an "
        "error, where C would read memory that is no longer yours. And while recv_into() waits, the kernel may write "
        "into the view at any moment. Then release() is refused, too.",
        released,
    ),
    Experiment(
        "mapped-file",
        "You map a file read-only and take a view v of it. Then another program overwrites the file's first bytes. "
        "What does v[0:4] read?",
        (
            "The new bytes.",
            "The old bytes: read-only memory does not change.",
            "An error: the view is out of date.",
        ),
        0,
        "Read-only is a promise about this view: nobody writes through it. A mapped file is the system's own memory "
        "for that file, and any program that writes to the file changes it. That is how netlab shows what the wire "
        "captures: it maps the file, and the segments are views of it. If you need bytes that stay, make a copy: "
        "bytes(v).",
        mapped_file,
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
