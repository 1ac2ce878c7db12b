"""`mailer init` and `mailer new`: what they make is ready, and what was there stays."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from email.utils import parseaddr

import pytest
from sending import finish

from mailer.newsroom import Newsroom, clock

SLUG = "2019-03"


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def first_slug():
    """The issue that `mailer init` makes."""
    return f"{clock():%Y-%m}"


@pytest.fixture
def made(office):
    """An office whose newsroom `mailer init` made."""
    folder = office.root.parent / "made"
    answer = office.run("init", str(folder), "--yes")
    assert (answer.code, answer.err) == (0, "")
    shutil.rmtree(folder / "issues" / first_slug())
    office.root = folder
    return office


def test_init_and_new_make_an_issue_that_can_be_checked_and_built_at_once(made):
    assert made.run("new", SLUG).code == 0
    checked = made.run("check", SLUG, "--json")
    severities = {finding["severity"] for finding in json.loads(checked.out)["findings"]}
    assert (checked.code, "error" in severities) == (0, False)
    made.subscribe("all@example.org", coops="cooperatives", green="green-jobs")
    editions = json.loads(made.run("editions", SLUG, "--json").out)["editions"]
    assert [(edition["story_ids"], edition["people"]) for edition in editions] == [
        (["first-story", "for-everybody", "conference"], 2),
        (["for-everybody", "conference"], 1),
    ]
    built = made.run("build", SLUG, "--json")
    assert built.code == 0
    written = json.loads(built.out)
    endings = {name.rpartition(".")[2] for name in written["files"]}
    assert endings >= {"html", "txt", "eml"}
    assert all((made.root / "build" / SLUG / name).stat().st_size for name in written["files"])


LABELS = {"a": "Alpha", "b": "Beta", "c": "Gamma", "d": "Delta", "e": "Epsilon"}


@pytest.mark.parametrize(
    ("count", "first", "last"),
    [(1, "a", "a"), (2, "a", "ab"), (3, "a", "bc"), (4, "ab", "cd"), (5, "ab", "cd")],
)
def test_a_new_issue_uses_every_topic_of_a_few(made, count, first, last):
    config = made.root / "mailer.toml"
    before, _, after = config.read_text("utf-8").partition("[interests]")
    interests = "".join(f'{topic} = "{LABELS[topic]}"\n' for topic in "abcde"[:count])
    config.write_text(f"{before}[interests]\n{interests}\n[smtp]{after.partition('[smtp]')[2]}", "utf-8")
    made.run("new", SLUG)
    stories = Newsroom.open(made.root, {}).issue(SLUG).stories
    assert [story.topics for story in stories] == [tuple(first), (), tuple(last)]


@pytest.mark.parametrize(
    ("slug", "day"),
    [("2019-03", date(2019, 3, 1)), ("2019-03-14", date(2019, 3, 14)), ("2019-13", None), ("may", None)],
)
def test_a_new_issue_has_the_date_of_its_slug_or_todays(made, slug, day):
    before = clock().date()
    made.run("new", slug)
    written = Newsroom.open(made.root, {}).issue(slug).date
    assert written == day if day else before <= written <= clock().date()


def test_a_fresh_issue_is_warned_of_its_placeholders_alone(made):
    made.run("new", SLUG)
    findings = made.run("check", SLUG, "--json").json["findings"]
    assert [(each["id"], each["severity"], each["path"], each["line"], each["text"]) for each in findings] == [
        ("MLR013", "warning", f"issues/{SLUG}/issue.md", 5,
         "the words “say in 60 characters what is in it” are from the example"),
        ("MLR013", "warning", f"issues/{SLUG}/issue.md", 6,
         "the words “The line that stands beside the subject in the inbox, 40 to 110 characters” are from the example"),
        ("MLR013", "warning", f"issues/{SLUG}/issue.md", 21,
         "the words “The title of the first story” are from the example"),
        ("MLR013", "warning", "mailer.toml", 0,
         "the words “Your institution, street, town, country” are from the example"),
    ]  # fmt: skip


def test_every_example_of_a_new_issue_is_in_the_mail(made):
    made.run("new", SLUG)
    made.run("build", SLUG)
    [text] = [path.read_text("utf-8") for path in (made.root / "build" / SLUG).glob("*.txt")]
    for part in ("A word of welcome", "The title of the first story", "Read the report", "A conference", "Geneva"):
        assert part in text


NAMES = [
    "Our Newsletter",
    'The "Quoted" News',
    "Workers' News, Geneva",
    r"Back\slash & <tags>",
    "Colon: [brackets] {braces} # hash",
    "Yétúndé’s 新闻 – أخبار",
    "@all: 100% \N{PARTY POPPER}",
    "- true",
    "{title}",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_makes_a_newsroom_and_an_issue_that_are_ready(office, name):
    folder = office.root.parent / "made"
    assert office.run("init", str(folder), "--yes", "--name", name).code == 0
    office.root = folder
    newsletter = tomllib.loads((folder / "mailer.toml").read_text("utf-8"))["newsletter"]
    assert (newsletter["name"], parseaddr(newsletter["sender"])) == (name, (name, "newsletter@example.org"))
    assert office.run("new", SLUG).code == 0
    issue = Newsroom.open(folder, {}).issue(SLUG)
    assert (issue.title, issue.subject) == (name, "say in 60 characters what is in it")
    assert office.run("check", SLUG).code == 0


@pytest.mark.parametrize("name", ["", "  ", "Two\nlines", "Bell\x07"], ids=["empty", "blank", "two-lines", "bell"])
def test_a_name_that_is_none_is_refused_and_nothing_made(office, tmp_path, name):
    answer = office.run("init", str(tmp_path / "made"), "--name", name)
    assert (answer.code, answer.out, answer.err) == (1, "", "Error: the name must be one line of text\n")
    assert not (tmp_path / "made").exists()


def test_a_new_newsroom_has_a_first_issue_that_can_be_checked_and_built_at_once(office, tmp_path):
    assert office.run("init", str(tmp_path / "made"), "--yes").code == 0
    office.root = tmp_path / "made"
    assert {finding["id"] for finding in office.run("check", first_slug(), "--json").json["findings"]} == {"MLR013"}
    assert office.run("build", first_slug()).code == 0


def test_init_leaves_the_issues_of_a_folder_alone(office, tmp_path):
    (tmp_path / "made/issues/2019-03").mkdir(parents=True)
    assert office.run("init", str(tmp_path / "made"), "--yes").code == 0
    assert [path.name for path in (tmp_path / "made/issues").iterdir()] == ["2019-03"]


def test_no_note_of_an_example_reaches_a_reader(made):
    """The comments that explain it; and what they hold out, such as a picture that is not there."""
    made.run("new", SLUG)
    made.run("build", SLUG)
    written = [path.read_text("utf-8") for path in (made.root / "build" / SLUG).iterdir() if path.suffix != ".eml"]
    assert len(written) == 3
    for note in ("those who write", "first-story.png", "begins a section", "{.button}"):
        assert not any(note in text for text in written)


# --- asked ------------------------------------------------------------------------------------------------


def test_where_nobody_can_answer_nothing_is_asked_and_that_is_said(office, tmp_path):
    answer = office.run("init", str(tmp_path / "made"))
    said = "Nothing was asked, since this is no terminal: mailer.toml holds the defaults, as with --yes.\n"
    assert (answer.code, answer.err) == (0, said)
    assert office.run("init", str(tmp_path / "other"), "--yes").err == ""
    assert files(tmp_path / "made")["mailer.toml"] == files(tmp_path / "other")["mailer.toml"]


def at_a_terminal(office, folder, *answers):
    """`mailer init` on a terminal of its own, with these answers typed in; the configuration it wrote."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, "".join(answer + "\n" for answer in answers).encode())
        done = finish(office.start("init", str(folder), stdin=theirs))
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.code == 0, done.err
    return done.err, tomllib.loads((folder / "mailer.toml").read_text("utf-8"))


