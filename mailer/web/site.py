"""The reader's site: one newsroom's configuration, texts and templates, made ready once and shared by every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mailer.compose.theme import Theme
from mailer.errors import ConfigError
from mailer.newsroom import Newsroom
from mailer.times import Clock
from mailer.web import security
from mailer.web.bell import Bell
from mailer.web.kept import Kept
from mailer.web.library import Library
from mailer.web.requestlog import Requests
from mailer.web.security import PATIENCE
from mailer.web.stores import Stores
from mailer.web.texts import Texts, catalogues, problems, texts_in


@dataclass(frozen=True, slots=True)
class Site:
    """One newsroom's pages."""

    room: Newsroom
    clock: Clock
    texts: Mapping[str, Texts]
    theme: Theme
    environment: Environment
    stores: Stores
    requests: Requests
    library: Library
    patience: float  # seconds for the body of a request
    bell: Bell = field(default_factory=Bell)  # rung when something is put into the outbox
    kept: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, room: Newsroom, clock: Clock, patience: float = PATIENCE) -> Site:
        """Read everything the pages need. Raises ConfigError, InputError or StoreError."""
        config = room.config
        if wrong := problems(config):
            raise ConfigError(wrong)
        environment = Environment(
            loader=PackageLoader("mailer.web", "pages/public"), autoescape=True, undefined=StrictUndefined,
            auto_reload=False, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        theme = room.theme(config.newsletter.template)
        room.tokens, room.signer  # noqa: B018  # read now, by one thread
        return cls(
            room, clock, catalogues(config), theme, environment, Stores(room.open_store), Requests(),
            Library(),
            patience,
        )  # fmt: skip

    @property
    def prefix(self) -> str:
        """The path that public_url ends in, without a slash at its end: where the site begins."""
        return security.prefix_of(self.room.config.newsletter.public_url)

    def texts_for(self, language: str) -> Texts:
        """The texts in any language, such as an issue's: English where there is no catalogue."""
        return self.texts.get(language) or texts_in(self.room.config, language)

    def link(self, path: str) -> str:
        """A link inside the site: `/feed.atom` as a page must write it."""
        return f"{self.prefix}{path}"

    def onward(self, path: str, texts: Texts) -> str:
        """A link to another page of ours that keeps to the language, whatever a browser prefers."""
        kept = f"?lang={texts.language}" if len(self.texts) > 1 and texts.language in self.texts else ""
        return f"{self.link(path)}{kept}"

    def address(self, path: str) -> str:
        """The full public address of a path."""
        return f"{self.room.config.newsletter.public_url}{path}"

    def interests(self, texts: Texts) -> dict[str, str]:
        """The names of the interests in a language, in their order."""
        return {topic: texts.named(label) for topic, label in self.room.config.interests.items()}

    def explanations(self, texts: Texts) -> dict[str, str]:
        """What a reader gets with an interest, where that is explained."""
        return {topic: texts.named(words) for topic, words in self.room.config.explanations.items()}

    def named(self, texts: Texts, words: str) -> Markup:
        """What a topic is called, and in what language: that of `texts` where the newsroom translated it."""
        translated = words in texts.own.values()
        return bdi(words, texts.language if translated else self.room.config.newsletter.language)

    def fill(self, name: str, texts: Texts, **context: Any) -> str:
        """A template of pages/public/ with what every page may use."""
        newsletter = self.room.config.newsletter
        return self.environment.get_template(name).render(
            newsletter=newsletter,
            the_newsletter=bdi(newsletter.name, newsletter.language),
            interests=self.interests(texts),
            explanations=self.explanations(texts),
            languages=self.texts,
            theme=self.theme.settings,
            texts=texts,
            _=texts.html,
            ngettext=texts.count,
            link=self.link,
            onward=lambda path: self.onward(path, texts),
            named=lambda words: self.named(texts, words),
            address=self.address,
            long_date=texts.dates.long,
            when=texts.dates.when,
            mailto=_mailto,
            bdi=bdi,
            ltr=ltr,
            **context,
        )


def bdi(text: str, language: str = "") -> Markup:
    """A name or a title in a sentence of any direction."""
    return Markup("<bdi{}>{}</bdi>").format(Markup(' lang="{}"').format(language) if language else "", text)


def ltr(address: str) -> Markup:
    """A mail address, which reads from left to right in every language and is not broken where it need not be."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(address)


def _mailto(address: str) -> Markup:
    """A link that writes to an address."""
    return Markup('<a href="mailto:{}">{}</a>').format(address, ltr(address))
