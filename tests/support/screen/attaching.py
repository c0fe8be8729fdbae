"""The app on a stage with attached servers: a server to attach, and an app that attaches further ones."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from netlab.capture.model import Endpoint
from netlab.commands.attach import from_line
from netlab.lab.attached import Attached
from netlab.topics.contract import Topic
from netlab.ui.app import NetlabApp
from netlab.ui.lab_thread import LiveLab
from tests.support.screen.staging import Stage, StagedApp, tabs

SERVER = """
import pathlib, socket
pathlib.Path("/proc/self/comm").write_text("mailer")  # whatever this Python is called
with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        try:
            client.sendall(b"220 ready\\r\\n")
            for line in client.makefile("rb"):
                client.sendall(line.upper())
        except OSError:
            pass
        client.close()
"""
"""Greets, and answers each line in capitals: one client after the other."""


@contextlib.contextmanager
def greeting_server() -> Iterator[Endpoint]:
    """That server in a process of its own: its threads and processes are on the picture."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Endpoint("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.kill()


def staged(attached: Attached) -> Attached:
    """The same with the port that the stage shows for the wire."""
    return replace(attached, topic=replace(attached.topic, port=20000))


class AttachingApp(StagedApp):
    """The app as ``netlab attach`` starts it; topics would be on free ports."""

    def __init__(self, *servers: Attached) -> None:
        attached = [staged(each) for each in servers]
        self.stage = Stage()
        self.known = {each.topic.name: each for each in attached}

        def make_lab(topic: Topic) -> LiveLab:
            live = self.stage.labs[topic.name] = LiveLab(topic, attached=self.known.get(topic.name))
            live.start()
            return live

        NetlabApp.__init__(
            self,
            [*(each.topic for each in attached), *tabs()],
            attached[0].topic.name,
            make_lab=make_lab,
            formatting=self.stage,
            attaching=self,
        )
        self.animation_level = "none"

    def attach(self, text: str, free_name: Callable[[str], str]) -> Topic:
        attached = from_line(text)
        attached = attached.named(free_name(attached.topic.name))
        self.known[attached.topic.name] = attached
        return attached.topic

    def detach(self, topic: Topic) -> None:
        self.stage.labs[topic.name].close()
        del self.stage.labs[topic.name]  # by which tests know that nothing is left of it
