"""Signed links: what was signed reads back, and nothing else does (standards U7)."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import BadLink
from mailer.tokens import Tokens

LIST = "enterprises.example.org"
TOKENS = Tokens(LIST, b"one key")
UNTIL = "2018-12-14T09:00:00Z"
ALPHABET = string.ascii_letters + string.digits + "-_.+/= \n\0!é\ud800"


@given(number=st.integers(), purpose=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_token_reads_back_for_its_purpose(number, purpose):
    assert TOKENS.read(purpose, TOKENS.sign(purpose, number)) == number


@pytest.mark.parametrize("number", [0, 42, 10_000_000])
def test_each_changed_deleted_or_added_character_spoils_a_token(number):
    """RFC 8058 section 3.1 asks for a hard-to-forge part; one spelling also keeps logs and caches honest."""
    token = TOKENS.sign("unsubscribe", number)
    changed = {token[:at] + other + token[at + 1 :] for at in range(len(token)) for other in ALPHABET}
    deleted = {token[:at] + token[at + 1 :] for at in range(len(token))}
    added = {token[:at] + other + token[at:] for at in range(len(token) + 1) for other in ALPHABET}
    forged = (changed | deleted | added) - {token}
    assert [each for each in forged if TOKENS.read("unsubscribe", each) is not None] == []


@pytest.mark.parametrize(
    "forged",
    ["", ".", "16", "16.", ".abc", "-1.abc", "1_6.abc", "z" * 100_000, "16." + "A" * 16, "\ud800.\ud800", "𝟙.abc"],
)
def test_what_is_no_token_reads_as_none(forged):
    assert TOKENS.read("unsubscribe", forged) is None


@given(forged=st.text(max_size=40))
def test_no_text_is_a_token_by_chance_or_ends_in_an_error(forged):
    assert TOKENS.read("unsubscribe", forged) is None


@pytest.mark.parametrize("spelling", ["016", "+16", " 16", "1_6", "16 "])
def test_a_number_has_one_spelling(spelling):
    """int() takes them all; the signature must not."""
    number, signature = TOKENS.sign("unsubscribe", 42).split(".")
    assert number == "16"
    assert TOKENS.read("unsubscribe", f"{spelling}.{signature}") is None


@pytest.mark.parametrize("purpose", ["preferences", "web 2018-12", "unsubscribe ", "", "Unsubscribe"])
def test_a_token_says_nothing_for_another_purpose(purpose):
    assert TOKENS.read(purpose, TOKENS.sign("unsubscribe", 42)) is None


def test_a_token_of_one_issue_opens_no_other():
    assert TOKENS.read("web 2019-01", TOKENS.sign("web 2018-12", 42)) is None


def test_another_key_reads_nothing():
    assert Tokens(LIST, b"another key").read("unsubscribe", TOKENS.sign("unsubscribe", 42)) is None


@pytest.mark.parametrize(
    "other", ["news.example.org", "enterprises.example.or", "enterprises.example.orgu", ""], ids=str
)
def test_u7_another_list_with_the_same_key_reads_nothing(other):
    there = Tokens(other, b"one key")
    assert there.read("unsubscribe", TOKENS.sign("unsubscribe", 42)) is None
    assert TOKENS.read("unsubscribe", there.sign("unsubscribe", 42)) is None
    with pytest.raises(BadLink):
        there.read_until("my-data", TOKENS.sign_until("my-data", 42, UNTIL), UNTIL)


def test_a_list_reads_links_of_its_former_ids_and_signs_with_the_present_one():
    renamed = Tokens("news.example.org", b"one key", b"newer", former=["other.example.org", LIST])
    assert renamed.read("unsubscribe", TOKENS.sign("unsubscribe", 42)) == 42
    assert renamed.read_until("my-data", TOKENS.sign_until("my-data", 42, UNTIL), UNTIL) == 42
    assert TOKENS.read("unsubscribe", renamed.sign("unsubscribe", 42)) is None
    assert Tokens("news.example.org", b"one key", b"newer").read("unsubscribe", renamed.sign("unsubscribe", 42)) == 42


def test_the_case_of_a_list_id_says_nothing():
    """RFC 2919 compares them without regard to it."""
    assert Tokens(LIST.upper(), b"one key").sign("unsubscribe", 42) == TOKENS.sign("unsubscribe", 42)


def test_what_is_kept_hangs_on_the_key_and_not_on_the_list():
    """Who corrects the id of a list must not let anybody back, nor break the seal of the journal."""
    renamed = Tokens("news.example.org", b"one key")
    assert renamed.digest("address", "ann@example.org") == TOKENS.digest("address", "ann@example.org")
    assert renamed.derive("journal") == TOKENS.derive("journal")


def test_tokens_of_neighbours_differ_and_do_not_repeat():
    tokens = [TOKENS.sign("unsubscribe", number) for number in range(2_000)]
    assert len({token.partition(".")[2] for token in tokens}) == 2_000


def test_a_token_is_short_and_needs_no_escaping_in_an_address():
    """Standards U18: with a host of 22 characters, List-Unsubscribe stays within 76 columns up to 60 million ids."""
    token = TOKENS.sign("unsubscribe", 36**5 - 1)
    assert len(token) == 22
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")  # unreserved, RFC 3986 section 2.3
    assert len(f"List-Unsubscribe: <https://newsletter.example.org/u/{token}>,") == 76


def test_a_digest_is_stable_and_depends_on_key_purpose_and_value():
    digest = TOKENS.digest("message", "2018-12 42")
    assert digest == Tokens(LIST, b"one key").digest("message", "2018-12 42")
    others = {
        Tokens(LIST, b"another key").digest("message", "2018-12 42"),
        TOKENS.digest("test message", "2018-12 42"),
        TOKENS.digest("message", "2018-12 43"),
    }
    assert len(others - {digest}) == 3
    assert len(digest) == 32
    assert set(digest) <= set(string.hexdigits.lower())
