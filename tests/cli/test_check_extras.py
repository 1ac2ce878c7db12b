"""`check --spelling` and `check --spam`: asked for, and honest about what is missing."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT
from sending import SLUG

from mailer import spamassassin
from mailer.compose.checks import spelling

ENGLISH = ROOT / "tests/data/checks/MLR170-misspelt/clean/dictionary"


def test_spelling_is_looked_at_only_when_asked(office, monkeypatch):
    monkeypatch.setattr(spelling, "FOLDERS", (ENGLISH,))
    asked, not_asked = office.run("check", SLUG, "--json", "--spelling"), office.run("check", SLUG, "--json")
    assert {one["id"] for one in asked.json["findings"]} - {one["id"] for one in not_asked.json["findings"]} == {
        "MLR170"
    }


def test_a_missing_dictionary_is_named(office, monkeypatch, tmp_path):
    monkeypatch.setattr(spelling, "FOLDERS", (tmp_path / "none",))
    answer = office.run("check", SLUG, "--spelling")
    assert f"There is no dictionary for “en”; hunspell's go into {tmp_path / 'none'}" in " ".join(answer.err.split())


def test_a_missing_spamassassin_is_named_and_the_rest_is_checked(office, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = office.run("check", SLUG, "--json", "--spam")
    assert "SpamAssassin is not installed, so it was not asked" in " ".join(answer.err.split())
    assert answer.json["findings"] == office.run("check", SLUG, "--json").json["findings"]


@pytest.mark.skipif(not spamassassin.installed(), reason="spamassassin is not installed")
def test_spamassassin_is_asked(office, monkeypatch, tmp_path):
    """Its rules that weigh, as findings: here by a stand-in that asks the real one and doubts it."""
    real = shutil.which("spamassassin")
    (tmp_path / "spamassassin").write_text(
        f"#!/bin/sh\n{real} \"$@\" | sed 's/^-1.0 MAILING_LIST/ 1.5 MAILING_LIST/'\n"
    )
    (tmp_path / "spamassassin").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = office.run("check", SLUG, "--json", "--spam").json["findings"]
    assert [one["text"].split(":")[0] for one in found if one["id"] == "MLR181"] == [
        "MAILING_LIST_MULTI adds 1.5 points"
    ]
