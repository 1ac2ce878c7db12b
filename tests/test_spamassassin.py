"""SpamAssassin itself where it is installed (apt install spamassassin), and its report read everywhere."""

from __future__ import annotations

import pytest
from conftest import ROOT

from mailer import spamassassin
from mailer.compose.checks import spam
from mailer.compose.checks.material import Material
from mailer.errors import MailerError
from mailer.models import SpamHit, Subscriber, Verdict

real_one = pytest.mark.skipif(not spamassassin.installed(), reason="spamassassin is not installed")
DATE = "Fri, 14 Dec 2018 08:00:00 +0000"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@real_one
def test_the_real_issue_is_far_from_spam(real):
    from mailer.tokens import Tokens

    tokens = Tokens("enterprises.example.org", b"test")
    personal = real.personaliser(tokens, inert=True).personal(Subscriber("reader@example.org", "A. Reader"))
    verdict = spamassassin.ask(real.template(real.everything).fill(personal, DATE, False))
    assert (verdict.score < 1, verdict.required) == (True, 5)
    assert {hit.rule for hit in verdict.hits} >= {"HTML_MESSAGE", "MAILING_LIST_MULTI"}
    assert list(spam.check(Material(real, verdict=verdict))) == []


@real_one
def test_its_test_mail_is_spam(real):
    """GTUBE, the text every SpamAssassin gives 1,000 points."""
    verdict = spamassassin.ask(b"From: a@example.org\nTo: b@example.org\nSubject: x\n\n" + GTUBE + b"\n")
    first, heaviest, *_ = spam.check(Material(real, verdict=verdict))
    assert (first.id, heaviest.id) == ("MLR180", "MLR181")
    assert heaviest.text.startswith("GTUBE adds 1000.0 points: ")


def test_a_report_is_read_with_its_points_and_folded_lines():
    report = (ROOT / "tests/data/checks/MLR181-a-rule-of-spamassassin/clean/spamassassin.txt").read_text("utf-8")
    assert spamassassin.read(report) == Verdict(
        -0.3,
        5.0,
        (
            SpamHit("HTML_MESSAGE", 0.0, "BODY: HTML included in message"),
            SpamHit("HTML_FONT_LOW_CONTRAST", 0.7, "BODY: HTML font color similar or identical to background"),
            SpamHit("MAILING_LIST_MULTI", -1.0, "Multiple indicators imply a widely-seen list manager"),
            SpamHit("LOTS_OF_MONEY", 0.0, "Huge... sums of money"),
        ),
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "SpamAssassin is not installed; install it (apt install spamassassin)"),
        ("#!/bin/sh\necho no rules >&2\nexit 2\n", "SpamAssassin failed: no rules"),
        ("#!/bin/sh\necho hello\n", "SpamAssassin's answer holds no report; is it version 3.4 or later?"),
    ],
    ids=["absent", "fails", "says something else"],
)
def test_what_goes_wrong_is_told(tmp_path, monkeypatch, script, said):
    if script:
        (tmp_path / "spamassassin").write_text(script, "utf-8")
        (tmp_path / "spamassassin").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MailerError) as caught:
        spamassassin.ask(b"Subject: x\n\nx\n")
    assert str(caught.value) == said
