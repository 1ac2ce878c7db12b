"""How a mail says where to leave, requirement by requirement (U3, signing both: deliver/test_dkim.py)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from received import field, fields
from samples import ANN, CONFIG, DATE, ISSUE, MARKS, TEMPLATE, TOKENS, filled, settings

from mailer.compose.message import compile_message
from mailer.compose.personal import Personaliser
from mailer.tokens import Tokens

LIST_FIELDS = {
    "List-Help": "<mailto:enterprises@example.org?subject=help>",
    "List-Owner": "<mailto:enterprises@example.org>",
    "List-Archive": "<https://newsletter.example.org/>",
    "List-Post": "NO",
}
UNSUBSCRIBE = f"https://newsletter.example.org/u/{TOKENS.sign('unsubscribe', 42)}"


def test_U1_one_field_with_exactly_one_https_address():
    """RFC 8058 section 3.1."""
    assert [name for name, _ in fields(filled())].count("List-Unsubscribe") == 1
    addresses = re.findall(r"<([^<>]*)>", field(filled(), "List-Unsubscribe"))
    assert [address for address in addresses if address.startswith("https:")] == [UNSUBSCRIBE]
    assert [address.partition(":")[0] for address in addresses] == ["https", "mailto"]


def test_U2_one_click_is_announced_in_exactly_these_words():
    """RFC 8058 sections 3.1 and 5."""
    found = [value for name, value in fields(filled()) if name == "List-Unsubscribe-Post"]
    assert found == ["List-Unsubscribe=One-Click"]


def test_U15_the_mailto_carries_the_same_token_as_the_link():
    """RFC 2369 section 3.2: `mailer inbox` reads it from the subject."""
    token = UNSUBSCRIBE.rpartition("/")[2]
    assert f"<mailto:unsubscribe@example.org?subject={token}>" in field(filled(), "List-Unsubscribe")


@pytest.mark.parametrize("name", ["Enterprises Newsletter", "Another name", "Nouvelles d’été"])
def test_U16_the_list_id_stays_when_the_name_or_the_host_changes(name):
    """RFC 2919 sections 3 and 4."""
    changed = settings(name=name, public_url="https://elsewhere.example.net")
    found = [value for key, value in fields(filled(template=compile_message(ISSUE, "<p>x</p>", "x", changed, MARKS)))
             if key == "List-Id"]  # fmt: skip
    assert len(found) == 1
    assert found[0].endswith(" <enterprises.example.org>")


def test_U17_help_owner_and_archive_are_named_and_nobody_is_told_to_post():
    """RFC 2369 sections 3.1 and 3.4 to 3.6."""
    assert {name: value for name, value in fields(filled()) if name in LIST_FIELDS} == LIST_FIELDS


@pytest.mark.parametrize("keys", [1, 12], ids="{} keys".format)
@pytest.mark.parametrize("number", [42, 36**4 - 1], ids="number {}".format)
def test_U18_the_https_address_stays_on_one_line(number, keys):
    """Under 76 characters for 1.6 million readers and a public address of 30. Folded again, it breaks the signature."""
    tokens = Tokens(
        "enterprises.example.org", *(f"key {at} of 32 bytes, for the tests only".encode() for at in range(keys))
    )
    personal = Personaliser(ISSUE, CONFIG, tokens, "reader", "all topics").personal(replace(ANN, id=number))
    [line] = [
        line for line in TEMPLATE.fill(personal, DATE, False).split(b"\r\n") if line.startswith(b"List-Unsubscribe:")
    ]
    assert len(CONFIG.newsletter.public_url) == 30
    assert len(line) < 76
    assert f"<https://newsletter.example.org/u/{tokens.sign('unsubscribe', number)}>" in line.decode()