def test_enter_takes_every_default(office, tmp_path):
    _, asked = at_a_terminal(office, tmp_path / "made", *[""] * 8)
    assert office.run("init", str(tmp_path / "other"), "--yes").code == 0
    assert asked == tomllib.loads((tmp_path / "other/mailer.toml").read_text("utf-8"))


def test_answers_stand_in_the_configuration_and_what_follows_from_them(office, tmp_path):
    _, config = at_a_terminal(
        office, tmp_path / "made", "Nouvelles", "Presse <news@example.net>", "", "", "Genève, Suisse", "fr",
        "Coopératives, Emplois verts", "smtps://me@mail.example.net",
    )  # fmt: skip
    assert config["newsletter"] == {
        "name": "Nouvelles", "sender": "Presse <news@example.net>", "reply_to": "office@example.net",
        "list_id": "nouvelles.example.net", "public_url": "https://newsletter.example.net",
        "postal_address": "Genève, Suisse", "language": "fr", "template": "enterprises",
    }  # fmt: skip
    assert config["interests"] == {"cooperatives": "Coopératives", "emplois-verts": "Emplois verts"}
    assert config["smtp"]["url"] == "smtps://me@mail.example.net"
    office.root = tmp_path / "made"
    assert office.run("check", first_slug()).code == 0


def test_an_answer_that_cannot_be_used_is_asked_for_again(office, tmp_path):
    said, config = at_a_terminal(
        office, tmp_path / "made", "", "nobody", "a@example.org", "", "ftp://x", "https://example.org", "", "xx", "en",
        "A, a", "A, B", "mail.example.org", "smtp://mail.example.org",
    )  # fmt: skip
    assert (config["newsletter"]["sender"], list(config["interests"])) == ("a@example.org", ["a", "b"])
    for mistake in (
        "“newsletter.sender” holds no valid address: An email address must have an @-sign.",
        "“newsletter.public_url” must be an address such as https://newsletter.example.org",
        "the template has its words in ar, en, es, fr; begin with one, and add yours to theme.toml later",
        "two topics have the same name",
        "“smtp.url” must",
    ):
        assert mistake in said


