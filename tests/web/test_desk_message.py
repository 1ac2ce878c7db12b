"""The message on the desk is the message that is sent."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from conftest import SECRET, Clock
from desk_running import ask, running
from sending import SLUG, Office
from smtp_relay import Relay

from mailer.compose.composition import Composition
from mailer.models import Subscriber
from mailer.tokens import Tokens
from mailer.web.desk_message import Message

PERSONAL = {"Date", "Message-ID", "List-Unsubscribe"}


def _parts(content: bytes) -> tuple[list[tuple[str, str]], str, str]:
    """Header fields but the three that are one's own, the HTML and the text, both without the readers' tokens."""
    message = message_from_bytes(content, policy=policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    fields = [(name, str(value)) for name, value in message.items() if name not in PERSONAL]
    bodies = (message.get_body((kind,)) for kind in ("html", "plain"))
    html, text = (re.sub(r"/\d+\.[\w-]{16}", "/TOKEN", body.get_content()) for body in bodies if body)
    return fields, html, text


def test_the_message_shown_for_a_subscriber_is_the_one_that_sending_sends(office: Office, clock: Clock):
    from mailer.cli import loop

    with Relay() as relay:
        office.use(relay)
        office.subscribe(bob=["cooperatives"][0])
        room = office.plan()
        loop.run(office.sending(clock).go(wait=False))
    number = room.store.audience.find("bob@example.org").id
    with running(room, SLUG) as address:
        _, _, shown = ask(f"{address}message.eml?reader={number}")
    assert _parts(shown) == _parts(relay.mails[0].content)


def test_the_links_shown_name_nobody(real: Composition):
    tokens = Tokens("enterprises.example.org", SECRET.encode())
    message = Message.of(real, real.everything, Subscriber("ada@example.org", id=77), tokens)
    assert set(re.findall(r"newsletter\.example\.org/[\w-]+/(\d+)\.", message.html)) == {"0"}
    genuine = tokens.sign("unsubscribe", 77)
    assert genuine not in message.content.decode("ascii")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frame_decides_the_mails_own_media_queries(real: Composition, scheme: str):
    """The mail asks for dark: at any width in dark, at none in light."""
    tokens = Tokens("enterprises.example.org", SECRET.encode())
    message = Message.of(real, real.everything, Subscriber("ada@example.org"), tokens)
    assert "@media (prefers-color-scheme: dark)" in message.html
    html = message.framed(real, tokens, scheme, "picture/")
    assert "prefers-color-scheme" not in html
    assert ("@media (min-width: 0)" in html) == (scheme == "dark")
    assert ("@media (min-width: 1000000px)" in html) == (scheme == "light")
    assert f'<meta name="color-scheme" content="{scheme}">' in html
    assert "light dark" not in html


def test_a_frame_differs_from_the_mail_only_by_what_the_desk_adds(real: Composition):
    tokens = Tokens("enterprises.example.org", SECRET.encode())
    message = Message.of(real, real.everything, Subscriber("ada@example.org"), tokens)
    html = message.framed(real, tokens, "light", "picture/", against=real.everything[1:])
    html = re.sub(r'<base target="_blank"><style>.*?</style>', "", html, count=1, flags=re.DOTALL)
    named = re.findall(r' data-story="([^"]+)"', html)
    assert tuple(dict.fromkeys(named)) == real.everything
    assert re.findall(r' data-story="([^"]+)" data-only', html) == [real.everything[0]]
    html = re.sub(r' data-story="[^"]+"( data-only)?', "", html)
    html = html.replace("(min-width: 1000000px)", "(prefers-color-scheme: dark)")
    for number, picture in enumerate(real.issue.pictures):
        html = re.sub(rf'src="picture/{number}\?v=\d+"', f'src="{picture.url}"', html)
    pattern = r"(color-schemes?(?:\" content=\"|: ?))light( dark)?"
    assert re.sub(pattern, r"\1", html) == re.sub(pattern, r"\1", message.html)
