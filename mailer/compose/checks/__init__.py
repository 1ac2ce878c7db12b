"""What must hold before an issue goes out. One module a family of rules; ids are never reused.

MLR001  error    an edition is larger than Gmail shows
MLR002  warning  an edition is near that limit
MLR010  warning  a topic that no story has
MLR011  note     a chosen set of interests for which nothing is left
MLR012  warning  chosen interests that are no topics any more
MLR013  warning  words of `mailer init` and `mailer new` that were left in
"""

from __future__ import annotations

from collections.abc import Sequence

from mailer.compose.checks import placeholders, size, topics
from mailer.compose.composition import Composition
from mailer.models import Edition, Finding, Segment, Severity

_ORDER = list(Severity)


def run(composition: Composition, editions: Sequence[Edition], nothing_left: Sequence[Segment]) -> list[Finding]:
    """Every finding, the gravest first."""
    segments = [*(segment for edition in editions for segment in edition.segments), *nothing_left]
    findings = [
        *size.check(composition, editions),
        *topics.check(composition, nothing_left),
        *topics.check_chosen(composition, segments),
        *placeholders.check(composition),
    ]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), finding.line, finding.id))
