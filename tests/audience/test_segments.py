"""Interests -> editions with head counts."""

from __future__ import annotations

from itertools import combinations

from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from people import CONFIG, import_file, new_store, subscribe

from mailer.audience import segments
from mailer.models import Segment, Subscriber, SubscriberState

TOPICS = list(CONFIG.interests)
PERSON = st.builds(
    Subscriber,
    email=st.just(""),
    interests=st.sets(st.sampled_from(TOPICS)).map(CONFIG.topic_order),
    state=st.sampled_from(SubscriberState),
)


def test_the_december_issue_has_an_edition_for_every_combination_of_the_sample(real):
    """15 choices of some topics, and one edition for the whole issue shared by who chose all and who chose none."""
    editions, nothing_left = segments.of(real.issue, import_file(ROOT / "subscribers/sample.csv").store.audience)
    chosen = sorted(segment.interests for edition in editions for segment in edition.segments)
    assert chosen == sorted(some for count in range(5) for some in combinations(TOPICS, count))
    assert (sum(edition.count for edition in editions), nothing_left) == (240, [])
    assert len({edition.selection for edition in editions}) == len(editions)
    whole = next(edition for edition in editions if edition.selection == tuple(s.id for s in real.issue.stories))
    assert {segment.interests for segment in whole.segments} >= {(), tuple(TOPICS)}


@given(people=st.lists(PERSON, max_size=30))
def test_head_counts_are_those_of_the_stories_each_person_gets(real, people):
    """Counted person by person, by the rule: any topic in common, no interests get all, only active people count."""
    store = new_store()
    named = [Subscriber(f"p{n}@example.org", interests=one.interests, state=one.state) for n, one in enumerate(people)]
    subscribe(store, *named)
    counted: dict[tuple[str, ...], int] = {}
    for person in named:
        if person.state is SubscriberState.ACTIVE:
            mine = set(person.interests)
            stories = (s for s in real.issue.stories if not mine or not s.topics or mine & set(s.topics))
            selection = tuple(story.id for story in stories)
            counted[selection] = counted.get(selection, 0) + 1
    editions, nothing_left = segments.of(real.issue, store.audience)
    assert {edition.selection: edition.count for edition in editions} == counted
    assert nothing_left == []


def test_who_has_nothing_left_is_counted_apart(newsroom, write_issue):
    text = "---\ntitle: T\ndate: 2018-12-14\nsubject: One story\npreheader: P\n---\n\n# News\n\n"
    issue = newsroom.issue(write_issue(text + "## Growth {#growth topics=cooperatives}\n\nText.\n"))
    store = new_store()
    subscribe(store, "all@example.org", Subscriber("g@example.org", interests=("green-jobs",)),
              Subscriber("c@example.org", interests=("cooperatives", "green-jobs")))  # fmt: skip
    [edition], nothing_left = segments.of(issue, store.audience)
    assert (edition.selection, edition.count) == (("growth",), 2)
    assert nothing_left == [Segment(("green-jobs",), 1)]
