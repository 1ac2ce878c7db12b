"""The header of a CSV file: which columns are ours, and which were meant to be."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from mailer.audience import names

OWN = ("email", "name", "interests", "language", "state")  # the rest are personal fields
REJECTS = ("rejected_line", "rejected_because")  # what a file of rejected lines has before its own columns
_ALIKE = 0.8  # `interest` and `langue` are ours, `nome`, `surname` and `status` may be anything
_SYNONYMS = {
    "email": ("e-mail", "mail", "address", "email address", "e-mail address", "email_address"),
    "name": ("fullname", "full name", "full_name", "full-name"),
    "interests": ("interest", "topic", "topics", "tag", "tags"),
    "language": ("lang", "locale"),
}
_OTHERWISE = {
    "name": ", or nobody is greeted by name",
    "interests": ", or everybody gets the whole issue",
    "language": ", or everybody gets the newsletter's own language",
    "state": ", or who left is written to",
}


def personal(columns: list[str]) -> tuple[str, ...]:
    """The columns that are kept as personal fields."""
    return tuple(column for column in columns if column not in (*OWN, *REJECTS))


def mistakes(columns: list[str], header: str) -> list[str]:
    """What is wrong with a header; `header` is its line as it stands."""
    if not any(columns):
        return ["is empty; its first line names the columns, email first"]
    if trouble := names.unprintable("".join(columns)):
        return [trouble]
    found = []
    for own in OWN:
        if own in columns:
            continue
        if meant := _meant(own, personal(columns)):
            found.append(f"has no column “{own}”, but “{meant[:80]}”: rename it{_OTHERWISE.get(own, '')}")
        elif own == "email":
            found.append(f"has no column “email” in its header “{header}”; columns are separated by , ; or tab")
    for column in sorted(column for column, count in Counter(columns).items() if count > 1):
        found.append(f"the header names “{column}” twice; keep one")
    if "" in columns:
        found.append("a column of the header has no name")
    return found


def _meant(own: str, others: tuple[str, ...]) -> str:
    """The other column that was meant to be this one of ours; empty when there is none."""
    known = [column for column in others if column in _SYNONYMS.get(own, ())]
    return (known or get_close_matches(own, others, n=1, cutoff=_ALIKE) or [""])[0]
