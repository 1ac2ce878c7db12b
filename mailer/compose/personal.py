"""What one person's message says that no other's does: values for the slots, and headers."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.compose import headers
from mailer.models import Issue, Subscriber
from mailer.settings import Config
from mailer.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Personal:
    """One person's values. The first six are slots, named as templates name them."""

    name: str
    email: str
    interests: str
    unsubscribe_url: str
    preferences_url: str
    web_url: str
    full_name: str
    message_id: str  # with its angle brackets
    unsubscribe_mailto: str

    def headers(self, date: str, utf8: bool) -> bytes:
        """The fields that name the person or the moment."""
        address = self.email if utf8 else headers.ascii_address(self.email)
        return b"".join(
            (
                headers.mailbox("To", self.full_name, address),
                headers.plain("Date", date),
                headers.plain("Message-ID", self.message_id),
                headers.uris("List-Unsubscribe", self.unsubscribe_url, self.unsubscribe_mailto),
            )
        )


class Personaliser:
    """Makes Personal values for one issue.

    `reader` greets a person without a name, `everything` stands for the interests of one who chose none. With `inert`
    links are genuine in form but name nobody, for test mails and previews (standards U19).
    """

    def __init__(
        self, issue: Issue, config: Config, tokens: Tokens, reader: str, everything: str, inert: bool = False
    ) -> None:
        newsletter = config.newsletter
        self._slug = issue.slug
        self._tokens = tokens
        self._reader, self._everything, self._inert = reader, everything, inert
        self._base = newsletter.public_url
        self._domain = newsletter.sender_domain
        leave = headers.parts_of(newsletter.unsubscribe)[1] or f"unsubscribe@{self._domain}"
        self._leave = headers.mailto(leave, subject="")  # a token needs no escaping there
        self._labels = dict(config.interests)

    def personal(self, subscriber: Subscriber) -> Personal:
        """The values of one subscriber."""
        number = 0 if self._inert else subscriber.id
        unsubscribe = self._tokens.sign("unsubscribe", number)
        labels = [label for topic, label in self._labels.items() if topic in subscriber.interests]
        name = headers.one_line(subscriber.name)
        return Personal(
            name=name or self._reader,
            email=subscriber.email,
            interests=", ".join(labels or subscriber.interests) or self._everything,
            unsubscribe_url=f"{self._base}/u/{unsubscribe}",
            preferences_url=f"{self._base}/p/{self._tokens.sign('preferences', number)}",
            web_url=f"{self._base}/{self._slug}/{self._tokens.sign(f'web {self._slug}', number)}",
            full_name=name,
            message_id=self.message_id(subscriber),
            unsubscribe_mailto=f"{self._leave}{unsubscribe}",
        )

    def message_id(self, subscriber: Subscriber) -> str:
        """This issue's for one subscriber; a test mail's is another."""
        if self._inert:
            return message_id(self._slug, self._domain, self._tokens, subscriber.email, "test message")
        return message_id(self._slug, self._domain, self._tokens, str(subscriber.id))


def message_id(slug: str, domain: str, tokens: Tokens, who: str, purpose: str = "message") -> str:
    """Derived from issue and subscriber: the same on every attempt, so that a relay's log can settle it (F5)."""
    return f"<{slug}.{tokens.digest(purpose, f'{slug} {who}')}@{domain}>"
