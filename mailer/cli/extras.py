"""What `check` looks at only when asked, for it takes seconds and needs something installed: spelling and spam."""

from __future__ import annotations

from email.utils import format_datetime
from importlib.util import find_spec

from mailer import spamassassin
from mailer.cli.app import say
from mailer.compose.checks import Material, spelling
from mailer.models import Subscriber
from mailer.newsroom import Newsroom, clock


def look_up_words(material: Material) -> None:
    """Hand the dictionaries to the material, or say what is missing."""
    if find_spec("spylls") is None:
        say("Spelling was not checked. It needs: pip install 'mailer[spelling]'")
        return
    from mailer.compose import dictionary

    material.dictionaries = spelling.FOLDERS
    for language in sorted({language for passage in material.passages for language in passage.languages}):
        if dictionary.find(language, material.dictionaries) is None:
            say(f"There is no dictionary for “{language}”; hunspell's go into {material.dictionaries[0]}")


def ask_spamassassin(room: Newsroom, material: Material) -> None:
    """Hand SpamAssassin's verdict on the whole issue to the material, or say that it is missing."""
    if not spamassassin.installed():
        say("SpamAssassin is not installed, so it was not asked (Debian: apt install spamassassin)")
        return
    composition = material.composition
    personal = composition.personaliser(room.tokens, inert=True).personal(Subscriber("reader@example.org", "A. Reader"))
    message = composition.template(composition.everything).fill(personal, format_datetime(clock()), False)
    material.verdict = spamassassin.ask(message)
