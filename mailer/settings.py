"""The settings of a newsroom: the tables of its configuration, each key with its default and what it may hold."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Literal

from email_validator import validate_email
from pydantic import BaseModel, ConfigDict, Field

from mailer.values import (
    Duration,
    Language,
    ListId,
    Mailbox,
    OneLine,
    RelayUrl,
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


class Smtp(_Table):
    """The relay, and how to use it."""

    url: RelayUrl = "smtp://127.0.0.1:1025"
    connections: Annotated[int, Field(ge=1, le=200)] = 4
    retry: tuple[Duration, ...] = (
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
        timedelta(hours=12),
    )
    # RFC 5321 section 4.5.3.2.6: ten minutes for the reply to the final dot; less makes duplicates.
    timeout: SomeTime = timedelta(minutes=10)


class Store(_Table):
    """Where subscribers and send logs are kept."""

    url: StoreUrl = "sqlite:subscribers/mailer.db"


class Config(_Table):
    """All of it. `interests` maps topic ids to their labels, in the order shown."""

    newsletter: Newsletter
    interests: dict[Slug, OneLine] = Field(min_length=1)
    smtp: Smtp = Smtp()
    store: Store = Store()

    def topic_order(self, topics: set[str]) -> tuple[str, ...]:
        """These topics in the configured order."""
        return tuple(topic for topic in self.interests if topic in topics)
