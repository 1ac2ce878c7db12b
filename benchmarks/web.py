"""The reader's pages, measured: pages and one-click POSTs a second, against a bare Starlette "hello"; with a send, too.

    python benchmarks/web.py [--requests N] [--recipients N] [--rounds N] [--quick]

Both applications run under the same uvicorn with the same settings and event loop, each in a process of its own, and
neither writes a log; the pages go out by web/server.py's extension, hello as Starlette sends it. One client in this
process keeps 8 connections busy and waits for each answer. Every POST takes another reader off the list:
a row changed, a row of the consent journal chained to those before, committed. During a send, a process beside them
sends the real issue at full rate to smtp-sink from the same SQLite file, on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

import measure
import outbox
from measure import Timing, checked, in_turn, judged, machine
from outbox import KEY, SLUG, Desk
from sink import HOST, NoSink, Sink
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mailer.cli import loop
from mailer.models import SubscriberState
from mailer.newsroom import Newsroom, clock
from mailer.store import open_store
from mailer.web import public
from mailer.web.server import listen, server

CONNECTIONS = 8
SENDING = 4  # connections to the sink
LONGEST = 2.0  # times a bare answer's time: half its rate
_STAYING = 50  # readers whose pages are asked for
LEAST = 200  # POSTs a second during a send
_BODY = b"List-Unsubscribe=One-Click"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        _serve(Path(sys.argv[2]) if sys.argv[2:] else None)
        return
    options = _options()
    print(machine("starlette", "uvicorn", "uvloop"))
    print(f"times     medians of rounds in turn (fastest to slowest){measure.QUICK * options.quick}")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        posts = options.requests * (options.rounds + 1)  # the first round warms up
        alone(Desk.make(scratch / "alone", posts + _STAYING), options.requests, options.rounds)
        try:
            with_sink = Sink(scratch)
        except NoSink as reason:
            print(f"\nduring a send nothing was measured: {reason}")
            return
        with with_sink as sink:
            desk = Desk.make(scratch / "sending", options.recipients)
            during_a_send(desk, sink, options.requests, options.rounds)


def alone(desk: Desk, count: int, rounds: int) -> None:
    """Pages and POSTs, with nothing else going on."""
    print(f"\n{count:,} requests, {CONNECTIONS} connections, {rounds} rounds")
    _renew(desk)
    with _serving() as hello, _serving(desk.newsroom.root) as site:
        leaving = iter(_one_clicks(desk, range(_STAYING + 1, desk.recipients + 1)))
        ways: dict[str, Callable[[], float]] = {
            "a bare Starlette “hello”, GET": lambda: _taken(hello, [_get("/")] * count),
            "mailer: the page to unsubscribe, GET": lambda: _taken(site, _pages(desk, "unsubscribe", "/u/", count)),
            "mailer: the page of preferences, GET": lambda: _taken(site, _pages(desk, "preferences", "/p/", count)),
            "mailer: one-click unsubscribing, POST": lambda: _taken(site, [next(leaving) for _ in range(count)]),
        }
        hello_, unsubscribe, preferences, post = timings = in_turn(rounds, 1, ways)
    for timing in timings:
        print(f"{timing.row()}   {count / timing.median:,.0f}/s")
    bare = hello_.median
    print(judged("the page to unsubscribe takes", unsubscribe.median / bare, LONGEST, _TIMES, at_most=True))
    print(judged("the page of preferences takes", preferences.median / bare, LONGEST, _TIMES, at_most=True))
    print(f"     a POST costs {post.median / bare:.1f} times a bare answer")
    gone = _gone(desk)
    checked(gone == desk.recipients - _STAYING, f"each of {gone:,} POSTs took another reader off the list")


_TIMES = "times as long as a bare answer"


def during_a_send(desk: Desk, sink: Sink, count: int, rounds: int) -> None:
    """The same, while the issue goes out from the same file at full rate. The last readers of the queue leave."""
    print(f"\nThe same while {desk.recipients:,} mails are being sent, {rounds} rounds")
    posts, pages = Timing("mailer: one-click unsubscribing, POST"), Timing("mailer: the page of preferences, GET")
    slowest, rates, right = list[float](), list[float](), list[bool]()
    last = range(desk.recipients, desk.recipients - count, -1)
    for _ in range(rounds):
        _renew(desk)
        with _serving(desk.newsroom.root) as site:
            _taken(site, _pages(desk, "preferences", "/p/", 50))
            before, began = sink.messages, perf_counter()
            command = [sys.executable, outbox.__file__, str(desk.newsroom.root), str(sink.port), str(SENDING)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sending:
                while sink.messages == before and sending.poll() is None:
                    pass
                single = list[float]()
                posts.seconds.append(_taken(site, _one_clicks(desk, last), single))
                slowest.append(max(single))
                pages.seconds.append(_taken(site, _pages(desk, "preferences", "/p/", count)))
                running = sending.poll() is None
            rates.append((sink.messages - before) / (perf_counter() - began))
        right.append(running and _gone(desk) == count and _closed(desk, sink.messages - before))
    for timing in (posts, pages):
        print(f"{timing.row()}   {count / timing.median:,.0f}/s")
    print(f"     the slowest POST took {max(slowest) * 1000:,.0f} ms; the send did {statistics.median(rates):,.0f}/s")
    print(judged("one-click takes", count / posts.median, LEAST, "POSTs a second during a send"))
    checked(all(right), f"the send outlasted them; {count:,} readers left, each mail is accepted or skipped")


def _taken(port: int, requests: Sequence[bytes], single: list[float] | None = None) -> float:
    """Seconds for all of them; those of each one are appended to `single`."""
    return loop.run(_load(port, requests, [] if single is None else single))


async def _load(port: int, requests: Sequence[bytes], single: list[float]) -> float:
    waiting = iter(requests)

    async def one() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for request in waiting:
            began = perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200 ") or not length:
                sys.exit(f"WRONG RESULT: {head.decode('latin-1')}")
            await reader.readexactly(int(length[1]))
            single.append(perf_counter() - began)
        writer.close()

    began = perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return perf_counter() - began


def _pages(desk: Desk, purpose: str, path: str, count: int) -> list[bytes]:
    """Pages of the first readers, who stay."""
    return [_get(f"{path}{desk.newsroom.tokens.sign(purpose, number % _STAYING + 1)}") for number in range(count)]


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: newsletter.example.org\r\n\r\n".encode()


def _one_clicks(desk: Desk, numbers: range) -> list[bytes]:
    head = "POST /u/{} HTTP/1.1\r\nHost: newsletter.example.org\r\nContent-Length: {}\r\nContent-Type: {}\r\n\r\n"
    kind = "application/x-www-form-urlencoded"
    tokens = desk.newsroom.tokens
    return [head.format(tokens.sign("unsubscribe", number), len(_BODY), kind).encode() + _BODY for number in numbers]


def _renew(desk: Desk) -> None:
    """The store as it was before the first send."""
    store = desk.newsroom.root / "subscribers" / "mailer.db"
    for path in store.parent.glob(f"{store.name}*"):
        path.unlink()
    shutil.copyfile(desk.planned, store)
    with store.open("rb+") as written:
        os.fsync(written)


def _gone(desk: Desk) -> int:
    with closing(open_store("sqlite:subscribers/mailer.db", desk.newsroom.root, bytes)) as store:
        return store.audience.counts()[SubscriberState.UNSUBSCRIBED]


def _closed(desk: Desk, taken: int) -> bool:
    with closing(open_store("sqlite:subscribers/mailer.db", desk.newsroom.root, bytes)) as store:
        balance = store.sendlog.balance(SLUG)
    return (balance.accepted, balance.accepted + balance.skipped) == (taken, desk.recipients)


@contextmanager
def _serving(folder: Path | None = None) -> Generator[int]:
    """The port of a server that runs in a process of its own: the newsroom's pages, or the bare answer."""
    command = [sys.executable, __file__, "serve", *([str(folder)] if folder else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.terminate()


async def _hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def _serve(folder: Path | None) -> None:
    web = Newsroom.open(outbox.ROOT, KEY).config.web
    room = Newsroom.open(folder, KEY) if folder else None
    app = public.app(room, clock) if room else Starlette(routes=[Route("/", _hello)])
    listener = listen(HOST, 0)
    print(listener.getsockname()[1], flush=True)
    loop.run(server(app, web).serve([listener]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1000, help="requests of each kind a round")
    parser.add_argument("--recipients", type=int, default=20_000, help="mails of the send beside them")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement")
    parser.add_argument("--quick", action="store_true", help="few requests, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.requests, options.recipients, options.rounds = 50, 3000, 1
    return options


if __name__ == "__main__":
    main()
