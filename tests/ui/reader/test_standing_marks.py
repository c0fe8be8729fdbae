"""Who stands beside which line of a page: the recipe, the hardening beneath it, a person's own file."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.lab.standing.standings import Place, Stand, Standings
from netlab.topics.discovery import topics
from netlab.ui.reader.pages import Page, source_pages
from netlab.ui.reader.standing_marks import Marks, marks_of

A, B, C = (Endpoint("127.0.0.1", port) for port in (1, 2, 3))
NAMES = {A: "client 1", B: "client 2", C: "client 3"}
AT_RECV = (
    Place("hardening/clients.py", 57, "", "recv"),
    Place("tcp/server_single.py", 17, "", "handle"),
    Place("hardening/server.py", 65, "", "finish_request"),
)
IDLE = (Place("tcp/server_single.py", 0, "Server", "serve_forever"),)


def pages(model: str = "single") -> dict[str, Page]:
    return {page.title: page for page in source_pages(topics()["tcp"], model)}


def marked(page: Page, *stands: Stand, waiting: tuple[Endpoint, ...] = ()) -> Marks:
    return marks_of(page, Standings(stands, waiting), lambda client: NAMES.get(client, str(client)))


def texts(page: Page, marks: Marks) -> dict[str, tuple[str, ...]]:
    return {page.text.split("\n")[line].strip(): mark.texts for line, mark in marks.lines.items()}


def test_a_client_stands_at_the_innermost_line_of_each_page() -> None:
    recipe, hardening = pages()["tcp/server_single.py"], pages()["hardening"]
    stand = Stand(AT_RECV, "main", (A,))
    marks = marked(recipe, stand)
    assert texts(recipe, marks) == {"while message := self.request.recv(8192):": ("← client 1",)}
    assert [mark.number for mark in marks.lines.values()] == [17]
    marks = marked(hardening, stand)
    assert texts(hardening, marks) == {"return _recv(self, size, flags)": ("← client 1",)}
    assert [mark.number for mark in marks.lines.values()] == [57]


def test_who_stands_on_another_page_is_named() -> None:
    marks = marked(pages()["tcp/client.py"], Stand(AT_RECV, "main", (A,)))
    assert not marks.lines and marks.elsewhere == "client 1: hardening/clients.py 57"


def test_an_inherited_method_stands_at_the_class() -> None:
    recipe = pages()["tcp/server_single.py"]
    marks = marked(recipe, Stand(IDLE, "main", others=1))
    assert texts(recipe, marks) == {
        "class Server(HardenedServer):": ("← the main thread, in serve_forever", "← the main thread")
    }
    assert not any(mark.served for mark in marks.lines.values())


def test_who_waits_to_be_accepted_stands_beside_accept_or_at_what_keeps_the_main_thread() -> None:
    single, raw = pages()["tcp/server_single.py"], pages("raw")["tcp/server_raw.py"]
    marks = marked(single, Stand(AT_RECV, "main", (A,)), waiting=(B, C))
    assert texts(single, marks) == {
        "while message := self.request.recv(8192):": (
            "← client 1 ░ clients 2, 3 in the accept queue",
            "← client 1 ░ clients 2, 3 wait",
            "← client 1 ░ clients 2, 3",
        )
    }  # fmt: skip
    line = next(i for i, text in enumerate(raw.text.split("\n"), 1) if "client.recv(8192)" in text)
    marks = marked(raw, Stand((Place("tcp/server_raw.py", line, "", "serve_forever"),), "main", (A,)), waiting=(B,))
    assert texts(raw, marks) == {
        "while message := client.recv(8192):": ("← client 1",),
        "accepted, address = self.socket.accept()": (
            "░ client 2 in the accept queue", "░ client 2 waits", "░ client 2"
        ),
    }  # fmt: skip
    hardening = pages()["hardening"]
    marks = marked(hardening, Stand(AT_RECV, "main", (A,)), waiting=(B,))
    assert "accepted, address = super().get_request()" in texts(hardening, marks)


def test_a_line_that_the_page_does_not_have_is_not_marked() -> None:
    page = Page("mine.py", "x = 1\n", files=(("own/mine.py", 0),), model="single")
    marks = marked(page, Stand((Place("own/mine.py", 99),), "main", (A,)))
    assert not marks.lines and marks.elsewhere == "client 1: mine.py 99"
