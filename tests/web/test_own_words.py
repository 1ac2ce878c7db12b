"""The newsroom's own words on the reader's pages: topics and their explanations in the reader's language."""

from __future__ import annotations

import re

import pytest
from conftest import copy_newsroom
from joining_form import links, send, with_relay
from public_server import serving
from received import bodies
from smtp_relay import Relay

from mailer.newsroom import Newsroom

OWN = """
[tool.mailer.explanations]
cooperatives = "How people own a firm together."

[tool.mailer.texts.fr]
"Cooperatives" = "Coopératives"
"How people own a firm together." = "Comment posséder ensemble une entreprise."
"""


@pytest.fixture
def room(tmp_path):
    room = copy_newsroom(tmp_path / "room")
    path = room.root / "pyproject.toml"
    text = re.sub(r"(?ms)^\[tool\.mailer\.explanations\]\n.*?(?=^\[)", "", path.read_text("utf-8"))
    path.write_text(text + OWN, "utf-8")
    return Newsroom.open(room.root, room.env)


@pytest.mark.parametrize(
    ("language", "spoken", "label", "explanation"),
    [
        ("fr", "fr", "Coopératives", "Comment posséder ensemble une entreprise."),
        ("ar", "en", "Cooperatives", "How people own a firm together."),
    ],
    ids=["translated", "left as it is, and named so for screen readers"],
)
def test_a_topic_is_named_and_explained(room, clock, language, spoken, label, explanation):
    with serving(room, clock) as site:
        page = site.get(f"/subscribe?lang={language}").text
    said = f'<bdi lang="{spoken}">{label}</bdi><span class="hint"><bdi lang="{spoken}">{explanation}</bdi></span>'
    assert said in page


def test_the_mail_the_page_and_the_journal_use_the_translation_too(room, clock):
    with Relay() as relay:
        room = with_relay(room, relay.url)
        with serving(room, clock) as site:
            send(site, clock, "/subscribe?lang=fr", email="nora@example.org", interests="cooperatives", language="fr")
            relay.wait_for(lambda: len(relay.mails) == 1)
            [confirm] = links(relay.mails, "/confirm/")
            assert '<bdi lang="fr">Coopératives</bdi>' in site.get(confirm).text
            site.post(confirm)
        assert re.search(r"Thèmes\s: Coopératives\.", bodies(relay.mails[0].content)[0])
        shown = [room.store.journal.wording(row.details["wording"]) for row in room.store.journal.rows(1)]
        assert "Coopératives – Comment posséder ensemble une entreprise." in str(shown[0])
        assert re.search(
            r"Thèmes\s: …", str(shown[1])
        )  # which ones stands in the row, not in the words that all were shown
        assert room.store.journal.rows(1)[1].details["interests"] == ["cooperatives"]
        room.close()
