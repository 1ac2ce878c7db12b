"""check: what is wrong with an issue, for a person, a program or a code host."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from mailer.audience import segments
from mailer.cli import extras, sarif, views
from mailer.cli.app import IssueName, Json, newsroom, out, print_json
from mailer.compose import checks
from mailer.compose.checks import reading
from mailer.compose.checks.material import Material
from mailer.compose.composition import Composition
from mailer.errors import InputError
from mailer.models import Finding, Severity
from mailer.newsroom import Newsroom, today
from mailer.web import texts


class Format(StrEnum):
    """How findings are written."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


def check(
    context: typer.Context,
    issue: IssueName,
    as_json: Json = False,
    form: Annotated[Format, typer.Option("--format", help="sarif is what code hosts read.")] = Format.TABLE,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Ask each link, too, whether it leads anywhere.")] = False,
    spelling: Annotated[bool, typer.Option("--spelling", help="Look words up in the dictionaries here.")] = False,
    spam: Annotated[bool, typer.Option("--spam", help="Ask SpamAssassin, offline, what it thinks of it.")] = False,
) -> None:
    """What is wrong with an issue. Exit 1 when something must be mended."""
    room = newsroom(context)
    form = Format.JSON if as_json else form
    try:
        material = _material(room, room.compose(issue))
        editions = len(material.editions)
        if spelling:
            extras.look_up_words(material)
        if spam:
            extras.ask_spamassassin(room, material)
        findings = _found(material, online)
        read = reading.of(material)
    except InputError as error:
        if form is Format.TABLE:
            raise
        findings, editions, read = checks.mistakes(error.problems), 0, None
    if form is Format.JSON:
        found = [asdict(finding) for finding in findings]
        print_json({"issue": issue, "editions": editions, "reading": views.reading_data(read), "findings": found})
    elif form is Format.SARIF:
        print_json(sarif.log(findings, checks.RULES))
    else:
        out.print(views.findings(material.issue, findings, editions, read))
    grave = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    raise typer.Exit(1 if any(one.severity in grave and not one.silenced for one in findings) else 0)


def errors(room: Newsroom, composition: Composition) -> int:
    """How many errors an issue has that nobody has silenced."""
    found = checks.run(_material(room, composition))
    return sum(one.severity is Severity.ERROR and not one.silenced for one in found)


def _material(room: Newsroom, composition: Composition) -> Material:
    served = segments.of(composition.issue, room.store.audience, today())
    material = Material(composition, *served, room.earlier(composition.issue), room.root)
    material.english = texts.untranslated(room.config)
    return material


def _found(material: Material, online: bool) -> list[Finding]:
    if not online:
        return checks.run(material)
    from mailer.cli.online import answers  # httpx, which nobody needs who stays offline

    material.answers = answers(material)
    return checks.run(material)
