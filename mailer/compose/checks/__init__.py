"""What must hold before an issue goes out. One module a family of rules; ids are never reused.

MLR001  error    an edition is larger than Gmail shows
MLR002  warning  an edition is near that limit
MLR010  warning  a topic that no story has
MLR011  note     a chosen set of interests for which nothing is left
"""

from __future__ import annotations

from collections.abc import Sequence

from mailer.compose.checks import size, topics
from mailer.compose.composition import Composition
from mailer.models import Edition, Finding, Segment, Severity

_ORDER = list(Severity)


def run(composition: Composition, editions: Sequence[Edition], nothing_left: Sequence[Segment]) -> list[Finding]:
    """Every finding, the gravest first."""
    findings = [*size.check(composition, editions), *topics.check(composition, nothing_left)]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), finding.line, finding.id))
