"""A proof of work lets a form pass in a rush at the first press; without a good one the second, later press does."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice

import httpx
import pytest
from joining_form import MOMENT, done, fields
from public_server import serving

from mailer.audience import life, subscribers
from mailer.audience.joining import ASKS_AN_HOUR, LETTERS_A_DAY
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence
from mailer.web import abuse, work

pytest_plugins = ["mailing_site"]

EASY = 4  # zero bits: a proof of 16 parts takes some 256 hashes
ADDRESS = "nora@example.org"
FORMS = pytest.mark.parametrize("path", ["/subscribe", "/data"])


@pytest.fixture
def rush(monkeypatch):
    """From the first form on."""
    monkeypatch.setattr(abuse, "RUSH", 0)
    monkeypatch.setattr(work, "BITS", EASY)


def all_digits() -> Iterator[str]:
    return (f"{number:08x}" for number in count())


def solves(digits: str, task: str, bits: int = EASY) -> bool:
    return int(hashlib.sha256(f"{digits}{task}".encode()).hexdigest(), 16) >> (256 - bits) == 0


def numbers(task: str, bits: int = EASY) -> list[str]:
    """Sixteen that solve a task, as pages/public/work.js finds them."""
    return list(islice((digits for digits in all_digits() if solves(digits, task, bits)), 16))


def wrong(task: str) -> str:
    """One that does not."""
    return next(digits for digits in all_digits() if not solves(digits, task))


def solved(task: str) -> str:
    return f"{task}:{''.join(numbers(task))}"


def opened(client: httpx.Client, path: str = "/subscribe", network: str = "198.51.100.7") -> dict[str, str]:
    """The fields of a form, as somebody in this network sees it."""
    return fields(client.get(path, headers={"X-Forwarded-For": network}).text)


def post(client: httpx.Client, form: dict[str, str], path: str = "/subscribe", **given: str) -> httpx.Response:
    network = given.pop("network", "198.51.100.7")
    return client.post(path, data=form | {"email": ADDRESS} | given, headers={"X-Forwarded-For": network})


def step(page: httpx.Response) -> str:
    """What a page of the form says comes next."""
    assert page.status_code == 200
    words = {"Look into your mailbox": "go", "One more step": "again", "Please wait 20 seconds": "wait"}
    [found] = [name for text, name in words.items() if text in page.text]
    return found


@FORMS
def test_without_a_rush_there_is_no_script_and_none_may_run(client, path):
    page = client.get(path)
    assert ("script" in page.text, "work" in fields(page.text)) == (False, False)
    assert "script-src" not in page.headers["content-security-policy"]


@FORMS
def test_in_a_rush_a_page_may_run_our_script_and_no_other(client, rush, path):
    page = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["worker-src"]) == ("'none'", "'self'", "'self'")
    assert re.findall(r"<script\b.*", page.text) == ['<script src="/work.js" defer></script>']
    assert re.search(r"\son\w+=", page.text) is None
    script = client.get("/work.js")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert len(script.content) < 4096
    assert "script-src" not in client.get("/").headers["content-security-policy"]


def test_the_script_is_found_behind_a_path(newsroom, clock, rush):
    from mailer.newsroom import Newsroom

    behind = Newsroom.open(newsroom.root, {**newsroom.env, "MAILER_PUBLIC_URL": "https://example.org/news"})
    with serving(behind, clock) as site:
        [address] = re.findall(r'<script src="([^"]+)"', site.get("/news/subscribe").text)
        assert (address, site.get(address).status_code) == ("/news/work.js", 200)
    behind.close()


@FORMS
def test_a_proof_lets_the_first_press_pass(client, room, relay, clock, rush, path):
    subscribers.add(room.store.audience, room.config, room.tokens, ADDRESS, "", [], "2018-12-01T08:00:00Z")
    form = opened(client, path)
    clock.now += MOMENT
    assert step(post(client, form | {"work": solved(form["work"])}, path)) == "go"
    done(room)
    assert relay.received == [ADDRESS]


def test_the_sixty_first_form_in_ten_minutes_needs_a_proof_and_the_page_after_them_asks_for_one(
    client, room, clock, monkeypatch
):
    monkeypatch.setattr(abuse, "RUSH", 3)
    monkeypatch.setattr(work, "BITS", EASY)
    early = opened(client)
    clock.now += MOMENT
    assert [step(post(client, early, email=f"r{number}@example.org")) for number in range(3)] == ["go"] * 3
    waiting = post(client, early)
    assert (step(waiting), "work" in early) == ("wait", False)
    told = fields(waiting.text)
    assert step(post(client, told)) == "wait"
    assert step(post(client, told | {"work": solved(told["work"])})) == "go"
    clock.now += timedelta(minutes=10)
    assert "work" not in opened(client)


def repeated(task: str, found: list[str]) -> str:
    return f"{task}:{found[0] * 16}"


BAD = {
    "no field": lambda task, found: None,
    "empty": lambda task, found: "",
    "only the task": lambda task, found: task,
    "no numbers": lambda task, found: f"{task}:",
    "no task": lambda task, found: ":" + "".join(found),
    "one number missing": lambda task, found: f"{task}:{''.join(found[:15])}",
    "one too many": lambda task, found: f"{task}:{''.join([*found, found[0]])}",
    "one number sixteen times": repeated,
    "one number twice": lambda task, found: f"{task}:{''.join([*found[:15], found[0]])}",
    "one number wrong": lambda task, found: f"{task}:{''.join([*found[:15], wrong(task)])}",
    "capitals": lambda task, found: f"{task}:{''.join(found).replace('0', 'A')}",
    "other digits": lambda task, found: f"{task}:{'٠' * 128}",
    "another task's numbers": lambda task, found: f"{task}:{''.join(numbers(task + 'x'))}",
    "a changed task": lambda task, found: solved(f"{'2' if task[0] != '2' else '3'}{task[1:]}"),
    "a task of one's own": lambda task, found: solved("1.AAAAAAAAAAAAAAAA"),
    "letters that are no ASCII": lambda task, found: f"é.ü:{''.join(found)}",
    "a line break": lambda task, found: f"{task}:{''.join(found)}\n",
    "very long": lambda task, found: f"{task}:{'0' * 60_000}",
    "bytes": lambda task, found: "\0:\0",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_is_no_proof_leads_to_the_second_press_and_never_to_an_error(client, room, relay, clock, rush, bad):
    form = opened(client)
    task = form.pop("work")
    proof = bad(task, numbers(task))
    clock.now += MOMENT
    waiting = post(client, form | ({} if proof is None else {"work": proof}))
    assert step(waiting) == "wait"
    again = fields(waiting.text)
    assert (again["email"], again["work"] != task) == (ADDRESS, True)
    clock.now += timedelta(seconds=20)
    assert step(post(client, again)) == "go"
    done(room)
    assert relay.received == [ADDRESS]


@pytest.mark.parametrize(
    ("age", "comes_next"), [(timedelta(minutes=15, seconds=-1), "go"), (timedelta(minutes=15), "wait")], ids=str
)
def test_a_proof_is_good_for_a_quarter_of_an_hour(client, clock, rush, age, comes_next):
    form = opened(client)
    clock.now += age
    assert step(post(client, form | {"work": solved(form["work"])})) == comes_next


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(minutes=14)], ids=str)
@pytest.mark.parametrize("email", [ADDRESS, "other@example.org"])
def test_a_proof_is_good_once(client, clock, rush, email, wait):
    form = opened(client)
    form["work"] = solved(form["work"])
    clock.now += timedelta(seconds=2)
    assert step(post(client, form)) == "go"
    clock.now += wait
    assert step(post(client, form, email=email)) == "wait"


@pytest.mark.parametrize(
    ("seen_from", "sent_from", "comes_next"),
    [("198.51.100.7", "198.51.100.8", "wait"), ("2001:db8:1:2::1", "2001:db8:1:3::1", "wait"),
     ("2001:db8:1:2::1", "2001:db8:1:2::ffff", "go")],
    ids=["another address", "another IPv6 network", "the same IPv6 network"],
)  # fmt: skip
def test_a_proof_is_good_in_its_network(client, clock, rush, seen_from, sent_from, comes_next):
    form = opened(client, network=seen_from)
    clock.now += MOMENT
    assert step(post(client, form | {"work": solved(form["work"])}, network=sent_from)) == comes_next


def test_two_who_look_in_the_same_second_get_different_tasks(client, rush):
    assert opened(client)["work"] != opened(client)["work"]


@pytest.mark.parametrize(
    ("given", "wait"), [({"website": "https://example.net"}, MOMENT), ({}, timedelta(seconds=1)),
                        ({"ticket": ""}, MOMENT)], ids=["trap", "haste", "no ticket"],
)  # fmt: skip
def test_a_proof_excuses_nothing_else_and_is_not_used_up_by_it(client, clock, rush, given, wait):
    form = opened(client)
    form["work"] = solved(form["work"])
    clock.now += wait
    assert step(post(client, form, **given)) == "again"
    clock.now += MOMENT
    assert step(post(client, form)) == "go"


def test_P5_the_answer_is_the_same_whoever_is_asked_with_and_without_a_proof(client, room, clock, rush):
    for situation in ("active", "left", "erased"):
        person = subscribers.add(
            *(room.store.audience, room.config, room.tokens, f"{situation}@example.org", "", []), "2018-12-01T08:00:00Z"
        )
        if situation != "active":
            act = life.leave if situation == "left" else life.erase
            act(
                Registry(room.store, room.config, room.tokens),
                person.id,
                Evidence("2018-12-01T08:00:00Z", Channel.OPERATOR),
            )
    for work_field in (solved, str):
        answers = set()
        for situation in ("stranger", "active", "left", "erased"):
            form = opened(client)
            clock.now += MOMENT
            page = post(client, form | {"work": work_field(form["work"])}, email=f"{situation}@example.org")
            told = {name: value for name, value in page.headers.items() if name != "date"}
            again = fields(page.text)
            text = page.text.replace(situation, "WHO")
            for name in ("ticket", "work"):
                text = text.replace(again.get(name) or "-", name)
            told.pop("content-length")
            answers.add((step(page), text, json.dumps(told)))
        assert len(answers) == 1


@pytest.mark.parametrize(
    ("emails", "networks", "letters"),
    [("victim@example.org", "203.0.113.{}", LETTERS_A_DAY), ("victim{}@example.org", "203.0.113.7", ASKS_AN_HOUR)],
    ids=["one address", "one network"],
)
def test_P1_a_flood_of_forms_with_proofs_makes_no_more_letters(
    room, client, relay, clock, rush, emails, networks, letters
):
    steps = []
    for number in range(30):
        network = networks.format(number)
        form = opened(client, network=network)
        clock.now += timedelta(seconds=2)
        form["work"] = solved(form["work"])
        steps.append(step(post(client, form, email=emails.format(number), network=network)))
    done(room)
    assert steps == ["go"] * 30, "the same page for all: nobody learns of a limit"
    assert len(relay.received) == letters
