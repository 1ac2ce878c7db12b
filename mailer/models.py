"""The words of the house: what an issue, a subscriber and a delivery are.

Values only, frozen and without behaviour beyond reading themselves. Everything else takes and returns these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

Day = date  # for a field of that name: pydantic would take the field for its own type
Selection = tuple[str, ...]  # story ids in the order of the issue; equal selections share an edition
COLUMN = 536  # CSS pixels: the mail's 600 less 32 of padding on both sides


# --- the issue -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the issue. `url` is what the mail's `src` holds: a public address or a `cid:`."""

    path: Path
    url: str
    alt: str
    width: int  # pixels of the author's file, held upright; what is published is at most twice its place wide
    height: int
    name: str = ""  # of the published file, relative to the issue's address: images/tokyo.png
    animated: bool = False

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of its place in the mail, in CSS pixels: never wider than the column, nor enlarged."""
        width = min(self.width, COLUMN)
        return width, max(1, round(self.height * width / self.width))

    @property
    def content_id(self) -> str:
        """The part after `cid:` (RFC 2392); empty when the picture is linked, not embedded."""
        return self.url.removeprefix("cid:") if self.url.startswith("cid:") else ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link with the words that carry it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and where. Days, or moments with an offset from UTC; `end` equals `start` when there is one."""

    start: date | datetime
    end: date | datetime
    place: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Some Markdown, rendered both ways: safe single-line HTML, and text wrapped at 76 columns."""

    html: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.html)


@dataclass(frozen=True, slots=True)
class Story:
    """One item of a section. `link` is its closing `{.button}` link, `picture` the one that leads it."""

    id: str
    title: str
    body: Prose
    topics: tuple[str, ...] = ()
    picture: Picture | None = None
    link: Link | None = None
    event: Occasion | None = None
    language: str = ""  # BCP 47, where it differs from the issue's
    line: int = 0

    def suits(self, interests: tuple[str, ...]) -> bool:
        """Whether a subscriber with these interests gets this story (DESIGN section 4: any in common)."""
        return not interests or not self.topics or any(topic in interests for topic in self.topics)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the issue with its stories."""

    id: str
    title: str
    stories: tuple[Story, ...]
    intro: Prose = Prose()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """A finding that the author has looked at and keeps, with the reason. `story` is empty for the whole issue."""

    rule: str
    story: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Issue:
    """One number of the newsletter, checked: everything a template needs, and nothing personal."""

    slug: str
    path: Path
    digest: str  # SHA-256 of issue.md, hexadecimal
    title: str
    date: Day
    subject: str
    preheader: str
    language: str
    template: str
    sections: tuple[Section, ...]
    number: str = ""
    masthead: Picture | None = None
    intro: Prose = Prose()
    pictures: tuple[Picture, ...] = ()
    silences: tuple[Silence, ...] = ()

    @property
    def stories(self) -> tuple[Story, ...]:
        """Every story, in the order of the issue."""
        return tuple(story for section in self.sections for story in section.stories)


# --- the audience ----------------------------------------------------------------------------------------


class SubscriberState(StrEnum):
    """Where a subscription stands."""

    PENDING = "pending"  # asked for it, not confirmed yet: gets nothing but one mail that asks
    ACTIVE = "active"  # gets every issue that has a story for them, but for the time of a pause
    UNSUBSCRIBED = "unsubscribed"  # left by their own wish; an import never brings them back
    SUPPRESSED = "suppressed"  # must not be written to; an import never brings them back


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person who reads us. `id` is 0 until the store has given one."""

    email: str
    name: str = ""
    interests: tuple[str, ...] = ()
    language: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    state: SubscriberState = SubscriberState.ACTIVE
    id: int = 0
    changed_at: str = ""
    paused_until: str = ""  # ISO date: no issue before that day; empty without a pause


@dataclass(frozen=True, slots=True)
class Segment:
    """How many active subscribers chose exactly these interests."""

    interests: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Edition:
    """One distinct selection of stories, and who shares it."""

    key: str  # first 12 hexadecimal digits of the SHA-256 of the selection
    selection: Selection
    segments: tuple[Segment, ...]

    @property
    def count(self) -> int:
        """How many people get it."""
        return sum(segment.count for segment in self.segments)


# --- consent ---------------------------------------------------------------------------------------------


class Event(StrEnum):
    """What happened to a subscription: a row of the consent journal."""

    ASKED = "asked"  # by the form; a mail that asks for confirmation is due
    CONFIRMED = "confirmed"  # by the link in that mail
    IMPORTED = "imported"  # from a file, whose source the row states
    ADDED = "added"  # by an operator
    CHANGED = "changed"  # interests, language, name or personal fields
    ADDRESS_ASKED = "address-asked"  # a mail to the new address is due
    ADDRESS_CHANGED = "address-changed"  # confirmed at the new address
    PAUSED = "paused"  # until a day, or no longer
    LEFT = "left"
    SAID_WHY = "said-why"  # one of the fixed answers
    UNDONE = "undone"  # the leaving, within 30 days
    SUPPRESSED = "suppressed"  # must not be written to
    EXPIRED = "expired"  # never confirmed, and forgotten
    ERASED = "erased"


class Channel(StrEnum):
    """The way a change came."""

    FORM = "form"  # a page anybody can open
    LINK = "link"  # a signed link, and the button behind it
    ONE_CLICK = "one-click"  # RFC 8058
    MAILTO = "mailto"  # an unsubscribe mail
    IMPORT = "import"
    OPERATOR = "operator"  # a command
    SEND = "send"  # what a mail server said
    RETENTION = "retention"  # a period ran out


class Reason(StrEnum):
    """Why somebody left: the fixed answers."""

    TOO_MANY = "too-many"
    NOT_RELEVANT = "not-relevant"
    NEVER_ASKED = "never-asked"
    OTHER_ADDRESS = "other-address"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a change came about: what can be shown when somebody asks (GDPR article 7(1))."""

    at: str  # ISO 8601 in UTC, as 2018-12-14T08:00:00Z
    channel: Channel
    source: str = ""  # where the consent of an import comes from; the login name of an operator
    wording: str = ""  # id of the text that was shown
    language: str = ""  # it was shown in
    network: str = ""  # address it came from
    agent: str = ""  # user agent
    token: str = ""  # names the link that was followed, without being it


