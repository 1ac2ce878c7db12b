"""Asks SpamAssassin, where it is installed, what it thinks of a mail. Offline: no lookups, nothing learnt."""

from __future__ import annotations

import re
import shutil
import subprocess

from mailer.errors import MailerError
from mailer.models import SpamHit, Verdict

_SECONDS = 60
# A mail as it lies before us has not travelled yet; what that alone costs is nobody's fault.
_NOT_SENT = {"NO_RECEIVED", "NO_RELAYS", "ALL_TRUSTED", "MISSING_DATE", "MISSING_MID"}
_SCORE = re.compile(r"^Content analysis details:\s+\((-?[\d.]+) points, (-?[\d.]+) required\)", re.MULTILINE)
_HIT = re.compile(r"^ *(-?\d+(?:\.\d+)?) (\w+) +(.+(?:\n {20,}.+)*)", re.MULTILINE)


def installed() -> bool:
    """Whether there is one to ask."""
    return shutil.which("spamassassin") is not None


def ask(message: bytes) -> Verdict:
    """What `spamassassin --local --test-mode` says of a message; takes some two seconds.

    Raises MailerError when it is not there, fails, or takes longer than a minute.
    """
    command = ["spamassassin", "--local", "--test-mode", "--nocreate-prefs"]
    try:
        done = subprocess.run(command, input=message, capture_output=True, timeout=_SECONDS, check=True)
    except FileNotFoundError:
        raise MailerError("SpamAssassin is not installed; install it (apt install spamassassin)") from None
    except subprocess.TimeoutExpired:
        raise MailerError(f"SpamAssassin did not answer within {_SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise MailerError(f"SpamAssassin failed: {said or error.returncode}") from None
    return read(done.stdout.decode("utf-8", "replace"))


def read(report: str) -> Verdict:
    """The report that stands behind the message. Raises MailerError when there is none."""
    found = list(_SCORE.finditer(report))  # the last: a mail may quote one
    if not found:
        raise MailerError("SpamAssassin's answer holds no report; is it version 3.4 or later?")
    hits = tuple(
        SpamHit(rule, float(points), " ".join(text.split()))
        for points, rule, text in _HIT.findall(report, found[-1].end())
        if rule not in _NOT_SENT
    )
    return Verdict(float(found[-1][1]), float(found[-1][2]), hits)
