"""The life of a subscription: each act alone, and any order of all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from people import CONFIG, NOW, TOKENS
from registering import ANN, by, joined, new_registry

from mailer.audience import joining, life, mydata, replay, retention, segments, subscribers
from mailer.errors import BadLink, MailerError, NotFound
from mailer.models import (
    Channel,
    DeliveryState,
    Edition,
    Event,
    Outcome,
    Reason,
    Reply,
    Segment,
    Step,
    Subscriber,
    SubscriberState,
)
from mailer.store.base import Newcomer
from mailer.times import shifted

DAY = timedelta(days=1)
LATER = shifted(NOW, 30 * DAY)


def events(registry, number=1):
    return [str(row.event) for row in registry.journal.rows(number)]


def test_a_change_says_what_changed_and_what_is_the_same_is_no_event():
    registry = new_registry()
    before = joined(registry, name="Ann", interests=["green-jobs"])
    changed = life.change(registry, 1, by(at=LATER), name=" Anna ", interests=["Cooperatives"], language="")
    after = replace(before, name="Anna", interests=("cooperatives",), changed_at=LATER)
    assert changed == life.Changed(before, after, ("name", "interests"))
    assert registry.audience.get(1) == after
    assert life.change(registry, 1, by(), name="Anna", interests=["cooperatives"]) == life.Changed(after, after, ())
    assert events(registry) == ["asked", "confirmed", "changed"]
    assert registry.journal.rows(1)[-1].details == {
        "interests": ["cooperatives"], "language": "", "changed": ["name", "interests"]
    }  # fmt: skip


def test_a_pause_ends_by_itself_or_by_wish():
    registry = new_registry()
    joined(registry, interests=["green-jobs"])
    assert life.pause(registry, 1, by(), date(2019, 2, 1)).paused_until == "2019-02-01"
    everybody = [Segment(("green-jobs",), 1)]
    counts = {day: registry.audience.segments(day) for day in ("2019-01-31", "2019-02-01")}
    assert counts == {"2019-01-31": [], "2019-02-01": everybody}
    assert (registry.audience.paused("2019-01-31"), registry.audience.paused("2019-02-01")) == (1, 0)
    assert life.pause(registry, 1, by(), None).paused_until == ""
    assert registry.audience.segments("2018-12-14") == everybody


@pytest.mark.parametrize("until", [date(2018, 12, 13), date(2018, 12, 14), date(2019, 12, 16)])
def test_a_pause_of_no_use_is_refused(until):
    registry = new_registry()
    joined(registry)
    with pytest.raises(MailerError, match="from one day to a year"):
        life.pause(registry, 1, by(), until)
    assert registry.audience.get(1).paused_until == ""


def frozen(registry, count=1):
    registry.store.sendlog.freeze("2019-01", {}, [Edition("0123456789ab", ("s",), (Segment((), count),))], [], NOW)


def test_who_paused_is_skipped_with_the_reason_and_the_balance_closes():
    registry = new_registry()
    joined(registry)
    joined(registry, "bob@example.org")
    life.pause(registry, 1, by(), date(2019, 2, 1))
    frozen(registry)
    log = registry.store.sendlog
    row = log.delivery("2019-01", 1)
    assert (row.state, row.reply) == (DeliveryState.SKIPPED, "paused until 2019-02-01")
    [claim] = log.claim("2019-01", 9, NOW)
    log.record("2019-01", claim, Outcome(DeliveryState.ACCEPTED, Reply(250, "ok", Step.CONTENT)), NOW)
    balance = log.balance("2019-01")
    assert (balance.audience, balance.accepted, balance.skipped, balance.closed) == (2, 1, 1, True)


@pytest.mark.parametrize("moment", ["before the claim", "after the claim"])
def test_a_pause_during_a_send_holds_at_once(moment):
    registry = new_registry()
    joined(registry)
    frozen(registry)
    log = registry.store.sendlog
    if moment == "after the claim":
        assert len(log.claim("2019-01", 9, NOW)) == 1
    life.pause(registry, 1, by(), date(2019, 2, 1))
    if moment == "after the claim":
        assert not log.offer("2019-01", 1, NOW)
    else:
        assert log.claim("2019-01", 9, NOW) == []
    assert log.delivery("2019-01", 1).reply == "paused until 2019-02-01"


def test_u6_leaving_is_the_same_again_and_after_erasure():
    registry = new_registry()
    joined(registry)
    first = life.leave(registry, 1, by(Channel.ONE_CLICK))
    assert first.state is SubscriberState.UNSUBSCRIBED
    assert life.leave(registry, 1, by(at=LATER)) == first
    assert events(registry) == ["asked", "confirmed", "left"]
    life.erase(registry, 1, by())
    assert life.leave(registry, 1, by()) is None
    assert events(registry) == ["asked", "confirmed", "left", "erased"]


def test_u12_leaving_wins_over_a_running_send():
    registry = new_registry()
    joined(registry)
    frozen(registry)
    assert len(registry.store.sendlog.claim("2019-01", 9, NOW)) == 1
    life.leave(registry, 1, by(Channel.ONE_CLICK))
    assert not registry.store.sendlog.offer("2019-01", 1, NOW)
    assert registry.store.sendlog.delivery("2019-01", 1).state is DeliveryState.SKIPPED


@pytest.mark.parametrize(("after", "possible"), [(0, True), (30, True), (30.1, False)])
def test_leaving_can_be_taken_back_for_thirty_days(after, possible):
    registry = new_registry()
    before = joined(registry, interests=["green-jobs"])
    life.leave(registry, 1, by())
    now = shifted(NOW, after * DAY)
    assert life.may_undo(registry, 1, now) is possible
    if possible:
        assert life.undo_leave(registry, 1, by(at=now)) == replace(before, changed_at=now) == registry.audience.get(1)
        assert not life.may_undo(registry, 1, now)
    else:
        with pytest.raises(MailerError, match="Subscribe anew"):
            life.undo_leave(registry, 1, by(at=now))
    assert list(replay.differences(registry.audience, registry.journal)) == []


def test_undoing_never_confirms_who_never_did():
    registry = new_registry()
    joining.ask(registry, ANN, by(Channel.FORM))
    life.leave(registry, 1, by())
    assert not life.may_undo(registry, 1, NOW)
    with pytest.raises(MailerError):
        life.undo_leave(registry, 1, by())
    assert registry.audience.get(1).state is SubscriberState.UNSUBSCRIBED


def test_undoing_lifts_no_suppression():
    registry = new_registry()
    joined(registry)
    life.suppress(registry, 1, by(Channel.SEND), "complaint")
    with pytest.raises(MailerError):
        life.undo_leave(registry, 1, by())
    assert registry.audience.get(1).state is SubscriberState.SUPPRESSED


def test_one_answer_for_each_leaving():
    registry = new_registry()
    joined(registry)
    life.reason(registry, 1, by(), Reason.TOO_MANY)  # not yet
    life.leave(registry, 1, by())
    life.reason(registry, 1, by(), Reason.NOT_RELEVANT)
    life.reason(registry, 1, by(), Reason.OTHER)
    life.undo_leave(registry, 1, by())
    life.leave(registry, 1, by())
    life.reason(registry, 1, by(), Reason.OTHER_ADDRESS)
    said = [row.details for row in registry.journal.rows(1) if row.event is Event.SAID_WHY]
    assert said == [{"why": "not-relevant"}, {"why": "other-address"}]


def test_a_link_that_is_none_names_nobody():
    registry = new_registry()
    joined(registry)
    assert life.bearer(registry, "unsubscribe", TOKENS.sign("unsubscribe", 1)) == 1
    for token in ("", "1.x", TOKENS.sign("preferences", 1)):
        with pytest.raises(BadLink):
            life.bearer(registry, "unsubscribe", token)


def test_u19_the_link_of_a_test_mail_changes_nothing():
    registry = new_registry()
    joined(registry)
    number = life.bearer(registry, "unsubscribe", TOKENS.sign("unsubscribe", 0))
    assert (life.get(registry, number), life.leave(registry, number, by())) == (None, None)
    with pytest.raises(NotFound):
        life.change(registry, number, by(), name="X")
    life.erase(registry, number, by())
    assert (events(registry, 0), registry.audience.get(1).state) == ([], SubscriberState.ACTIVE)


def test_p4_my_data_is_everything_and_json():
    import json

    registry = new_registry()
    wording = life.wording(registry, "form", "en", "Yes.")
    token = joining.ask(registry, ANN, by(Channel.FORM, wording=wording, network="192.0.2.7"), name="Ann").letter.token
    joining.confirm(registry, token, by())
    frozen(registry)
    data = json.loads(json.dumps(mydata.of(registry, 1)))
    assert (data["subscriber"]["email"], data["subscriber"]["name"]) == (ANN, "Ann")
    assert [(row["event"], row["network"]) for row in data["consent"]] == [("asked", "192.0.2.7"), ("confirmed", "")]
    assert data["wordings"] == {wording: "Yes."}
    assert [(issue["issue"], issue["state"]) for issue in data["issues"]] == [("2019-01", "queued")]
    life.erase(registry, 1, by())
    with pytest.raises(NotFound):
        mydata.of(registry, 1)


def test_retention_counts_first_and_removes_what_it_counted():
    registry = new_registry()
    for email in ("left@example.org", "bounced@example.org", "stays@example.org"):
        joined(registry, email)
    joining.ask(registry, "never@example.org", by(Channel.FORM, network="192.0.2.7"))
    life.leave(registry, 1, by())
    life.suppress(registry, 2, by(Channel.SEND), "bounced")
    frozen(registry)
    log = registry.store.sendlog
    [claim] = log.claim("2019-01", 9, NOW)
    log.record("2019-01", claim, Outcome(DeliveryState.REFUSED, Reply(550, "no such", Step.RCPT)), NOW)
    balance = log.balance("2019-01")

    def counts(days):
        return {each.kind: each.count for each in retention.overdue(registry, shifted(NOW, days * DAY))}

    none = dict.fromkeys(("unconfirmed", "unsubscribed", "bounced", "network_addresses", "log_details"), 0)
    assert counts(7) == none
    assert counts(8) == none | {"unconfirmed": 1}
    assert counts(91) == none | {"unconfirmed": 1, "network_addresses": 1}
    assert counts(3 * 366) == dict.fromkeys(none, 1)
    retention.remove(registry, shifted(NOW, 3 * 366 * DAY))
    assert counts(3 * 366) == none
    assert [person.email for person in registry.audience.all()] == ["stays@example.org"]
    row = log.delivery("2019-01", 3)
    assert (row.state, row.code, row.reply, log.balance("2019-01")) == (DeliveryState.REFUSED, 550, "", balance)
    kept = [registry.audience.suppressed_for(registry.address_hash(f"{who}@example.org"))
            for who in ("left", "bounced", "never")]  # fmt: skip
    assert kept == ["erased", "bounced", ""]
    assert registry.journal.verify().problems == ()
    assert list(replay.differences(registry.audience, registry.journal)) == []


class Lives(RuleBasedStateMachine):
    """Three people, every act in any order, and sends in between.

    `may_get` is kept by hand, from the rules of this newsletter in words: who confirmed, or was added or imported, and
    did not leave, was not suppressed, erased or expired since, and does not pause.
    """

    @initialize()
    def begin(self):
        self.registry = new_registry()
        self.now = NOW
        self.letters: list[tuple[str, str]] = []
        self.numbers: set[int] = {0}
        self.off: set[str] = set()  # addresses that only their own wish brings back
        self.barred: set[str] = set()
        self.issues = 0

    people = st.sampled_from([f"{name}@example.org" for name in ("ann", "bob", "eve")])
    pick = st.integers(0, 9)
    chosen = st.lists(st.sampled_from(list(CONFIG.interests)), max_size=2, unique=True)

    def evidence(self, channel=Channel.LINK):
        return by(channel, self.now, network="192.0.2.7")

    def number(self, pick):
        return sorted(self.numbers)[pick % len(self.numbers)]

    def email_of(self, number):
        person = self.registry.audience.get(number)
        return person.email if person else ""

    @rule(days=st.sampled_from([0, 1, 5, 31]))
    def wait(self, days):
        self.now = shifted(self.now, days * DAY + timedelta(hours=2))

    @rule(email=people, chosen=chosen)
    def ask(self, email, chosen):
        before = self.registry.audience.segments("9")
        letter = joining.ask(self.registry, email, self.evidence(Channel.FORM), interests=chosen).letter
        assert self.registry.audience.segments("9") == before
        if letter:
            assert email not in self.barred
            self.letters.append((letter.kind, letter.token))
            self.numbers.add(letter.subscriber_id)

    @rule(pick=pick, target_address=people)
    def ask_address(self, pick, target_address):
        try:
            letter = joining.ask_address_change(
                self.registry, self.number(pick), target_address, self.evidence()
            ).letter
        except MailerError:
            return
        if letter:
            self.letters.append((letter.kind, letter.token))

    @rule(pick=pick)
    def follow(self, pick):
        if not self.letters:
            return
        kind, token = self.letters[pick % len(self.letters)]
        acts = {"confirm": joining.confirm, "confirm-address": joining.confirm_address_change}
        if kind not in acts:
            return
        try:
            person = acts[kind](self.registry, token, self.evidence())
        except MailerError:
            return
        assert person.email not in self.barred
        self.off.discard(person.email)

    @rule(email=people, chosen=chosen)
    def add(self, email, chosen):
        audience = self.registry.audience
        try:
            person = subscribers.add(audience, CONFIG, TOKENS, email, "", chosen, self.now)
        except MailerError:
            return
        assert email not in self.off | self.barred
        self.numbers.add(person.id)

    @rule(emails=st.lists(people, max_size=3, unique=True))
    def bring_in(self, emails):
        with self.registry.audience.importing() as taken:
            taken.add([Newcomer(at, email, TOKENS.digest("address", email), Subscriber(email))
                       for at, email in enumerate(emails)])  # fmt: skip
            taken.finish(self.now, "a list")
        for person in self.registry.audience.all():
            self.numbers.add(person.id)
            if person.email in self.off | self.barred:
                assert person.state is not SubscriberState.ACTIVE

    @rule(pick=pick, chosen=chosen, language=st.sampled_from(["", "fr"]))
    def change(self, pick, chosen, language):
        try:
            life.change(self.registry, self.number(pick), self.evidence(), interests=chosen, language=language)
        except MailerError:
            return

    @rule(pick=pick, days=st.sampled_from([0, 3, 40]))
    def pause(self, pick, days):
        until = date.fromisoformat(self.now[:10]) + days * DAY if days else None
        try:
            life.pause(self.registry, self.number(pick), self.evidence(), until)
        except MailerError:
            return

    @rule(pick=pick)
    def leave(self, pick):
        number = self.number(pick)
        person = life.leave(self.registry, number, self.evidence(Channel.ONE_CLICK))
        if person:
            self.off.add(person.email)

    @rule(pick=pick)
    def undo(self, pick):
        try:
            person = life.undo_leave(self.registry, self.number(pick), self.evidence())
        except MailerError:
            return
        assert person.email not in self.barred
        self.off.discard(person.email)

    @rule(pick=pick, why=st.sampled_from(Reason))
    def say_why(self, pick, why):
        life.reason(self.registry, self.number(pick), self.evidence(), why)

    @rule(pick=pick, why=st.sampled_from(["bounced", "complaint"]))
    def suppress(self, pick, why):
        if email := self.email_of(self.number(pick)):
            life.suppress(self.registry, self.number(pick), self.evidence(Channel.SEND), why)
            self.barred.add(email)

    @rule(pick=pick)
    def erase(self, pick):
        if email := self.email_of(self.number(pick)):
            life.erase(self.registry, self.number(pick), self.evidence())
            self.off.add(email)

    @rule()
    def retain(self):
        retention.remove(self.registry, self.now)

    @rule(pick=pick, leaver=pick)
    def send(self, pick, leaver):
        """An issue for everybody; somebody leaves between the claim and the content."""
        self.issues += 1
        issue, log, today = f"issue-{self.issues}", self.registry.store.sendlog, self.now[:10]
        found = self.registry.audience.segments(today)
        log.freeze(issue, {}, [Edition(f"{self.issues:012x}", ("s",), tuple(found))], [], self.now)
        claims = log.claim(issue, 9, self.now)
        if leaver % 2:
            self.leave(pick)
        for claim in claims:
            offered = log.offer(issue, claim.subscriber.id, self.now)
            email = claim.subscriber.email
            person = self.registry.audience.get(claim.subscriber.id)
            active = person is not None and person.state is SubscriberState.ACTIVE and person.paused_until <= today
            assert offered == (active and email not in self.off | self.barred)
            if offered:
                log.record(issue, claim, Outcome(DeliveryState.ACCEPTED, Reply(250, "ok", Step.CONTENT)), self.now)
        assert log.balance(issue).closed

    @invariant()
    def the_journal_is_whole_and_replays_to_the_table(self):
        assert self.registry.journal.verify().problems == ()
        assert list(replay.differences(self.registry.audience, self.registry.journal)) == []

    @invariant()
    def nobody_off_the_list_is_counted(self):
        for person in self.registry.audience.all(SubscriberState.ACTIVE):
            assert person.email not in self.off | self.barred


Lives.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestAnyOrderOfEvents = Lives.TestCase


def test_segments_without_a_day_leave_out_who_ever_paused(real):
    registry = new_registry()
    joined(registry)
    joined(registry, "bob@example.org")
    life.pause(registry, 1, by(), date(2019, 2, 1))
    [edition], _ = segments.of(real.issue, registry.audience)
    assert edition.count == 1
