"""`mailer import`: a draft becomes an issue that can be checked at once; what was there stays."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import docx
import pytest
from conftest import ROOT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches
from PIL import Image
from sending import finish

SLUG = "2019-03"
REAL = ROOT / "tests/data/drafts/enterprises-newsletter-2018-12.txt"


def png(width: int, height: int) -> bytes:
    """A picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, "PNG")
    return file.getvalue()


def link(paragraph: object, text: str, address: str) -> None:
    """A hyperlink, which python-docx can read and not write (ECMA-376 part 1, section 17.16.22)."""
    part = paragraph.part  # type: ignore[attr-defined]
    element = OxmlElement("w:hyperlink")
    element.set(qn("r:id"), part.relate_to(address, docx.opc.constants.RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run = OxmlElement("w:r")
    run.text = text
    element.append(run)
    paragraph._p.append(element)  # type: ignore[attr-defined]


def word_draft(path: Path) -> None:
    """What people paste together in a word processor: headings, a list, a link, a picture, a table."""
    draft = docx.Document()
    draft.add_paragraph("Cooperative News", style="Title")
    draft.add_paragraph("Dear readers,")
    draft.add_heading("Top stories", 1)
    draft.add_heading("Statistics for cooperatives", 2)
    text = draft.add_paragraph("Guidelines were ")
    text.add_run("adopted").bold = True
    text.add_run(" in Geneva: see ")
    link(text, "the text", "https://example.org/guidelines")
    text.add_run(" and ")
    link(text, "the rest", "")
    text.add_run(".")
    draft.add_picture(io.BytesIO(png(1400, 700)), width=Inches(5))
    draft.inline_shapes[0]._inline.docPr.set("descr", "A bar chart\n\nDescription automatically generated")
    for item in ("Cooperatives", "Members"):
        draft.add_paragraph(item, style="List Bullet")
    table = draft.add_table(2, 2)
    for place, words in enumerate(("Year", "Members", "2018", "1,200")):
        table.cell(place // 2, place % 2).text = words
    draft.add_heading("Events", 1)
    draft.add_heading("A conference", 2)
    draft.add_paragraph("In Cape Town.")
    draft.save(str(path))


def tracked(paragraph: object, tag: str, text: str, holder: str = "w:t") -> None:
    """A change that the word processor keeps track of, which python-docx does not write."""
    change, run, words = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(holder)
    change.set(qn("w:author"), "Nora")
    words.text = text
    run.append(words)
    change.append(run)
    paragraph._p.append(change)  # type: ignore[attr-defined]


def test_comments_and_tracked_changes_of_a_word_document_are_named(office, tmp_path):
    draft = docx.Document()
    draft.add_heading("News", 1)
    draft.add_heading("A story", 2)
    text = draft.add_paragraph("It opened ")
    tracked(text, "w:del", "yesterday", "w:delText")
    tracked(text, "w:ins", "in May.")
    for words in ("Really?", "Ask Ann."):
        draft.add_comment(text.runs, words, author="Nora")
    draft.save(str(tmp_path / "draft.docx"))
    answer = office.run("import", str(tmp_path / "draft.docx"), "-o", f"issues/{SLUG}/issue.md")
    assert answer.err.splitlines() == [
        "draft.docx: 2 comments were left out",
        "draft.docx: 1 tracked insertion was taken in",
        "draft.docx: 1 tracked deletion was left out",
    ]
    assert "\nIt opened in May.\n" in (office.root / "issues" / SLUG / "issue.md").read_text("utf-8")


def test_a_word_document_becomes_an_issue(office, tmp_path):
    word_draft(tmp_path / "draft.docx")
    answer = office.run("import", str(tmp_path / "draft.docx"), "-o", f"issues/{SLUG}/issue.md")
    folder = office.root / "issues" / SLUG
    assert (answer.code, answer.err) == (
        0, "draft.docx: 1 link has no address and leads to https://example.org/TODO now; look for TODO\n")  # fmt: skip
    assert answer.out == (
        f"2 sections, 2 stories, 1 picture in {folder}/\n"
        "Topics are proposed for 1 of 2; a story without goes to everybody.\n"
        "Look for “proposed:” in issue.md, keep or change topics=, then cut the line.\n"
        f"Then: mailer check {SLUG}\n"
    )
    assert (
        (folder / "issue.md").read_text("utf-8")
        == """\
---
title: "Cooperative News"
date: 2019-03-01
subject: "say in 60 characters what is in it"
preheader: "The line that stands beside the subject in the inbox, 40 to 110 characters"
---

Dear readers,

# Top stories

## Statistics for cooperatives {#statistics-cooperatives topics=cooperatives}

<!-- proposed: cooperatives for “cooperative” × 2 -->

![A bar chart](images/statistics-cooperatives.png)

Guidelines were **adopted** in Geneva: see [the text](https://example.org/guidelines) and [the rest](https://example.org/TODO).

- Cooperatives
- Members

| Year | Members |
| --- | --- |
| 2018 | 1,200 |

# Events

## A conference {#conference}

In Cape Town.
"""
    )
    assert (folder / "images/statistics-cooperatives.png").read_bytes() == png(1400, 700)


def test_the_real_newsletter_can_be_checked_at_once(office):
    """Its links had no address any more: that is all that keeps it from going out."""
    answer = office.run("import", str(REAL), "-o", SLUG, "--json")
    assert (answer.code, answer.json["sections"], answer.json["stories"], answer.json["pictures"]) == (0, 6, 38, 0)
    assert len(answer.json["proposed"]) == 23
    checked = office.run("check", SLUG, "--json").json["findings"]
    errors = [finding for finding in checked if finding["severity"] == "error"]
    assert {finding["id"] for finding in errors} == {"MLR032"}


def test_proposals_show_where_they_are_decided_and_in_no_mail(office):
    office.run("import", str(REAL), "-o", SLUG)
    assert office.run("build", SLUG).code == 0
    page = next((office.root / "build" / SLUG).glob("*-stories-*.html")).read_text("utf-8")
    assert "Cooperatives</p>" in page
    assert not any("proposed:" in path.read_text("utf-8") for path in (office.root / "build" / SLUG).glob("*.*"))


def write(folder: Path, text: str = "# S\n\n## A\n\nText.\n") -> str:
    (folder / "draft.md").write_text(text, "utf-8")
    return str(folder / "draft.md")


def test_nothing_that_is_there_is_written_over(office, tmp_path):
    folder = office.root / "issues" / SLUG
    (tmp_path / "a.png").write_bytes(png(40, 30))
    draft = write(tmp_path, "# S\n\n## A\n\n![alt](a.png)\n")
    (folder / "images").mkdir(parents=True)
    (folder / "images/a.png").write_bytes(b"mine")
    answer = office.run("import", draft, "-o", SLUG)
    assert (answer.code, answer.out, answer.err) == (
        1, "", f"{folder}/images/a.png: is there already; --force writes over it\n1 mistake. Nothing was changed.\n",
    )  # fmt: skip
    assert not (folder / "issue.md").exists()
    assert office.run("import", draft, "-o", SLUG, "--force").code == 0
    assert (folder / "images/a.png").read_bytes() == png(40, 30)


@pytest.mark.parametrize("to", [SLUG, f"issues/{SLUG}", f"issues/{SLUG}/", f"issues/{SLUG}/issue.md"])
def test_the_issue_may_be_named_as_a_shell_completes_it(office, tmp_path, to):
    assert office.run("import", write(tmp_path), "-o", to).code == 0
    assert (office.root / "issues" / SLUG / "issue.md").is_file()


@pytest.mark.parametrize("to", ["../2019-03", "issues/März/issue.md", "drafts/a/issue.md", "issue.txt", ""])
def test_a_place_that_is_no_issue_is_refused(office, tmp_path, to):
    before = sorted(office.root.rglob("*"))
    answer = office.run("import", write(tmp_path), "-o", to)
    told = f"Error: “{to}” is no issue of this newsroom; write for example issues/2019-03/issue.md\n"
    assert (answer.code, answer.err, sorted(office.root.rglob("*"))) == (1, told, before)


def test_a_draft_that_is_not_there_is_one_sentence(office, tmp_path):
    answer = office.run("import", str(tmp_path / "gone.md"), "-o", SLUG)
    assert (answer.code, answer.err) == (
        1, "gone.md: cannot be read: No such file or directory\n1 mistake. Nothing was changed.\n")  # fmt: skip


SHOW_IMPORTED = """
import sys
sys.argv = sys.argv[1:]
from mailer.cli.main import main
try:
    main()
finally:
    print("imported:", sorted({"mammoth", "PIL", "mjml"} & set(sys.modules)), file=sys.stderr)
"""


def test_a_text_needs_neither_word_nor_pictures_imported(office, tmp_path):
    """They take 60 ms each."""
    arguments = ["mailer", "-C", str(office.root), "import", write(tmp_path), "-o", SLUG]
    done = subprocess.run([sys.executable, "-c", SHOW_IMPORTED, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "imported: []\n")


def test_words_of_the_configuration_must_belong_to_an_interest(office, tmp_path):
    config = office.root / "pyproject.toml"
    config.write_text(config.read_text("utf-8").replace("green-jobs = [", "green-job = ["), "utf-8")
    answer = finish(office.start("import", write(tmp_path), "-o", SLUG))
    assert answer.code == 1
    assert "“words” names no interest: green-job. Did you mean “green-jobs”?" in answer.err
