"""The settings of a newsroom: the tables of its configuration, each key with its default and what it may hold."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Any, Literal

from email_validator import validate_email
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from mailer.errors import nearest
from mailer.values import (
    Domain,
    Duration,
    EditorLink,
    Language,
    Limits,
    ListId,
    Mailbox,
    Network,
    OneLine,
    RelayUrl,
    Selector,
    Slug,
    SomeTime,
    StoreUrl,
    WebAddress,
)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Newsletter(_Table):
    """Who sends, and what every mail says about it."""

    name: OneLine
    sender: Mailbox
    reply_to: Mailbox = ""
    unsubscribe: Mailbox = ""  # where the mailto: way of leaving goes; default unsubscribe@ the sender's domain
    list_id: ListId
    former_list_ids: tuple[ListId, ...] = ()  # links that were signed under these go on working
    public_url: WebAddress
    postal_address: OneLine
    language: Language = "en"
    languages: tuple[Language, ...] = ()
    template: Slug = "enterprises"
    images: Literal["link", "embed"] = "link"

    @property
    def sender_domain(self) -> str:
        """The domain after the @ of the sender, as an A-label (RFC 5890)."""
        address = validate_email(parseaddr(self.sender)[1], check_deliverability=False, test_environment=True)
        return address.ascii_domain


class _RelayTable(_Table):
    """One relay. `limits` holds for all its connections together; 0 messages a connection is any number."""

    url: RelayUrl = "smtp://127.0.0.1:1025"
    connections: Annotated[int, Field(ge=1, le=200)] = 4
    limits: Limits = ()
    messages_per_connection: Annotated[int, Field(ge=0)] = 0


class OneOfSeveral(_RelayTable):
    """A relay beside others: `name` finds its password, `weight` is its share of the mail."""

    url: RelayUrl
    name: Slug = ""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1


class Smtp(_RelayTable):
    """The relay, or the `relays`, and how to use them. `warmup` is how many a day for a new sending address."""

    relays: tuple[OneOfSeveral, ...] = ()
    domains: dict[Domain, Limits] = {}
    warmup: tuple[Annotated[int, Field(ge=1)], ...] = ()
    retry: tuple[Duration, ...] = (
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
        timedelta(hours=12),
    )
    # RFC 5321 section 4.5.3.2.6: ten minutes for the reply to the final dot; less makes duplicates.
    timeout: SomeTime = timedelta(minutes=10)


class DkimKey(_Table):
    """A key that signs mail: the name its public half is published under, and its file."""

    selector: Selector
    key: OneLine = ""

    @property
    def file(self) -> str:
        """The key's path below the newsroom."""
        return self.key or f"subscribers/.dkim-{self.selector}.pem"


class Dkim(DkimKey):
    """Signing here, not at the mail server. `domain` is the sender's where it is left out."""

    domain: Domain = ""
    ed25519: DkimKey | None = None  # a second signature, never the only one (RFC 8463 section 5)


class Store(_Table):
    """Where subscribers and send logs are kept."""

    url: StoreUrl = "sqlite:subscribers/mailer.db"


class Desk(_Table):
    """The composer's desk. `editor` is a link that opens {path} at {line}; without it, $VISUAL or $EDITOR is used."""

    editor: EditorLink = ""


class Retention(_Table):
    """How long what is personal is kept. `mailer retention` removes what is older."""

    unconfirmed: SomeTime = timedelta(days=7)
    unsubscribed: SomeTime = timedelta(days=3 * 365)
    bounced: SomeTime = timedelta(days=365)
    network_addresses: SomeTime = timedelta(days=90)
    log_details: SomeTime = timedelta(days=2 * 365)


class Web(_Table):
    """The reader's pages: where they listen, whose forwarded headers count, and who may read /metrics."""

    host: OneLine = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    proxies: tuple[Network, ...] = ("127.0.0.1", "::1")
    metrics: tuple[Network, ...] = ("127.0.0.0/8", "::1")


class Checks(_Table):
    """What `check` looks for."""

    # Families, or programs of them, as caniemail.com names them.
    clients: tuple[str, ...] = ("apple-mail", "gmail", "outlook", "yahoo", "samsung-email", "thunderbird")


class Config(_Table):
    """All of it. `interests` maps topic ids to their labels, in the order shown.

    `texts` holds the newsroom's own words for the reader's pages: by language, then by the English text.
    `explanations` says of an interest what a reader gets with it, in one line.
    `words` holds for an interest the words that speak for it in a draft.
    """

    newsletter: Newsletter
    interests: dict[Slug, OneLine] = Field(min_length=1)
    explanations: dict[Slug, OneLine] = {}
    words: dict[Slug, tuple[OneLine, ...]] = {}
    smtp: Smtp = Smtp()
    dkim: Dkim | None = None
    store: Store = Store()
    retention: Retention = Retention()
    checks: Checks = Checks()
    web: Web = Web()
    desk: Desk = Desk()
    texts: dict[Language, dict[str, str]] = {}

    @field_validator("explanations", "words")
    @classmethod
    def _of_known_interests(cls, words: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        known = info.data.get("interests", words)  # where those are wrong already, that is told
        for topic in words:
            if topic not in known:
                raise ValueError(f"names no interest: {topic}. {nearest(topic, known)}")
        return words

    @field_validator("dkim")
    @classmethod
    def _aligned(cls, dkim: Dkim | None, info: ValidationInfo) -> Dkim | None:
        """DMARC's relaxed alignment (RFC 9989): a signature counts when its domain is the sender's or one above."""
        newsletter = info.data.get("newsletter")  # where that is wrong already, it is told
        if dkim and dkim.domain and newsletter and not f".{newsletter.sender_domain}".endswith(f".{dkim.domain}"):
            at = newsletter.sender_domain
            raise ValueError(f"signs for {dkim.domain}, but the sender is at {at}: name {at} or a domain above it")
        return dkim

    def topic(self, name: str) -> str:
        """The topic of a name: its id or its label, in any letter case; empty when it is neither."""
        names = {_folded(label): topic for topic, label in self.interests.items()}
        return (names | {_folded(topic): topic for topic in self.interests}).get(_folded(name), "")

    def topic_order(self, topics: set[str]) -> tuple[str, ...]:
        """These topics in the configured order."""
        return tuple(topic for topic in self.interests if topic in topics)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