@dataclass(frozen=True, slots=True)
class Standing:
    """What the journal says of a subscription; `state` is None for one that was erased or expired."""

    state: SubscriberState | None
    interests: tuple[str, ...] = ()
    language: str = ""
    paused_until: str = ""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One event. `details` is None and `network` and `agent` are empty where they were removed on time."""

    number: int
    at: str
    subscriber_id: int
    event: Event
    channel: Channel
    details: Mapping[str, object] | None
    network: str
    agent: str
    hash: str  # hexadecimal


class LetterKind(StrEnum):
    """The mails that the reader's pages send."""

    CONFIRM = "confirm"  # asks whether they want to subscribe; token "confirm"
    ALREADY = "already"  # they are subscribed; token "preferences"
    CONFIRM_ADDRESS = "confirm-address"  # to the new address; token "confirm-address"
    MY_DATA = "my-data"  # token "my-data": download everything, and erase me


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is due: to whom, in which language, and the token its link carries."""

    kind: LetterKind
    to: str
    name: str
    language: str  # never empty
    token: str
    subscriber_id: int
    expires_at: str = ""  # of the token; empty when it does not expire


# --- the send log ----------------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """How far one issue got on its way to one subscriber (DESIGN section 7)."""

    QUEUED = "queued"  # planned, not offered yet
    CLAIMED = "claimed"  # a running send holds it
    ACCEPTED = "accepted"  # the server took responsibility: 2xx after the final dot
    REFUSED = "refused"  # 5xx at a step that concerns this recipient, or retries used up
    DEFERRED = "deferred"  # 4xx, or the connection broke before the final dot; will be tried again
    UNKNOWN = "unknown"  # the final dot was sent and no reply was read (RFC 1047); never retried by itself
    SKIPPED = "skipped"  # never offered: unsubscribed, suppressed, erased, nothing left


class Step(StrEnum):
    """The part of the SMTP conversation a reply belongs to (RFC 5321 section 4.1.1)."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"  # the message and its final dot
    RSET = "rset"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said, or 0 and our own words when it said nothing."""

    code: int
    text: str
    step: Step
    enhanced: str = ""  # RFC 3463, such as 5.1.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt: the state it leads to and the reply that says why."""

    state: DeliveryState
    reply: Reply


@dataclass(frozen=True, slots=True)
class Delivery:
    """One issue to one subscriber: a row of the send log. Times are ISO 8601 in UTC, empty until they come."""

    subscriber_id: int
    email: str
    state: DeliveryState
    attempts: int
    code: int
    enhanced: str
    reply: str
    step: str
    edition: str
    queued_at: str
    next_at: str
    settled_at: str


@dataclass(frozen=True, slots=True)
class Publication:
    """What an issue leaves behind on the web. Its facts and pages are the archive's own affair.

    `files` are its pictures and whatever it links to beside them, by their names below the issue's address.
    """

    facts: bytes
    pages: bytes
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that a running send holds, with the person as they are now."""

    subscriber: Subscriber
    edition: str
    attempts: int  # before this one


@dataclass(frozen=True, slots=True)
class Balance:
    """The count of an issue's deliveries by state. `deferred` are those that wait for another attempt."""

    issue: str
    audience: int = 0
    accepted: int = 0
    refused: int = 0
    deferred: int = 0
    unknown: int = 0
    skipped: int = 0
    queued: int = 0
    claimed: int = 0
    editions: int = 0
    seconds: float = 0.0

    @property
    def open(self) -> int:
        """Deliveries that are not decided yet."""
        return self.queued + self.claimed + self.deferred

    @property
    def closed(self) -> bool:
        """Finished: audience = accepted + refused + skipped + unknown."""
        return self.audience == self.accepted + self.refused + self.skipped + self.unknown


# --- the pace --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` messages in any `seconds`."""

    count: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Slowdown:
    """A change of pace that a server's replies brought about: what now goes how fast, and the reply that said so."""

    at: str
    name: str  # of a relay or a recipient's domain
    rate: float  # messages a second; 0 when it goes unhindered again
    reply: str


# --- what a check says -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpamHit:
    """One rule of SpamAssassin that a mail met; points below 0 speak for the mail."""

    rule: str
    points: float
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What SpamAssassin says of a mail: spam, when `score` reaches `required`."""

    score: float
    required: float
    hits: tuple[SpamHit, ...]


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the issue must not go out
    WARNING = "warning"  # somebody should look
    NOTE = "note"  # good to know


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the input: where, what, and how to mend it. `line` is 1-based, 0 for the whole file."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has to say, with a stable id that is never reused."""

    id: str
    severity: Severity
    path: str
    line: int
    text: str  # what is wrong
    fix: str  # what to do
    why: str = ""  # what a reader would suffer from it
    editions: tuple[str, ...] = ()  # the keys of those it concerns; none when it is all of them
    story: str = ""  # the id of the story it concerns
    silenced: str = ""  # the reason the author gave for keeping it
