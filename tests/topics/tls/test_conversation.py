"""A TLS conversation that is opened as it grows."""

from netlab.capture.model import Direction
from netlab.topics.tls.plaintext import Conversation
from tests.support.screen.recorded_tls import sample


def test_what_comes_in_one_piece_with_finished_is_opened_at_once() -> None:
    secrets, sent, received = sample()
    hello = 5 + int.from_bytes(sent[3:5], "big")
    conversation = Conversation()
    conversation.grow(secrets, memoryview(sent[:hello]), memoryview(b""))
    conversation.grow(secrets, memoryview(sent[:hello]), memoryview(received[:-27]))
    opened = conversation.grow(secrets, memoryview(sent), memoryview(received[:-27]))
    assert opened is not None
    assert opened[Direction.TO_SERVER][-1].plaintext == b"Hello"
