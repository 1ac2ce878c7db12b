"""What stands in a terminal of 80 columns and of 60: nothing wider, and no word broken."""

from __future__ import annotations

import pytest
from sending import SLUG
from smtp_relay import Relay

from mailer.cli.app import out
from mailer.models import Slowdown

NOW = "2018-12-14T08:00:00Z"
WHY = "450 4.7.1 [limits] Too many messages from relay.example.org in the last minute, please slow down"


@pytest.fixture
def sent(office):
    """An issue that was sent to two, and slowed down."""
    with Relay({"RCPT coops@example.org": "550 5.1.1 No such user in the directory of this institution"}) as relay:
        office.use(relay)
        office.subscribe("somebody.with.a.name@example.org", coops="cooperatives")
        office.run("send", SLUG, "--yes")
    office.room().store.sendlog.pace.slowed(SLUG, Slowdown(NOW, "smtp://relay.example.org:25", 2.5, WHY))
    office.run("subscribers", "change", "coops@example.org", "--interests", "cooperatives,green-jobs,social-finance")
    return office


COMMANDS = [
    ("consent", "show", "coops@example.org"),
    ("consent", "verify"),
    ("rehearse", SLUG, "--audience", "40"),
    ("status",),
    ("status", SLUG),
    ("log", SLUG),
    ("log", SLUG, "--pace"),
    ("editions", SLUG),
    ("explain", SLUG, "coops@example.org"),
    ("subscribers", "list"),
    ("subscribers", "list", "--limit", "1"),
    ("subscribers", "show", "coops@example.org"),
    ("retention",),
    ("archive", "--out", "web"),
]


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken(sent, monkeypatch, tmp_path, command, columns):
    monkeypatch.chdir(tmp_path)

    def words(width: int) -> tuple[list[str], set[str]]:
        monkeypatch.setattr(out, "width", width)
        answer = sent.run(*command)
        assert answer.code == 0
        told = (answer.out + answer.err).splitlines()
        return told, {word.strip(",") for line in told for word in line.split() if word.strip("─")}

    told, shown = words(columns)
    _, whole = words(500)
    if command[0] == "rehearse":  # its rate is another each time
        whole, shown = ({word for word in one if not word[0].isdigit()} for one in (whole, shown))
    assert shown - whole == set()
    assert [line for line in told if len(line.rstrip()) > columns] == []


def test_status_keeps_the_name_of_an_issue_where_its_columns_are_too_many(sent, monkeypatch):
    monkeypatch.setattr(out, "width", 60)
    lines = [line.strip() for line in sent.run("status").out.splitlines()]
    assert lines == [SLUG, "audience 2, accepted 1, refused 1, skipped 0, unknown 0,", "open 0"]


def test_a_reply_that_slowed_a_send_is_shown_as_it_came(sent):
    assert WHY in " ".join(sent.run("log", SLUG, "--pace").out.split())


def test_an_edition_is_named_by_the_same_letters_everywhere(sent):
    """So that what `editions` shows can be searched for in the log and in the file names of `build`."""
    named = {row["edition"] for row in sent.run("log", SLUG, "--format", "json").json}
    shown = sent.run("editions", SLUG).out
    sent.run("build", SLUG)
    files = {path.name for path in (sent.root / "build" / SLUG).iterdir()}
    for key in named:
        assert len(key) == 12
        assert any(line.split()[0] == key for line in shown.splitlines() if line.strip())
        assert any(key in name for name in files)
