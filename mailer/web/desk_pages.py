"""What the desk answers: the page, the mail in its frame, subscribers, pictures, and what the page asks to be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import format_datetime, parseaddr
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from mailer.compose import pictures
from mailer.compose.composition import Composition
from mailer.deliver import once
from mailer.errors import MailerError, RelayError
from mailer.models import DeliveryState, Selection
from mailer.newsroom import clock
from mailer.web import desk_editor, desk_view
from mailer.web.desk_choice import SCHEMES, VIEWS, WIDTHS, Choice
from mailer.web.desk_guard import FRAME_SANDBOX, frame_policy
from mailer.web.desk_message import Message
from mailer.web.desk_proof import Desk, Proof

_FOUND = 20  # subscribers that a search shows
_ALIVE = 15  # seconds between signs of life to the page
_COLOURS = {  # until a theme could be read: those of the enterprises template
    "light": {"page": "#ffffff", "ink": "#1c2429", "muted": "#55626b", "accent": "#0f5c7a", "rule": "#d5dde1",
              "leaf": "#e8f1f5"},
    "dark": {"page": "#16181d", "ink": "#e6e9eb", "muted": "#a9b4bb", "accent": "#86c9e6", "rule": "#3a434a",
             "leaf": "#22303a"},
}  # fmt: skip


def app(desk: Desk, token: str) -> Starlette:
    """The desk's routes, below its token."""
    pages = Pages(desk, token)
    routes = [
        Route("/", pages.page),
        Route("/frame", pages.frame),
        Route("/message.eml", pages.source),
        Route("/readers", pages.readers),
        Route("/picture/{number:int}", pages.picture),
        Route("/events", pages.events),
        Route("/theme.css", pages.theme),
        Route("/{name}", pages.file),
        Route("/test", pages.test, methods=["POST"]),
        Route("/open", pages.open, methods=["POST"]),
    ]
    return Starlette(routes=[Mount("/{token}", routes=routes)], exception_handlers={MailerError: _sentence})


async def _sentence(request: Request, error: Exception) -> Response:
    return HTMLResponse(str(error), 409, media_type="text/plain")


