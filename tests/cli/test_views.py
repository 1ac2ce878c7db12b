"""What tables and streams look like to grep, to a narrow terminal, and to one that knows few letters."""

from __future__ import annotations

import pytest
from sending import SLUG, finish

from mailer.cli import views

LONG = "a.rather.long.name.for.a.person@statistics.example.org"  # 54 characters
LONGEST = "a.very.long.name.of.a.person.in.an.office@statistics.example.org"  # 64


@pytest.mark.parametrize("command", [("log", SLUG), ("subscribers", "list")], ids=" ".join)
def test_an_address_is_never_broken(office, monkeypatch, command):
    office.subscribe(LONG, green="green-jobs")
    office.plan()
    narrow = office.run(*command).out
    assert (LONG in narrow, max(map(len, narrow.splitlines())) <= 80) == (True, True)
    monkeypatch.delenv("COLUMNS")
    longer = f"{'x' * 60}@{'y' * 60}.example.org"
    office.run("subscribers", "add", longer)
    office.run("send", SLUG, "--dry-run", "--replan")
    listed = office.run("subscribers", "list").out
    assert [line.split()[0] for line in listed.splitlines() if "@" in line] == [LONG, "green@example.org", longer]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("log", SLUG), "  queued, tries 0"),
        (("subscribers", "list"), "  Adelheid Konstantinopolitanski-Oberhuber, Cooperatives, Green jobs, active"),
        (
            ("subscribers", "show", LONGEST),
            "  Adelheid Konstantinopolitanski-Oberhuber, Cooperatives, Green jobs, active",
        ),
    ],
    ids=["log", "list", "show"],
)
def test_what_is_too_wide_for_columns_stands_below_its_address(office, command, said):
    name = "Adelheid Konstantinopolitanski-Oberhuber"
    office.run("subscribers", "add", LONGEST, "--name", name, "--interests", "cooperatives,green-jobs")
    office.plan()
    lines = office.run(*command).out.splitlines()
    assert lines[lines.index(LONGEST) + 1] == said
    assert max(map(len, lines)) <= 80


def test_an_empty_log_is_a_sentence(office):
    office.subscribe("ann@example.org")
    office.plan()
    answer = office.run("log", SLUG, "--state", "refused")
    assert (answer.code, answer.out, answer.err) == (0, f"Nobody is refused in {SLUG}.\n", "")


def test_markup_in_the_label_of_an_interest_is_shown_as_it_is(office):
    path = office.root / "pyproject.toml"
    text = path.read_text("utf-8")
    assert '"Green jobs"' in text
    path.write_text(text.replace('"Green jobs"', '"Jobs [/x]"'), "utf-8")
    office.subscribe(green="green-jobs")
    for command in (("subscribers", "list"), ("editions", SLUG)):
        answer = office.run(*command)
        assert (answer.code, "Jobs [/x]" in answer.out) == (0, True), answer.err


def test_a_terminal_of_few_letters_gets_question_marks_and_programs_get_utf_8(office):
    office.run("subscribers", "add", "ann@example.org", "--name", "زينب")
    few = {"PYTHONIOENCODING": "cp1252"}
    listed = finish(office.start("subscribers", "list", env=few))
    assert (listed.code, "????" in listed.out, listed.err) == (0, True, "")
    for command in (["export"], ["list", "--json"]):
        answer = finish(office.start("subscribers", *command, env=few))
        assert (answer.code, "زينب" in answer.out, answer.err) == (0, True, "")


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "edition", "1 edition"),
        (0, "edition", "0 editions"),
        (2, "story", "2 stories"),
        (1234, "line", "1,234 lines"),
    ],
)
def test_numbers_agree_with_their_nouns(count, noun, text):
    assert views.count_of(count, noun) == text
