"""Flows as text: the pieces in order, a line, and the tree that a flow dissector makes of each as it comes.

``→ b'GET / HTTP/1.1\r\n'`` is a piece; a line that begins with ``+`` continues it. To write a sample:
``python -m tests.support.flow_text PROTOCOL`` reads pieces in this form from standard input, and prints the sample.
"""

import sys
from ast import literal_eval

from netlab.capture.model import Direction, Transport
from netlab.dissect.reading.in_memory import read_pieces
from netlab.dissect.reading.protocol_discovery import protocol_named
from tests.support.dissection_text import RULE, tree


def read_flow(text):
    """Transport, pieces, and expected trees of a sample."""
    head, _, expected = text.partition(RULE + "\n")
    pieces, transport = [], Transport.TCP
    for line in head.splitlines():
        mark, _, literal = line.partition(" ")
        if mark in ("tcp", "udp"):
            transport = Transport(mark)
        elif mark == "+":
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + literal_eval(literal))
        else:
            pieces.append((Direction(mark), literal_eval(literal)))
    return transport, pieces, expected


def trees(found):
    """What was made of each piece."""
    return "".join(f"piece {number}\n{tree(dissection)}" for number, dissection in enumerate(found, 1))


if __name__ == "__main__":
    given = sys.stdin.read().partition(RULE)[0]
    kind, flow, _ = read_flow(given)
    sys.stdout.write(f"{given.rstrip()}\n{RULE}\n{trees(read_pieces(protocol_named(sys.argv[1]).make, flow, kind))}")