@pytest.mark.parametrize("there", ["mailer.toml", "templates/mine.txt"])
def test_init_changes_nothing_where_a_newsroom_is(office, tmp_path, there):
    folder = tmp_path / "made"
    (folder / there).parent.mkdir(parents=True)
    (folder / there).write_text("mine", "utf-8")
    answer = office.run("init", str(folder))
    assert (answer.code, answer.err) == (1, f"Error: {folder} holds a newsroom already; nothing was changed\n")
    assert files(folder) == {there: b"mine"}


def test_init_adds_to_a_folder_and_keeps_what_is_in_it(office, tmp_path):
    folder = tmp_path / "made"
    (folder / "issues").mkdir(parents=True)
    (folder / "README.md").write_text("mine", "utf-8")
    (folder / ".gitignore").write_bytes(b"b\xe9ta\nbuild/")
    assert office.run("init", str(folder)).code == 0
    after = files(folder)
    assert (after["README.md"], after[".gitignore"].decode("latin-1").splitlines()) == (
        b"mine", ["béta", "build/", "subscribers/*.db*", "subscribers/.*", "subscribers/*.csv"])  # fmt: skip


def test_git_keeps_people_and_secrets_out(made):
    """With git itself: an import, its rejects, the database and the key are not offered for a commit."""
    made.run("new", SLUG)
    people = made.root / "subscribers/people.csv"
    people.write_text("email\nann@example.org\nbad\n", "utf-8")
    assert made.run("subscribers", "import", str(people), "--skip-bad", "--source", "sheet").code == 0
    made.run("build", SLUG)
    git = ["git", "-C", str(made.root)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    kept = {path.partition("/")[0] for path in listed.stdout.splitlines()}
    assert kept == {".gitignore", "mailer.toml", "templates", "issues"}


@pytest.mark.parametrize("place", ["file", "file/made"])
def test_init_where_no_folder_can_be_is_one_sentence(office, tmp_path, place):
    (tmp_path / "file").touch()
    answer = office.run("init", str(tmp_path / place))
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    assert answer.err.startswith(f"Error: {tmp_path / 'file'}")


@pytest.mark.parametrize("slug", ["2019 03", "../2019", "2019/03", "März", "", "A", "-a", "a--b"])
def test_a_slug_that_is_none_is_refused(made, slug):
    answer = made.run("new", "--", slug)
    message = f"Error: “{slug}” is no name for an issue; use small letters, digits and single hyphens\n"
    assert (answer.code, answer.err, list((made.root / "issues").iterdir())) == (1, message, [])


def test_new_never_writes_over_an_issue(made):
    path = made.root / "issues" / SLUG / "issue.md"
    path.parent.mkdir()
    path.write_text("mine", "utf-8")
    answer = made.run("new", SLUG)
    assert (answer.code, answer.err) == (1, f"Error: {path} exists already; nothing was changed\n")
    assert path.read_text("utf-8") == "mine"


def test_new_where_no_folder_can_be_is_one_sentence(made):
    (made.root / "issues" / SLUG).touch()
    answer = made.run("new", SLUG)
    assert (answer.code, answer.out, answer.err) == (
        1, "", f"Error: {made.root / 'issues' / SLUG} cannot be written: File exists\n")  # fmt: skip


def test_an_address_of_the_readers_pages_is_no_name_for_a_new_issue(made, tmp_path):
    said = "Error: “u” is an address of the reader's pages; give the issue another name, such as 2019-03\n"
    draft = tmp_path / "draft.md"
    draft.write_text("# News\n\n## A story\n\nWords.\n", "utf-8")
    for command in (("new", "u"), ("import", str(draft), "-o", "issues/u/issue.md")):
        answer = made.run(*command)
        assert (answer.code, answer.out, answer.err) == (1, "", said)
    assert not (made.root / "issues/u").exists()


def test_new_outside_a_newsroom_says_how_to_make_one(office, tmp_path):
    office.root = tmp_path
    answer = office.run("new", SLUG)
    assert (answer.code, "is no newsroom" in answer.err, "mailer init DIR" in answer.err) == (1, True, True)


def test_what_init_prints_can_be_run(office, tmp_path):
    """In a shell, also where the folder has a blank in its name."""
    printed = finish(office.start("init", str(tmp_path / "made here"))).out.splitlines()
    program, *arguments = shlex.split(printed[-1])
    done = subprocess.run([sys.executable, "-m", program, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "made here/issues" / arguments[-1] / "issue.md").is_file()
