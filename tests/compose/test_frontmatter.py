"""The YAML of an issue: what may stand there, and how each mistake is named."""

from __future__ import annotations

import datetime

import pytest
from drafts import mistakes, png, read

BODY = "\n# S\n\n## A\n"
KNOWN = "Known are: title, date, subject, preheader, number, language, template, masthead, masthead_alt, silence."
QUOTES = 'put values with : or # in them into "quotes"'

WRONG = {
    "unknown key": (
        "title: T\nprehaeder: x\ndate: 2018-12-14",
        ["3: unknown key “prehaeder”. Did you mean “preheader”?"],
    ),
    "unknown key, nothing near": ("title: T\ndate: 2018-12-14\n3: x", [f"4: unknown key “3”. {KNOWN}"]),
    "key that is a list": ("[a, b]: x\ntitle: T\ndate: 2018-12-14", [f"2: unknown key “[...]”. {KNOWN}"]),
    "merge key": ("title: T\ndate: 2018-12-14\n<<: {subject: x}", [f"4: unknown key “<<”. {KNOWN}"]),
    "title and date missing": (
        "subject: x",
        [
            "1: the title is missing; add a line such as “title: Enterprises Newsletter” to the front matter",
            "1: the date is missing; add a line such as “date: 2018-12-14” to the front matter",
        ],
    ),
    "empty title": ("date: 2018-12-14\ntitle:", ["3: the title is empty; write it behind the colon"]),
    "title of two lines": ("title: |\n  a\n  b\ndate: 2018-12-14", ["2: the title must be one line"]),
    "title that is a list": ("title: [a, b]\ndate: 2018-12-14", ['2: the title must be text; put it into "quotes"']),
    "duplicate key": (
        "title: T\ndate: 2018-12-14\ntitle: U\ntitle: V",
        [
            "4: the title is given twice, first on line 2; keep one",
            "5: the title is given twice, first on line 2; keep one",
        ],
    ),
    "date in words": ("title: T\ndate: 14 December", ["3: “14 December” is no date; write date: 2018-12-14"]),
    "date that is none": ("title: T\ndate: 2018-02-30", ["3: “2018-02-30” is no date; write date: 2018-12-14"]),
    "date without hyphens": ("title: T\ndate: 20181214", ["3: “20181214” is no date; write date: 2018-12-14"]),
    "date with a time": (
        "title: T\ndate: 2018-12-14T10:00",
        ["3: “2018-12-14T10:00” is no date; write date: 2018-12-14"],
    ),
    "unknown language": (
        "title: T\ndate: 2018-12-14\nlanguage: fre",
        ["4: the newsroom has no language “fre”. Did you mean “fr”?"],
    ),
    "template outside": (
        "title: T\ntemplate: ../../elsewhere\ndate: 2018-12-14",
        ["3: “../../elsewhere” is no template; write the name of a folder in templates/, such as enterprises"],
    ),
    "masthead without alt": (
        "title: T\nmasthead: m.png\ndate: 2018-12-14",
        ["3: the masthead has no alt text; add a line masthead_alt: that says what the picture shows"],
    ),
    "alt without masthead": (
        "title: T\nmasthead_alt: dots\ndate: 2018-12-14",
        ["3: masthead_alt: needs a masthead:; name the picture, or take it out"],
    ),
    "masthead that is missing": (
        "title: T\nmasthead: n.png\nmasthead_alt: dots\ndate: 2018-12-14",
        ["3: there is no picture “n.png” in the issue's folder. Did you mean “m.png”?"],
    ),
    "not YAML": (
        "title: a: b\ndate: 2018-12-14",
        ['2: there is a colon in the value of “title:”; put it between straight quotes: title: "a: b"'],
    ),
    "standing in": (
        "title: T\n  date: 2018-12-14",
        ["3: “date:” stands in from the margin; take the blanks before it out"],
    ),
    "no blank behind the colon": ('title:"T"\ndate: 2018-12-14', ["2: put a blank behind “title:”"]),
    "quotes left open": (
        'title: T\nsubject: "S\ndate: 2018-12-14',
        ['3: the quotes of “subject:” are not closed; put " at the end of the line'],
    ),
    "quotes within quotes": (
        'title: T\nsubject: "S "in" T"\ndate: 2018-12-14',
        ["3: within the quotes of “subject:” stand others; write curly ones there, “ and ”"],
    ),
    "curly quotes around a colon": (
        "title: T\nsubject: “S: t”\ndate: 2018-12-14",
        ['3: curly quotes do not hold a value together; write straight ones: subject: "S: t"'],
    ),
    "curly quotes": (
        "title: T\nsubject: “S”\ndate: 2018-12-14",
        ['3: straight quotes belong around “S”, also where curly ones are meant: subject: "“S”"'],
    ),
    "a tab behind the colon": ("title:\tT\n date: x", ["2: a tab stands behind “title:”; put a blank in its place"]),
    "a tab": (
        "date: 2018-12-14\ntitle:\n\tx",
        ["4: “x” is no line of “key: value”"],
    ),
    "unknown alias": (
        "title: *nope\ndate: 2018-12-14",
        [f"2: the front matter is not valid YAML: found undefined alias 'nope'; {QUOTES}"],
    ),
    "nested without end": (
        "title: " + "[" * 1500,
        [f"1: the front matter is not valid YAML: it is nested too deep; {QUOTES}"],
    ),
    "a list": ("- a\n- b", ["2: the front matter must be lines of “key: value”"]),
}  # fmt: skip


