"""A header that nearly names our columns is refused: what it names would be lost without a word."""

from __future__ import annotations

from time import process_time

import pytest
from people import NOTHING, import_file

from mailer.audience import columns

WHOLE = "rename it, or everybody gets the whole issue"
OWN_LANGUAGE = "rename it, or everybody gets the newsletter's own language"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        *((f"email,{word}", f"has no column “interests”, but “{word.lower()}”: {WHOLE}")
          for word in ("topic", "Topics", "tags", "interest", "intrests")),
        ("lang,email", f"has no column “language”, but “lang”: {OWN_LANGUAGE}"),
        ("email,locale", f"has no column “language”, but “locale”: {OWN_LANGUAGE}"),
        ("email,Full Name", "has no column “name”, but “full name”: rename it, or nobody is greeted by name"),
        ("email,fullname", "has no column “name”, but “fullname”: rename it, or nobody is greeted by name"),
        ("email,states", "has no column “state”, but “states”: rename it, or who left is written to"),
        *((f"{word},name", f"has no column “email”, but “{word}”: rename it")
          for word in ("e-mail", "mail", "address", "emails")),
    ],
    ids=lambda value: value if "“" not in value else "",
)  # fmt: skip
def test_a_column_that_looks_like_ours_is_named(tmp_path, header, problem):
    path = tmp_path / "people.csv"
    path.write_text(f"{header}\nann@example.org,\n", "utf-8")
    done = import_file(path)
    assert (done.report, done.problems, done.people) == (NOTHING, [f"people.csv:1: {problem}"], [])


@pytest.mark.parametrize(
    "header",
    [
        "email,address",
        "email,interests,tags",
        "email,name,surname",
        "email,language,locale",
        "email,nome",
        "email,phone",
    ],
)
def test_a_column_beside_ours_stays_a_personal_field(tmp_path, header):
    path = tmp_path / "people.csv"
    path.write_text(f"{header}\nann@example.org{',' * (header.count(',') - 1)},x\n", "utf-8")
    done = import_file(path)
    assert (done.problems, dict(done.people[0].fields)) == ([], {header.rpartition(",")[2]: "x"})


def test_a_workbook_is_no_csv_file(tmp_path):
    path = tmp_path / "people.xlsx"
    path.write_bytes(b"PK\x03\x04\x14\x00\x06\x00")
    assert import_file(path).problems == ["people.xlsx: is an Excel workbook; save it as CSV UTF-8"]


def test_interests_by_label_in_any_letter_case_and_never_by_comma(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("email,interests\nann@example.org,Green jobs;COOPERATIVES\n", "utf-8")
    assert import_file(path).people[0].interests == ("cooperatives", "green-jobs")
    path.write_text('email,interests\nann@example.org,"green-jobs,cooperatives"\n', "utf-8")
    assert import_file(path).problems == [
        "people.csv:2: unknown interest “green-jobs,cooperatives”. separate interests by ;"
    ]


def test_a_header_of_100_000_columns_is_looked_over_in_a_moment():
    header = [f"c{number}" for number in range(100_000)]
    began = process_time()
    assert columns.mistakes(["email", *header, "c7"], "") == ["the header names “c7” twice; keep one"]
    assert process_time() - began < 5
