"""Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailer import __version__
from mailer.cli.views import sentence
from mailer.compose.checks.rules import Rule
from mailer.models import Finding, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def log(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """One run: every rule with its reason, every finding as a result; silenced ones are suppressed in source (3.35)."""
    order = sorted(rules)
    driver = {
        "name": "mailer",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_descriptor(rules[id_]) for id_ in order],
    }
    results = [_result(finding, order.index(finding.id)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": finding.path, "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    result = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{sentence(finding.text)} {sentence(finding.fix)}"},
        "locations": [{"physicalLocation": place}],
        "properties": {"editions": list(finding.editions), "story": finding.story},
    }
    if finding.silenced:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.silenced}]
    return result
