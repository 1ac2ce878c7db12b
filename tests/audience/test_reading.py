"""What a CSV file may look like, and how everything else is named with its line."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import CONFIG, NOTHING, import_file

from mailer.models import Subscriber

ANN = Subscriber("ann@example.org", "Ann Smith", ("cooperatives", "green-jobs"), "fr", {"city": "Geneva"})
BOB = Subscriber("bob@example.org")


HEAD = "email,name,interests,language,city"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\nann@example.org,Ann Smith,green-jobs;cooperatives,fr,Geneva\nbob@example.org,,,,\n",
        f"\ufeff{HEAD}\nann@example.org,Ann Smith,green-jobs;cooperatives,fr,Geneva\nbob@example.org,,,,",
        "email;name;interests;language;city\r\n"
        'ann@example.org;Ann Smith;"green-jobs;cooperatives";fr;Geneva\r\nbob@example.org;;;;\r\n',
        "email\tname\tinterests\tlanguage\tcity\n"
        "ann@example.org\tAnn Smith\tgreen-jobs; cooperatives\tfr\tGeneva\nbob@example.org\t\t\t\t\n",
        " City , Language,EMAIL,Interests,Name\r"
        "Geneva,fr, ann@EXAMPLE.org ,cooperatives;green-jobs;,  Ann   Smith \r,,bob@example.org,,\r",
        f"{HEAD}\n\n,,,,\nann@example.org,Ann Smith,green-jobs;cooperatives,fr,Geneva\n\nbob@example.org,,,,\n",
        f'{HEAD},state\nann@example.org,"Ann\nSmith",cooperatives;green-jobs,fr,Geneva,active\nbob@example.org,,,,,\n',
    ],
    ids=["comma", "bom", "semicolon-crlf", "tab", "any-order-cr", "blank-lines", "line-break-in-a-name"],
)
def test_the_same_people_in_any_dress(tmp_path, text):
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode("utf-8"))
    done = import_file(path)
    assert (done.problems, done.people) == ([], [ANN, BOB])


def test_names_with_commas_quotes_and_any_script_survive(tmp_path):
    names = [
        "Smith, Ann",
        'Dwayne "The Rock" Johnson',
        "O’Hara; Órla",
        "زينب الموسوية",
        "Ṣódípẹ̀",
        "李小龍",
        "=1+1",
        "'",
    ]
    path = tmp_path / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("email", "name"), *((f"p{n}@example.org", name) for n, name in enumerate(names))])
    done = import_file(path)
    assert (done.problems, [person.name for person in done.people]) == ([], names)


GOOD = b"ann@example.org,Ann,,\n"
HEADER = b"email,name,interests,language\n"
TOPICS = "Known are: cooperatives, green-jobs, mne-declaration, social-finance"
NOT_UTF8 = "is not UTF-8; save the file as UTF-8 (in Excel: Save as “CSV UTF-8”)"
SEPARATORS = "columns are separated by , ; or tab"


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (b"bob,,,\n", ["people.csv:3: “bob” is no address: An email address must have an @-sign"]),
        (b",Bob,,\n", ["people.csv:3: the address is missing"]),
        (b"bob@example.org,B\0b,,\n", ["people.csv:3: holds the control character U+0000; delete it"]),
        (b"bob@example.org,B\x1b[31mb,,\n", ["people.csv:3: holds the control character U+001B; delete it"]),
        ("bob@example.org,B\u2028b,,\n".encode(), ["people.csv:3: holds the control character U+2028; delete it"]),
        (b"bob@example.org,%s,,\n" % (b"B" * 201), ["people.csv:3: the name is longer than 200 characters"]),
        (b"bob@example.org,,green-job,\n", ["people.csv:3: unknown interest “green-job”. Did you mean “green-jobs”?"]),
        (
            b"bob@example.org,,cooperatives;Sport;golf,\n",
            [f"people.csv:3: unknown interest “Sport”. {TOPICS}; unknown interest “golf”. {TOPICS}"],
        ),
        (b"bob@example.org,,,fra\n", ["people.csv:3: unknown language “fra”. Did you mean “fr”?"]),
        ("bob@example.org,Bób,,\n".encode("latin-1"), [f"people.csv:3: {NOT_UTF8}"]),
        (
            b"bob@example.org,Smith, Bob,,\n",
            ["people.csv:3: has 5 fields where the header has 4; put a value that holds a , between double quotes"],
        ),
        (
            b"bob@example.org;Bob;;\n",
            ["people.csv:3: has 1 field where the header has 4; put a value that holds a , between double quotes"],
        ),
        (b'bob@example.org,"Bob,,\n', ["people.csv:3: opens a double quote that is never closed"]),
        (
            b'bob@example.org,"Bob,,\ncarl@example.org,,,\n',
            ["people.csv:3: opens a double quote that is never closed (read as one value up to line 4)"],
        ),
        (
            b'bob@example.org,"Bob" Smith,,\n',
            ["people.csv:3: has text after a closing double quote; inside a quoted value a quote is written twice"],
        ),
        (
            b'bob@example.org,"Bob,,\ncarl@example.org,"Carl",,\ndora,,,\n',
            ["people.csv:3: has text after a closing double quote (read as one value up to line 4); "
             "inside a quoted value a quote is written twice",
             "people.csv:5: “dora” is no address: An email address must have an @-sign"],
        ),
        (
            b"bob@example.org,%s,,\n" % (b"B" * 10_000_000) + b"carl@example,,,\n",
            ["people.csv:3: the line is longer than 1,000,000 characters",
             "people.csv:4: “carl@example” is no address: "
             "The part after the @-sign is not valid. It should have a period"],
        ),
        (
            b"bob@example.org,%s,,\n" % (b"B" * 100_001),
            ["people.csv:3: has a value longer than 100,000 characters; a closing quote may be missing"],
        ),
        (
            b'bob@example.org,"%s' % (b"BBBBBBBBB\n" * 10_001),
            ["people.csv:3: has a value longer than 100,000 characters (read as one value up to line 10003); "
             "a closing quote may be missing"],
        ),
        (
            b'bob@example.org,"B\r\no\r\nb",,\nANN@Example.org,,,\ncarl@example.org,"C\n",,\ndora,,,\n',
            ["people.csv:6: “ANN@example.org” stands on line 2 already; keep one of the two",
             "people.csv:9: “dora” is no address: An email address must have an @-sign"],
        ),
        (b"Ann@example.org,,,\nann@EXAMPLE.ORG,,,\n", [
            "people.csv:3: “Ann@example.org” stands on line 2 already; keep one of the two",
            "people.csv:4: “ann@example.org” stands on line 2 already; keep one of the two",
        ]),
        (
            b"bob@example.org\t,Bob,sport,xx\n",
            [f"people.csv:3: unknown interest “sport”. {TOPICS}; unknown language “xx”. Known are: ar, en, es, fr"],
        ),
    ],
    ids=["no-address", "address-missing", "nul", "escape", "line-separator", "long-name", "near-interest",
         "far-interests", "language", "latin-1", "too-many-fields", "wrong-delimiter", "open-quote-at-end",
         "open-quote-over-lines", "text-after-quote", "quote-closed-by-the-next", "ten-megabytes", "long-field",
         "long-field-over-lines",
         "lines-after-multi-line-fields", "duplicates-in-any-letter-case", "two-mistakes-in-one-line"],
)  # fmt: skip
def test_a_bad_line_is_named_and_nothing_is_imported(tmp_path, lines, problems):
    path = tmp_path / "people.csv"
    path.write_bytes(HEADER + GOOD + lines)
    done = import_file(path)
    assert (done.problems, done.people, done.report.added) == (problems, [], 0)
    assert done.report.bad == len(problems)


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"", ["people.csv:1: is empty; its first line names the columns, email first"]),
        (b"\n\n", ["people.csv:1: is empty; its first line names the columns, email first"]),
        (codecs.BOM_UTF8, ["people.csv:1: is empty; its first line names the columns, email first"]),
        (HEADER, ["people.csv:1: is a header with nobody below it"]),
        (HEADER + b"\n,,,\n\n", ["people.csv:1: is a header with nobody below it"]),
        (
            b"ann@example.org,Ann\n",
            [f"people.csv:1: has no column “email” in its header “ann@example.org,Ann”; {SEPARATORS}"],
        ),
        (
            b"email|name\nann@example.org|Ann\n",
            [f"people.csv:1: has no column “email” in its header “email|name”; {SEPARATORS}"],
        ),
        (
            b"mail,Name,name,,NAME\n",
            ["people.csv:1: has no column “email”, but “mail”: rename it",
             "people.csv:1: the header names “name” twice; keep one",
             "people.csv:1: a column of the header has no name"],
        ),
        ("email,nome\nann@example.org,Ann\n".encode("utf-16"), [f"people.csv:1: {NOT_UTF8}"]),
        ("email,prénom\n".encode("latin-1"), [f"people.csv:1: {NOT_UTF8}"]),
        (b"email,na\0me\n", ["people.csv:1: holds the control character U+0000; delete it"]),
        (
            b'email,"name\nann@example.org,Ann\n',
            ["people.csv:1: opens a double quote that is never closed (read as one value up to line 2)"],
        ),
        (b"email," + b"x" * 10_000_000, ["people.csv:1: the line is longer than 1,000,000 characters"]),
    ],
    ids=["empty", "blank-lines", "bom-only", "header-only", "header-and-blanks", "no-header", "wrong-delimiter",
         "three-mistakes", "utf-16", "latin-1", "nul", "open-quote", "ten-megabytes"],
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_refused_at_its_header(tmp_path, content, problems):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    done = import_file(path)
    assert (done.report, done.problems, done.people) == (NOTHING, problems, [])


def test_a_missing_file_is_named(tmp_path):
    assert import_file(tmp_path / "none.csv").problems == ["none.csv: there is no such file"]


def test_a_directory_is_named(tmp_path):
    assert import_file(tmp_path).problems == [f"{tmp_path.name}: cannot be read: Is a directory"]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=12)
PEOPLE = st.lists(
    st.builds(
        Subscriber,
        email=st.from_regex(r"[a-z0-9]{1,8}\.[A-Za-z0-9+_'äß漢]{1,8}", fullmatch=True).map("{}@example.org".format),
        name=TEXT.map(lambda text: " ".join(text.split())),
        interests=st.sets(st.sampled_from(list(CONFIG.interests))).map(CONFIG.topic_order),
        language=st.sampled_from(["", "en", "fr", "es", "ar"]),
        fields=st.dictionaries(st.sampled_from(["city", "ID no.", "straße"]).map(str.lower), TEXT.filter(bool)),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda person: person.email.lower(),
)


@given(
    people=PEOPLE,
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    bom=st.sampled_from([b"", codecs.BOM_UTF8]),
)
def test_any_list_of_people_written_by_csv_writer_is_read_back(
    tmp_path_factory, people, delimiter, quoting, line_end, bom
):
    columns = sorted({column for person in people for column in person.fields})
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerow(["email", "name", "interests", "language", *columns])
    for person in people:
        values = (person.fields.get(column, "") for column in columns)
        writer.writerow([person.email, person.name, ";".join(person.interests), person.language, *values])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(bom + text.getvalue().encode("utf-8"))
    done = import_file(path)
    assert (done.problems, done.people) == ([], people)
