"""An issue composed: its message templates, its sizes, and what a plan is held against when it goes on."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from conftest import ISSUE, copy_newsroom
from drafts import png
from PIL import Image
from received import bodies, field, fields, parse, structure, wire_faults
from samples import DATE, TOKENS

from mailer.compose.composition import Composition, changes
from mailer.compose.editions import select
from mailer.models import Subscriber
from mailer.newsroom import Newsroom

PICTURED = ISSUE.replace("They [grow", "![A field](images/field.png)\n\nThey [grow").replace(
    "Something for", "Look: ![A field again](more/field.png) Something for"
)
HOSTILE = Subscriber(
    "o'b+x@example.org",
    id=7,
    name='“Ann”, "><script>.\r\nBcc: x@example.org',
    interests=("green-jobs", "cooperatives"),
)


@pytest.fixture
def written(newsroom, write_issue) -> Newsroom:
    """A newsroom with a small issue and two pictures of one name."""
    write_issue(PICTURED)
    for folder, width in (("images", 4), ("more", 6)):
        path = newsroom.root / "issues/2019-01" / folder / "field.png"
        path.parent.mkdir()
        path.write_bytes(png(width))
    return newsroom


def compose(newsroom: Newsroom) -> Composition:
    """Everything read anew, as another run of the command does."""
    return Newsroom.open(newsroom.root, newsroom.env).compose("2019-01")


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


# --- messages ---------------------------------------------------------------------------------------------


def test_a_template_is_compiled_once_for_a_selection_and_a_subject(real):
    issue = real.issue
    coops = select(issue, ("cooperatives",))
    assert real.template(coops) is real.template(select(issue, ["cooperatives"]))
    assert real.template(coops, "[Test] x") is real.template(coops, "[Test] x")
    assert len({id(each) for each in (real.template(coops), real.template(coops, "x"), real.template(()))}) == 3
    assert real.template(real.everything) is not real.template(coops)


@pytest.mark.parametrize(
    "interests", [(), ("cooperatives",), ("green-jobs", "social-finance"), ("mne-declaration",)], ids=", ".join
)
def test_the_real_issue_as_mailed_says_what_its_pages_say(real, interests):
    """What the desk and `build` show is what is mailed; a hostile name harms neither."""
    reader = replace(HOSTILE, interests=interests)
    selection = select(real.issue, interests)
    personal = real.personaliser(TOKENS).personal(reader)
    message = real.template(selection).fill(personal, DATE)
    text, html = bodies(message)
    assert text == real.text_for(selection, personal).removesuffix("\n")
    assert html == real.html_for(selection, personal).removesuffix("\n")
    assert escape(personal.name) in html
    assert personal.name in text
    assert f"%%{real.marks.nonce}" not in html + text
    assert wire_faults(message) == []
    assert parse(message)["Subject"] == real.issue.subject


def test_the_personal_links_stand_in_both_parts(real):
    """Standards U11: a visible way to leave."""
    personal = real.personaliser(TOKENS).personal(HOSTILE)
    text, html = bodies(real.template(real.everything).fill(personal, DATE))
    for url in (personal.unsubscribe_url, personal.preferences_url, personal.web_url):
        assert f'href="{url}"' in html
        assert f"<{url}>" in text


def test_the_words_for_no_name_and_no_interests_are_the_issues_language(newsroom, write_issue):
    write_issue(ISSUE.replace("title:", "language: fr\ntitle:"))
    composition = compose(newsroom)
    words = composition.theme.words("fr")
    personal = composition.personaliser(TOKENS).personal(Subscriber("ann@example.org", id=1))
    assert (personal.name, personal.interests) == (words["reader"], words["everything"])


def test_embedded_pictures_travel_with_the_editions_that_show_them(written):
    edit(written.root / "pyproject.toml", "[tool.mailer.newsletter]", '[tool.mailer.newsletter]\nimages = "embed"')
    composition = compose(written)
    personal = composition.personaliser(TOKENS).personal(HOSTILE)

    def pictures(*interests: str) -> list[bytes]:
        message = composition.template(select(composition.issue, interests)).fill(personal, DATE)
        assert wire_faults(message) == []
        parts = [part for part in parse(message).walk() if part.get_content_maintype() == "image"]
        assert [part["Content-ID"].strip("<>") in bodies(message)[1] for part in parts] == [True] * len(parts)
        assert len({part["Content-ID"] for part in parts}) == len(parts)
        return [part.get_content() for part in parts]

    assert pictures() == [png(4), png(6)]
    assert pictures("green-jobs") == [png(6)]


def test_linked_pictures_stay_on_the_web(written):
    composition = compose(written)
    personal = composition.personaliser(TOKENS).personal(HOSTILE)
    message = composition.template(composition.everything).fill(personal, DATE)
    assert structure(parse(message)) == ("multipart/alternative", ["text/plain", "text/html"])
    assert 'src="https://newsletter.example.org/2019-01/images/field.png"' in bodies(message)[1]


def test_what_an_author_writes_is_neither_slot_nor_mark(newsroom, write_issue):
    words = ["%%name%%", "%%01234567_email%%", "<!--@@01234567:story:coops@@-->", "{{ slot('name') }}", "@@"]
    write_issue(ISSUE.replace("Something for all of us.", "\n\n".join(f"`{each}`" for each in words)))
    composition = compose(newsroom)
    personal = composition.personaliser(TOKENS).personal(HOSTILE)
    text, html = bodies(composition.template(composition.everything).fill(personal, DATE))
    assert [each for each in words if each not in text or escape(each, quote=False) not in html] == []


def test_sizes_are_those_of_the_page_and_of_its_encoded_form(real):
    selection = select(real.issue, ("cooperatives",))
    plain, encoded = real.sizes(selection)
    assert plain == len(real.html.cut(selection).encode("utf-8"))
    personal = real.personaliser(TOKENS).personal(HOSTILE)
    mailed = list(parse(real.template(selection).fill(personal, DATE)).iter_parts())[-1].get_payload()
    assert plain < encoded == pytest.approx(len(mailed), rel=0.01)  # the slots' names against eleven links


def test_a_test_mail_names_nobody_but_goes_to_the_reader(real):
    message = real.template(real.everything, "[Test] x").fill(
        real.personaliser(TOKENS, inert=True).personal(HOSTILE), DATE
    )
    assert field(message, "Subject") == "[Test] x"
    token = dict(fields(message))["List-Unsubscribe"].partition("/u/")[2].partition(">")[0]
    assert TOKENS.read("unsubscribe", token) == 0


# --- fingerprints -----------------------------------------------------------------------------------------

ISSUE_FILE = "issues/2019-01/issue.md"
NEW = "## New {#new}\n\nNews.\n\n"


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        pytest.param(ISSUE_FILE, "grow fast", "grow", ["story “coops” changed"], id="body"),
        pytest.param(
            ISSUE_FILE, "## Cooperatives grow", "## Cooperatives shrink", ["story “coops” changed"], id="title"
        ),
        pytest.param(ISSUE_FILE, "topics=cooperatives", "topics=green-jobs", ["story “coops” changed"], id="topics"),
        pytest.param(ISSUE_FILE, "Read the report", "The report", ["story “coops” changed"], id="button"),
        pytest.param(ISSUE_FILE, "![A field]", "![Fields]", ["story “coops” changed"], id="alt"),
        pytest.param(ISSUE_FILE, "subject: Two", "subject: 2", ["the front matter changed"], id="subject"),
        pytest.param(ISSUE_FILE, "2018-12-14", "2018-12-15", ["the front matter changed"], id="date"),
        pytest.param(ISSUE_FILE, "preheader: One", "preheader: 1", ["the front matter changed"], id="preheader"),
        pytest.param(ISSUE_FILE, "Welcome.", "Welcome!", ["the welcome changed"], id="welcome"),
        pytest.param(ISSUE_FILE, "# News", "# The news", ["the sections changed"], id="section-title"),
        pytest.param(ISSUE_FILE, "{#news}", "{#news}\n\nIn short.", ["the sections changed"], id="section-intro"),
        pytest.param(
            ISSUE_FILE, "## For", f"{NEW}## For", ["the list of stories changed", "story “new” is new"], id="new-story"
        ),
        pytest.param(
            ISSUE_FILE,
            "{#all}",
            "{#us}",
            ["the list of stories changed", "story “all” is gone", "story “us” is new"],
            id="renamed-story",
        ),
        pytest.param(ISSUE_FILE, "\n\nWelcome", "\n\n\n\nWelcome", [], id="blank-lines"),
        pytest.param(ISSUE_FILE, "\n", "\r\n", [], id="line-ends"),
        pytest.param("templates/enterprises/head.css", "", "\n", ["templates/enterprises/head.css changed"], id="css"),
        pytest.param(
            "templates/enterprises/page.txt.j2",
            "",
            "\n",
            ["templates/enterprises/page.txt.j2 changed"],
            id="text-template",
        ),
        pytest.param(
            "pyproject.toml", 'name = "Enterprises', 'name = "Our', ["the newsletter's settings changed"], id="name"
        ),
        pytest.param(
            "pyproject.toml",
            'green-jobs = "Green jobs"',
            'green-jobs = "Jobs"',
            ["the interests changed"],
            id="interests",
        ),
        pytest.param("pyproject.toml", "connections = 4", "connections = 8", [], id="relay"),
    ],
)
def test_a_change_is_named_and_nothing_else(written, file, before, after, told):
    """Whoever continues a send learns what to take back; DESIGN section 7."""
    planned = compose(written).fingerprint()
    edit(written.root / file, before, after)
    assert changes(planned, compose(written).fingerprint()) == told


def test_stories_that_change_places_are_noticed(written):
    planned = compose(written).fingerprint()
    file = written.root / ISSUE_FILE
    head, coops, everybody = file.read_text("utf-8").partition("## Cooperatives")[0], "## Cooperatives", "## For"
    body = file.read_text("utf-8").removeprefix(head)
    first, second = body.split(everybody)
    assert first.startswith(coops)
    file.write_text(f"{head}{everybody}{second}\n\n{first}", "utf-8")
    assert changes(planned, compose(written).fingerprint()) == ["the list of stories changed"]


@pytest.mark.parametrize("name", ["images/field.png", "more/field.png"])
def test_a_picture_of_the_same_size_but_other_colours_is_noticed(written, name):
    planned = compose(written).fingerprint()
    path = written.root / "issues/2019-01" / name
    file = io.BytesIO()
    with Image.open(path) as image:
        Image.new("RGB", image.size, "red").save(file, "PNG")
    path.write_bytes(file.getvalue())
    assert changes(planned, compose(written).fingerprint()) == [f"picture {name} changed"]


def test_a_template_file_that_comes_or_goes_is_named(written):
    """Theme files are read as they are found; an editor's swap file is none."""
    extra = written.root / "templates/enterprises/parts/_extra.mjml.j2"
    planned = compose(written).fingerprint()
    extra.parent.mkdir()
    extra.write_text("")
    (extra.parent / ".extra.swp").write_text("")
    with_extra = compose(written).fingerprint()
    assert changes(planned, with_extra) == ["templates/enterprises/parts/_extra.mjml.j2 is new"]
    assert changes(with_extra, planned) == ["templates/enterprises/parts/_extra.mjml.j2 is gone"]


def test_a_newsroom_that_moves_keeps_its_fingerprint(written, tmp_path):
    """A send may go on from another folder, or another machine."""
    planned = compose(written).fingerprint()
    moved = copy_newsroom(tmp_path / "elsewhere")
    shutil.copytree(written.root / "issues", moved.root / "issues")
    assert moved.compose("2019-01").fingerprint() == planned


def test_changes_tells_what_changed_then_what_went_then_what_came():
    before = {"a": "1", "b": "1", "c": "1"}
    after = {"b": "2", "c": "1", "d": "1"}
    assert changes(before, after) == ["b changed", "a is gone", "d is new"]
    assert changes(before, before) == []


def test_a_folder_that_cannot_stand_in_an_address_is_no_issue(newsroom, write_issue):
    """The slug is part of Message-ID, Feedback-ID and links."""
    write_issue(slug="December 2018")
    with pytest.raises(Exception, match="issues/December 2018: this folder's name may hold small letters, digits"):
        newsroom.compose("December 2018")
