"""The desk over plain HTTP: sending a test, opening the editor, searching; and its arithmetic."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desk_running import ask, running
from sending import SLUG, Office, parsed
from smtp_relay import HANG_UP, Relay
from starlette.datastructures import QueryParams

from mailer.compose.composition import Composition
from mailer.compose.editions import group
from mailer.models import Edition, Segment
from mailer.newsroom import Newsroom
from mailer.web import desk_editor, desk_view
from mailer.web.desk_choice import Choice
from mailer.web.desk_editor import Way
from mailer.web.desk_proof import Checked, Proof

ISSUE_FILE = Path("/news/issues/2019-01/issue.md")


# --- a test mail to oneself ----------------------------------------------------------------------------


def test_a_test_mail_holds_the_edition_shown_and_is_in_no_send_log(office: Office):
    with Relay() as relay:
        office.use(relay)
        room = office.room()
        with running(room, SLUG) as address:
            status, _, told = ask(f"{address}test?interest=green-jobs", {"to": "me@example.org"})
    assert (status, told) == (200, b"Sent to me@example.org. The server said: 250 2.0.0 Ok: queued")
    message = parsed(relay.mails[0])
    assert (message["To"], message["Subject"]) == ("me@example.org", "[Test] Two stories")
    text = message.get_body(("plain",)).get_content()
    assert "For everybody" in text
    assert "Cooperatives grow" not in text
    assert office.room().store.sendlog.plans() == []


@pytest.mark.parametrize(
    ("script", "to", "told"),
    [
        ({}, "no address", "“no address” is no address: "),
        ({}, "", "“” is no address: "),
        ({"RCPT": "550 5.1.1 no such person"}, "me@example.org", "Not sent, refused: 550 5.1.1 no such person"),
        ({"greeting": HANG_UP}, "me@example.org", "smtp://127.0.0.1:"),
    ],
    ids=["no address", "nothing", "refused", "no server"],
)
def test_a_test_mail_that_cannot_be_sent_says_why(office: Office, script: dict[str, str], to: str, told: str):
    with Relay(script) as relay:
        office.use(relay)
        with running(office.room(), SLUG) as address:
            status, _, said = ask(f"{address}test", {"to": to})
    assert status == 409
    assert said.decode("utf-8").startswith(told)
    assert said.decode("utf-8").endswith("[smtp] in the configuration") == (told == "smtp://127.0.0.1:")


# --- the editor ------------------------------------------------------------------------------------------


@pytest.fixture
def editor(tmp_path: Path) -> tuple[Path, Path]:
    """An editor with a window, named gedit, and the pipe into which it writes what it was asked to open."""
    pipe, program = tmp_path / "pipe", tmp_path / "gedit"
    os.mkfifo(pipe)
    program.write_text(f'#!/bin/sh\necho "$@" > {pipe}\n', "utf-8")
    program.chmod(0o755)
    return program, pipe


def test_the_editor_is_opened_at_the_line(newsroom: Newsroom, write_issue, editor: tuple[Path, Path]):
    program, pipe = editor
    slug = write_issue()
    room = Newsroom.open(newsroom.root, {**newsroom.env, "EDITOR": str(program)})
    with running(room, slug) as address:
        status, _, told = ask(f"{address}open", {"path": f"issues/{slug}/issue.md", "line": "7"})
        assert (status, told) == (200, b"Opened in your editor.")
        assert pipe.read_text("utf-8") == f"+7 {room.root}/issues/{slug}/issue.md\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [("../../etc/passwd", "1"), ("/etc/passwd", "1"), ("issues", "1"), ("", "1"), ("pyproject.toml", "-1"),
     ("pyproject.toml", "x")],
)  # fmt: skip
def test_nothing_outside_the_newsroom_is_opened(newsroom: Newsroom, write_issue, path: str, line: str):
    with running(newsroom, write_issue()) as address:
        assert ask(f"{address}open", {"path": path, "line": line})[0] == 404


@pytest.mark.parametrize(
    ("pattern", "env", "way"),
    [
        ("vscode://file/{path}:{line}", {}, Way(link=f"vscode://file{ISSUE_FILE}:57")),
        ("idea://open?file={path}&line={line}", {}, Way(link=f"idea://open?file={ISSUE_FILE}&line=57")),
        ("", {"EDITOR": "code --wait"}, Way(name="code")),
        ("", {"EDITOR": "vi", "VISUAL": "/usr/bin/kate"}, Way(name="kate")),
        ("", {"EDITOR": "vim"}, Way(command=f"vim +57 {ISSUE_FILE}")),
        ("", {"EDITOR": "/usr/bin/hx"}, Way(command=f"/usr/bin/hx {ISSUE_FILE}:57")),
        ("", {"EDITOR": "unclosed '"}, Way()),
        ("", {}, Way()),
    ],
    ids=[
        "link",
        "link with a query",
        "window",
        "VISUAL first",
        "terminal",
        "terminal with a colon",
        "nonsense",
        "none",
    ],
)
def test_the_way_to_a_line(pattern: str, env: dict[str, str], way: Way):
    assert desk_editor.way(pattern, env, ISSUE_FILE, 57) == way


# --- searching, choosing, counting -------------------------------------------------------------------------


def test_a_search_finds_active_readers_by_address_or_name_and_shows_at_most_twenty(office: Office):
    office.subscribe(count=30, ada=["cooperatives"][0])
    office.run("subscribers", "remove", "r001@example.org")
    with running(office.room(), SLUG) as address:
        found = ask(f"{address}readers?q=R00")[2].decode("utf-8")
        assert [f"r00{number}@example.org" in found for number in range(1, 10)] == [False] + [True] * 8
        assert ask(f"{address}readers?q=example.org")[2].count(b"<li>") == 20
        assert "There are more" in ask(f"{address}readers?q=example.org")[2].decode("utf-8")
        assert "Nobody with “&lt;b&gt;”." in ask(f"{address}readers?q=%3Cb%3E")[2].decode("utf-8")
        assert b"<li>" not in ask(f"{address}readers?q=")[2]


CHOICES = {
    "": Choice(),
    "view=nonsense&width=&scheme=blue&reader=-1&interest=a&interest=a": Choice(interests=("a",)),
    "view=compare&left=x&right=y&images=off": Choice(view="compare", left="x", right="y", images=False),
    "reader=12&width=tablet&scheme=dark": Choice(reader=12, width="tablet", scheme="dark"),
    "reader=99999999999999999999": Choice(),
    "reader=%D9%A1": Choice(),  # a digit, but not of ASCII
}


@pytest.mark.parametrize(("query", "choice"), CHOICES.items(), ids=list(CHOICES))
def test_a_choice_is_read_from_an_address_and_written_into_one(query: str, choice: Choice):
    assert Choice.of(QueryParams(query)) == choice
    assert Choice.of(QueryParams(choice.address())) == choice


@pytest.fixture
def proof(real: Composition) -> Proof:
    """The December issue for seven people, two of whom get nothing that is theirs alone."""
    segments = [Segment(("cooperatives",), 3), Segment(("green-jobs", "social-finance"), 2), Segment((), 1)]
    editions, nothing = group(real.issue, segments)
    return Proof(1, real, tuple(editions), (*nothing, Segment(("gone",), 1)), Checked(real.issue))


def test_the_matrix_counts_people_by_interest_and_by_story(proof: Proof, real: Composition):
    topics = list(real.config.interests)
    made = desk_view.matrix(proof, real.everything, topics)
    assert (made.chosen, made.everything, made.nothing, made.people) == ((3, 2, 0, 2), 1, 1, 7)
    rows = {row.story: row for _, section in made.sections for row in section}
    assert tuple(rows) == real.everything
    for story in real.issue.stories:
        counts = [3 * story.suits(("cooperatives",)), 2 * story.suits(("green-jobs", "social-finance")), 1]
        assert rows[story.id].people == sum(counts)
        assert rows[story.id].interests == tuple(story.suits((topic,)) for topic in topics)


def test_the_whole_issue_can_be_looked_at_when_nobody_gets_it(real: Composition):
    editions, _ = group(real.issue, [Segment(("cooperatives",), 3)])
    offered = desk_view.options(Proof(1, real, tuple(editions), (), Checked(real.issue)), real.config.interests)
    assert [(option.name, option.people) for option in offered] == [("The whole issue", 0), ("Cooperatives", 3)]
    assert isinstance(editions[0], Edition)


@pytest.mark.parametrize(("bytes_", "state"), [(92_159, "fits"), (92_160, "near"), (102_399, "near"), (102_400, "cut")])
def test_the_gauge_turns_before_gmail_cuts(bytes_: int, state: str):
    assert desk_view.Gauge.at(bytes_).state == state


@pytest.mark.parametrize("bad", ["javascript:alert({path})", "https://example.org/{path}", "vscode://file/{line}",
                                 "vscode://{path}{other}", "file:///{path}", "{path}"])  # fmt: skip
def test_an_editor_link_is_a_programs_own(office: Office, bad: str):
    config = office.root / "pyproject.toml"
    config.write_text(config.read_text("utf-8") + f'\n[tool.mailer.desk]\neditor = "{bad}"\n', "utf-8")
    answer = office.run("preview", SLUG)
    assert answer.code == 1
    assert "“desk.editor” must be a link such as vscode://file/{path}:{line}" in answer.err.replace("\n", " ")
