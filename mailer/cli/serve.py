"""serve, archive: the reader's pages, alive or as files."""

from __future__ import annotations

import json
import logging
import signal
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mailer.cli import loop
from mailer.cli.app import Json, newsroom, print_json, say
from mailer.newsroom import clock

if TYPE_CHECKING:
    from types import FrameType


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: [web] host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one. Default: [web] port.")
    ] = None,
    log: Annotated[
        LogFormat | None, typer.Option(help="A line of text or of JSON a request. Default: JSON, except on a terminal.")
    ] = None,
) -> None:
    """The reader's pages: subscribe, preferences, unsubscribe, the archive. Runs until it is stopped."""
    from mailer.web import public, server

    room = newsroom(context)
    web = room.config.web
    app = public.app(room, clock)
    listener = server.listen(host or web.host, web.port if port is None else port)
    _log_to_stderr(log or (LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON))
    site = server.server(app, web)

    def stop(number: int, frame: FrameType | None) -> None:
        site.should_exit = True  # uvicorn ends gracefully, and raises the signal again when it has

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    at, taken = listener.getsockname()[:2]
    logging.getLogger("mailer.web").info(
        "The reader's pages of %s are at http://%s:%d/, to be reached as %s/. Stop them with Ctrl+C or SIGTERM.",
        room.config.newsletter.name, f"[{at}]" if ":" in at else at, taken, room.config.newsletter.public_url,
    )  # fmt: skip
    loop.run(site.serve([listener]))


def archive(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.")],
    as_json: Json = False,
) -> None:
    """Write the archive as files for any web server: each sent issue, the index, feeds, calendars, pictures.

    Run again, it brings the folder up to date and takes away what it wrote before and is gone. It touches nothing else.
    """
    from mailer.web import export

    written = export.write(newsroom(context), clock, to)
    if as_json:
        print_json({"folder": str(to), "files": written})
    else:
        say(f"{len(written)} files in {escape(str(to))}")


def _log_to_stderr(wanted: LogFormat) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines() if wanted is LogFormat.JSON else _Plain("%(asctime)s %(message)s", "%H:%M:%S"))
    for name, level in (("mailer", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


class _Plain(logging.Formatter):
    """Never a traceback: its messages may hold addresses."""

    def formatException(self, ei: object) -> str:
        return getattr(ei[0], "__name__", "") if isinstance(ei, tuple) else ""


class _Lines(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
        }
        line |= getattr(record, "request", None) or {"message": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)
