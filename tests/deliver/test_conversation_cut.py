"""Conversations that are cut, fall silent or come in crumbs, and what the log says of each (RFC 5321 section 4.2)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sending import SLUG
from smtp_relay import HANG_UP, Gate, Relay

from mailer.deliver.run import Run

USUAL = {"MAIL": "250 Ok", "RCPT": "250 Ok", "DATA": "354 Go on"}
WAYS = pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "step by step"])


def send(office, clock):
    """What can be sent now."""
    return asyncio.run(office.sending(clock).go(wait=False))


@WAYS
def test_cut_at_the_first_mail_of_a_connection_puts_one_off(office, clock, extensions):
    with Relay({"MAIL": [HANG_UP, "250 Ok"]}, extensions=extensions) as relay:
        office.use(relay)
        first, second = office.subscribe(count=2)
        office.plan()
        send(office, clock)
        assert relay.received == [second]
    row = office.log()[first]
    assert (row.state, row.attempts, row.code, row.step) == ("deferred", 1, 0, "mail")
    assert row.reply == "the server closed the connection"
    assert row.next_at == "2018-12-14T08:05:00Z"


class Heavy:
    """A message of 8 MB, more than fits into the buffers between the two."""

    def fill(self, *_):
        return b"Subject: heavy\r\n\r\n" + b"The same line again and again.\r\n" * 250_000


@WAYS
def test_cut_in_the_middle_of_a_content_is_deferred_since_its_dot_has_not_left(office, clock, extensions):
    with Relay({"middle": HANG_UP}, extensions=extensions) as relay:
        office.use(relay)
        (one,) = office.subscribe(count=1)
        room = office.plan()
        job = room.job(room.compose(SLUG))
        job = replace(job, templates=dict.fromkeys(job.templates, Heavy()))
        asyncio.run(Run(job, room.store.sendlog, clock).go(wait=False))
    assert (relay.received, [event for _, event in relay.events if "behind" in event]) == ([], [])
    row = office.log()[one]
    assert (row.state, row.attempts, row.code, row.step) == ("deferred", 1, 0, "content")
    assert row.reply == "the server closed the connection"


@WAYS
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_reply_that_never_comes_before_the_content_is_deferred_and_the_next_one_goes_out(
    office, clock, step, extensions
):
    """What answers late would be read as the answer to another message: the connection is given up."""
    with Relay({step: [Gate(), USUAL[step]]}, extensions=extensions) as relay:
        office.use(relay, timeout="1s")
        first, second = office.subscribe(count=2)
        office.plan()
        send(office, clock)
        assert (relay.received, relay.connections) == ([second], 2)
    row = office.log()[first]
    assert (row.state, row.code, row.reply, row.step) == ("deferred", 0, "no reply within 1 seconds", step.lower())


@asynccontextmanager
async def crumbs(size: int, replies: dict[str, str]):
    """A server that says everything in pieces, each a packet of its own. Yields its port and the mails."""
    mails: list[str] = []

    async def serve(reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def say(text):
            for start in range(0, len(text), size):
                writer.write(text[start : start + size].encode())
                await writer.drain()
                for _ in range(3):  # the other side reads meanwhile
                    await asyncio.sleep(0)

        recipient = ""
        await say("220-relay.example.org\r\n220 ESMTP\r\n")
        while line := (await reader.readline()).decode():
            verb = line[:4]
            if verb == "EHLO":
                await say("250-relay.example.org\r\n250-PIPELINING\r\n250 SIZE 0\r\n")
            elif verb == "RCPT":
                recipient = line[line.index("<") + 1 : line.index(">")]
                await say("250-2.1.5 The recipient\r\n250 is welcome\r\n")
            elif verb == "DATA":
                await say("354 Go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                mails.append(recipient)
                await say(replies.get(recipient, "250-2.0.0 Ok:\r\n250 queued\r\n"))
            else:
                await say("250 2.0.0 Ok\r\n" if verb != "QUIT" else "221 Bye\r\n")
                if verb == "QUIT":
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    async with server:
        yield server.sockets[0].getsockname()[1], mails


@pytest.mark.parametrize("size", [1, 2, 5], ids="{} bytes".format)
def test_replies_in_crumbs_are_put_together_and_each_belongs_to_its_message(office, clock, size):
    replies = {
        "r002@example.org": "550-5.7.1 Not\r\n550 this one\r\n",
        "r003@example.org": "452 4.2.2 Full\r\n",
    }

    async def go():
        async with crumbs(size, replies) as (port, mails):
            office.use(f"smtp://127.0.0.1:{port}")
            everybody = office.subscribe(count=4)
            office.plan()
            await office.sending(clock).go(wait=False)
            return everybody, mails

    everybody, mails = asyncio.run(go())
    assert mails == everybody
    assert [(row.state, row.code, row.reply) for row in office.log().values()] == [
        ("accepted", 250, "2.0.0 Ok: queued"),
        ("refused", 550, "5.7.1 Not this one"),
        ("deferred", 452, "4.2.2 Full"),
        ("accepted", 250, "2.0.0 Ok: queued"),
    ]


def test_a_reply_of_which_half_comes_before_the_end_is_unknown_behind_the_dot(office, clock):
    """`250` without its line end may have been going to be anything, such as a reply of several lines."""

    async def go():
        async with crumbs(3, {"r001@example.org": "250-2.0.0 Ok\r\n250 que"}) as (port, mails):
            office.use(f"smtp://127.0.0.1:{port}", timeout="1s")
            office.subscribe(count=1)
            office.plan()
            await office.sending(clock).go(wait=False)
            return mails

    assert asyncio.run(go()) == ["r001@example.org"]
    row = office.log()["r001@example.org"]
    assert (row.state, row.code, row.reply, row.step) == ("unknown", 0, "no reply within 1 seconds", "content")
    assert office.run("status", SLUG, "--json").json["unknown"] == 1