class Pages:
    """What the desk answers."""

    def __init__(self, desk: Desk, token: str) -> None:
        self._desk = desk
        self._base = f"/{token}/"
        self._templates = Environment(
            loader=PackageLoader("mailer.web", "pages/desk"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    async def page(self, request: Request) -> Response:
        """The desk itself."""
        choice = Choice.of(request.query_params)
        proof = self._desk.proof
        mistakes = [
            (problem, desk_view.Place.of(self._desk.room, problem.path, problem.line) if problem.path else None)
            for problem in self._desk.mistakes
        ]
        context: dict[str, Any] = {
            "slug": self._desk.slug, "revision": self._desk.revision, "mistakes": mistakes, "choice": choice,
            "proof": proof, "views": VIEWS, "widths": WIDTHS, "schemes": SCHEMES, "sandbox": FRAME_SANDBOX,
        }  # fmt: skip
        if proof:
            context |= self._shown(proof, choice)
        return self._html("page.html.j2", **context)

    async def frame(self, request: Request) -> Response:
        """The mail for a frame: the one chosen, or that of `edition` with what `against` lacks marked."""
        choice = Choice.of(request.query_params)
        proof = self._proof()
        against: Selection | None = None
        message = self._message(proof, choice)
        if wanted := request.query_params.get("edition"):
            by_key = {one.key: one for one in desk_view.options(proof, self._labels)}
            if wanted not in by_key:  # it was there before the last save
                raise HTTPException(404)
            other = by_key.get(request.query_params.get("against", ""))
            against = other.selection if other else None
            anybody = desk_view.reader(self._desk.room, Choice(interests=by_key[wanted].interests))
            tokens = self._desk.room.tokens
            message = Message.of(proof.composition, by_key[wanted].selection, anybody, tokens)
        framed = message.framed(
            proof.composition, self._desk.room.tokens, choice.scheme, f"{self._base}picture/", against
        )
        return HTMLResponse(framed, headers={"Content-Security-Policy": frame_policy(choice.images)})

    async def source(self, request: Request) -> Response:
        """The message as it would be mailed."""
        message = self._message(self._proof(), Choice.of(request.query_params))
        name = f"{self._desk.slug}.eml"
        return Response(
            message.content, media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip

    async def readers(self, request: Request) -> Response:
        """Subscribers whose address or name holds some words."""
        words = request.query_params.get("q", "").strip()
        found = self._desk.room.store.audience.search(words, _FOUND + 1) if words else []
        return self._html("readers.html.j2", words=words, found=found[:_FOUND], more=len(found) > _FOUND,
                          labels=self._labels)  # fmt: skip

    def picture(self, request: Request) -> Response:
        """A picture as it is published, by its place in the list of them. In a thread: some are drawn anew first."""
        found = self._proof().composition.issue.pictures[request.path_params["number"] :]
        if not found or not found[0].path.is_file():  # it was there before the last save
            raise HTTPException(404)
        _, content = pictures.published(found[0])
        headers = {"Cache-Control": "private, max-age=3600"}  # it changes its address when it changes
        return Response(content, media_type=pictures.content_type(content), headers=headers)

    async def events(self, request: Request) -> Response:
        """The number of the newest revision, now and whenever there is another (HTML, server-sent events)."""
        return StreamingResponse(self._revisions(), media_type="text/event-stream")

    async def theme(self, request: Request) -> Response:
        """The colours and typefaces of the mail."""
        proof = self._desk.proof
        settings = proof.composition.theme.settings if proof else {"colours": _COLOURS, "type": {}}
        body = self._templates.get_template("theme.css.j2").render(
            light=_COLOURS["light"] | settings["colours"]["light"],
            dark=_COLOURS["dark"] | settings["colours"]["dark"],
            type={"sans": "system-ui, sans-serif", "serif": "Georgia, serif"} | settings["type"],
        )
        return Response(body, media_type="text/css")

    async def file(self, request: Request) -> Response:
        """The page's script and style sheet."""
        kinds = {"desk.css": "text/css", "desk.js": "text/javascript"}
        name = request.path_params["name"]
        if name not in kinds:
            raise HTTPException(404)
        loader = self._templates.loader
        assert loader
        return Response(loader.get_source(self._templates, name)[0], media_type=kinds[name])

    async def test(self, request: Request) -> Response:
        """Send the edition shown to an address, as `mailer test` does. Answers with a sentence."""
        form = await request.form()
        proof, room = self._proof(), self._desk.room
        message = self._message(proof, Choice.of(request.query_params))
        composition = proof.composition.embedding()  # pictures are published when the issue goes out
        try:
            tested = await once.send_test(
                composition, room.store.audience, room.tokens, room.relay, str(form.get("to", "")),
                format_datetime(clock()), room.signer, message.selection,
            )  # fmt: skip
        except RelayError as error:
            raise MailerError(f"{error}. Your mail server stands under [smtp] in the configuration") from None
        outcome = tested.outcome
        said = " ".join(str(part) for part in (outcome.reply.code or "", outcome.reply.text) if part)
        if outcome.state is DeliveryState.ACCEPTED:
            inside = ", its pictures inside it" if composition.embeds(message.selection) else ""
            told = f"Sent to {tested.reader.email}{inside}. The server said: {said}"
            return Response(told, media_type="text/plain")
        raise MailerError(f"Not sent, {outcome.state}: {said}")

    async def open(self, request: Request) -> Response:
        """Open a file of the newsroom in the editor."""
        form = await request.form()
        room = self._desk.room
        path, line = desk_view.inside(room, str(form.get("path", ""))), str(form.get("line", ""))
        if path is None or not line.isdigit():
            raise HTTPException(404)
        try:
            desk_editor.start(room.env, path, int(line))
        except OSError as error:
            raise MailerError(f"The editor did not start: {error}") from None
        return Response("Opened in your editor.", media_type="text/plain")

    @property
    def _labels(self) -> dict[str, str]:
        return self._desk.room.config.interests

    def _proof(self) -> Proof:
        if self._desk.proof is None:
            raise MailerError("There is no page yet. Mend the mistakes first")
        return self._desk.proof

    def _message(self, proof: Proof, choice: Choice) -> Message:
        who = desk_view.reader(self._desk.room, choice)
        selection = desk_view.selection_of(proof.composition, who)
        return Message.of(proof.composition, selection, who, self._desk.room.tokens)

    def _shown(self, proof: Proof, choice: Choice) -> dict[str, Any]:
        """All that the templates need about a proof."""
        composition: Composition = proof.composition
        message = self._message(proof, choice)
        left, right = desk_view.compared(choice, proof, message.selection, self._labels)
        issue = composition.issue
        return {
            "issue": issue,
            "composition": composition,
            "sender_name": parseaddr(composition.config.newsletter.sender)[0] or composition.config.newsletter.name,
            "message": message,
            "source": message.content.decode("utf-8", "replace"),
            "gauge": desk_view.Gauge.at(composition.sizes(message.selection)[1]),
            "findings": desk_view.findings(self._desk.room, proof),
            "reading": proof.checked.reading if proof.checked else {},
            "options": desk_view.options(proof, self._labels),
            "matrix": desk_view.matrix(proof, message.selection, list(self._labels)),
            "labels": self._labels,
            "left": left,
            "right": right,
            "only_left": desk_view.only_in(issue, left.selection, right.selection),
            "only_right": desk_view.only_in(issue, right.selection, left.selection),
        }

    async def _revisions(self) -> AsyncIterator[str]:
        while True:
            change = self._desk.change
            yield f"data: {self._desk.revision}\n\n"
            while not change.is_set():
                try:
                    async with asyncio.timeout(_ALIVE):
                        await change.wait()
                except TimeoutError:
                    yield ": still here\n\n"

    def _html(self, name: str, **context: Any) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(context))