@pytest.mark.parametrize(("yaml", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_the_front_matter_is_named_with_its_line(tmp_path, yaml, told):
    assert mistakes(tmp_path, f"---\n{yaml}\n---\n{BODY}", {"m.png": png()}) == told


def test_every_mistake_of_the_front_matter_is_told_at_once(tmp_path):
    yaml = "titel: T\nsubject: [a]\ndate: tomorrow\nlanguage: xx\nsubject: b\ntemplate: /etc"
    assert mistakes(tmp_path, f"---\n{yaml}\n---\n{BODY}") == [
        "1: the title is missing; add a line such as “title: Enterprises Newsletter” to the front matter",
        "2: unknown key “titel”. Did you mean “title”?",
        '3: the subject must be text; put it into "quotes"',
        "4: “tomorrow” is no date; write date: 2018-12-14",
        "5: the newsroom has no language “xx”. Known are: en, fr, es, ar.",
        "6: the subject is given twice, first on line 3; keep one",
        "7: “/etc” is no template; write the name of a folder in templates/, such as enterprises",
    ]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("2018", "2018"),
        ("yes", "yes"),
        ("2018-12-14", "2018-12-14"),
        ("!!python/name:os.system x", "x"),
        ('"a \\"b\\" \\\\ c"', 'a "b" \\ c'),
        ('"a\\0b\\x9Fc\\uD800d"', "abcd"),
        ("'Q: 100 % #1'", "Q: 100 % #1"),
    ],
    ids=["number", "boolean", "date", "tag", "escapes", "controls", "colon and hash"],
)
def test_a_title_is_the_words_that_were_written(tmp_path, written, title):
    assert read(tmp_path, f"---\ntitle: {written}\ndate: 2018-12-14\n---\n{BODY}").title == title


def test_what_is_not_written_has_a_default(tmp_path):
    issue = read(tmp_path, f"---\ntitle: T\ndate: 2018-12-14\n---\n{BODY}")
    assert (issue.title, issue.date, issue.subject, issue.preheader) == ("T", datetime.date(2018, 12, 14), "T", "")
    assert (issue.language, issue.template, issue.masthead) == ("en", "enterprises", None)


def test_every_key_reaches_the_issue(tmp_path):
    yaml = (
        "title: T\ndate: 2018-12-14\nsubject: S\npreheader: P\nnumber: No 7\nlanguage: fr\ntemplate: own\n"
        "masthead: m.png\nmasthead_alt: dots"
    )
    issue = read(tmp_path, f"---\n{yaml}\n---\n{BODY}", {"m.png": png(9, 5)})
    masthead = issue.masthead
    assert masthead is not None
    assert (issue.subject, issue.preheader, issue.number, issue.language, issue.template) == (
        "S",
        "P",
        "No 7",
        "fr",
        "own",
    )
    assert (masthead.url, masthead.alt, masthead.width, masthead.height) == (
        "https://newsletter.example.org/2019-01/m.png", "dots", 9, 5,
    )  # fmt: skip
