"""Addresses are checked, normalised, and the same in any letter case."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.audience.addresses import AddressError, key, normalise

LOCAL = st.from_regex(r"[A-Za-z0-9_+.\-]{1,70}", fullmatch=True)
DOMAIN = st.from_regex(r"[A-Za-z0-9\-]{1,64}(\.[A-Za-z0-9\-]{1,64}){0,3}", fullmatch=True) | st.sampled_from(
    ["example.org", "EXAMPLE.Com", "xn--bcher-kva.example.com", "bücher.example.com", "example.test", "[127.0.0.1]", ""]
)


def reference(address: str) -> str | None:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def ours(address: str) -> str | None:
    try:
        return normalise(address)
    except AddressError:
        return None


@given(
    st.builds("{}@{}".format, LOCAL, DOMAIN) | st.text(alphabet="aZß.@\"<> -_+'\\é\u0338", max_size=24) | st.emails()
)
@example("Postmaster@example.org")
@example("INFO@example.org")
@example("a" * 64 + "@" + ".".join(["b" * 63] * 3) + ".org")
@example("a" * 60 + "@" + ".".join(["xn--" + "b" * 50] * 3) + ".org")
@example("a@xn--a")
@example("a@example.org ")
@example("a@b@example.org")
@example("@example.org")
@example("a@")
@example("")
def test_the_fast_path_and_email_validator_agree(address):
    assert ours(address) == reference(address)


@given(st.emails() | st.builds("{}@example.org".format, st.text(alphabet="äÉжΣßÅa1", min_size=1, max_size=8)))
def test_what_is_stored_stays_what_it_is(address):
    stored = ours(address)
    if stored is not None:
        assert normalise(stored) == stored
        assert key(key(stored)) == key(stored)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Ann.Smith@EXAMPLE.ORG", "Ann.Smith@example.org"),
        ("ann+news@xn--bcher-kva.example.com", "ann+news@bücher.example.com"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("Postmaster@example.org", "postmaster@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
    ],
    ids=["domain-in-small-letters", "domain-in-unicode", "nfc", "role-in-small-letters", "apostrophe"],
)
def test_an_address_is_stored_in_one_form(given, stored):
    assert normalise(given) == stored


@pytest.mark.parametrize(
    "address",
    ["ann", "ann@", "@example.org", "ann@example", "ann@exa mple.org", "a..b@example.org", "ann@example.org\n",
     "Ann <ann@example.org>", '"a b"@example.org', "ann@[127.0.0.1]", "ann@example.org,bob@example.org",
     "ann\0@example.org", "ann@-example.org"],
)  # fmt: skip
def test_no_address(address):
    with pytest.raises(AddressError):
        normalise(address)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann@example.org", "aNN@example.org", True),
        ("ÉLISE@example.org", "élise@example.org", True),
        ("ΝΙΚΟΣ@example.org", "νικος@example.org", True),
        ("weiß@example.org", "weiss@example.org", False),
        ("ann@example.org", "ann+news@example.org", False),
        ("ann.smith@example.org", "annsmith@example.org", False),
    ],
    ids=["latin", "accents", "greek", "eszett", "plus", "dots"],
)
def test_two_addresses_are_the_same_in_any_letter_case(one, other, same):
    """And only then: RFC 5321 section 2.4 leaves all else to the receiving host."""
    assert (key(normalise(one)) == key(normalise(other))) is same
