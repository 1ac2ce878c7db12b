"""mailer check: what a person, a program and a code host read of the same findings."""

from __future__ import annotations

import pytest
from conftest import ISSUE
from sending import SLUG

from mailer.compose.checks import RULES

PATH = f"issues/{SLUG}/issue.md"
VAGUE = ISSUE.replace("[grow fast]", "[here]")


@pytest.fixture
def desk(office):
    """Readers for each topic, so that nothing but the seeded fault is found."""
    office.write_issue(VAGUE)
    office.subscribe(coops="cooperatives", green="green-jobs")
    return office


def of(findings, id_):
    return [one for one in findings if one["id"] == id_]


def test_a_finding_says_where_what_why_and_how_in_eighty_columns(desk):
    out = desk.run("check", SLUG).out
    lines = out.splitlines()
    at = lines.index(f"MLR037 {PATH}:14 (in 1 of 2 editions)")
    assert lines[at + 1 : at + 4] == [
        "  “here” doesn't say where it leads: a screen reader lists links without the",
        "  text around them (WCAG 2.4.4).",
        "  Name the page: [the report on cooperatives](...).",
    ]
    assert max(map(len, lines)) <= 80


def test_findings_as_json_name_story_and_editions(desk):
    answer = desk.run("check", SLUG, "--format", "json")
    [finding] = of(answer.json["findings"], "MLR037")
    [edition] = finding.pop("editions")
    assert finding == {
        "id": "MLR037", "severity": "warning", "path": PATH, "line": 14, "story": "coops", "silenced": "",
        "text": "“here” doesn't say where it leads", "why": RULES["MLR037"].why,
        "fix": "name the page: [the report on cooperatives](...)",
    }  # fmt: skip
    assert (answer.code, answer.json["editions"], len(edition)) == (0, 2, 12)
    assert desk.run("check", SLUG, "--json").json == answer.json


def test_strict_fails_on_warnings(desk):
    assert (desk.run("check", SLUG).code, desk.run("check", SLUG, "--strict").code) == (0, 1)


def test_sarif_has_what_the_standard_requires(desk):
    """SARIF 2.1.0: 3.13 (log), 3.14 (run), 3.18 and 3.19 (tool), 3.27 (result), 3.49 (rule), 3.29 and 3.30 (place)."""
    log = desk.run("check", SLUG, "--format", "sarif").json
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "mailer"
    assert [rule["id"] for rule in driver["rules"]] == sorted(RULES)
    assert all(rule["shortDescription"]["text"] and rule["fullDescription"]["text"] for rule in driver["rules"])
    assert {rule["defaultConfiguration"]["level"] for rule in driver["rules"]} == {"error", "warning", "note"}
    [result] = [one for one in run["results"] if one["ruleId"] == "MLR037"]
    assert driver["rules"][result["ruleIndex"]]["id"] == "MLR037"
    assert result["level"] == "warning"
    assert result["message"]["text"].startswith("“here” doesn't say where it leads. Name the page")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": PATH, "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 14},
            }
        }
    ]
    assert "suppressions" not in result


def test_a_mistake_is_a_finding_too_for_programs(desk):
    desk.write_issue(ISSUE.replace("https://example.org/grow", "#"))
    answer = desk.run("check", SLUG, "--json")
    assert (answer.code, answer.err) == (1, "")
    assert [(one["id"], one["line"]) for one in answer.json["findings"]] == [("MLR000", 14)]
    [result] = desk.run("check", SLUG, "--format", "sarif").json["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("MLR000", "error")


def silenced(text, *lines):
    return text.replace("subject:", "silence:\n" + "".join(f"  {line}\n" for line in lines) + "subject:")


@pytest.mark.parametrize("which", ["MLR037", "MLR037 coops"])
def test_a_silenced_finding_is_counted_and_fails_nothing(desk, which):
    desk.write_issue(silenced(VAGUE, f"{which}: the word stands in a quotation"))
    answer = desk.run("check", SLUG)
    assert "MLR037" not in answer.out
    assert answer.out.endswith("1 silenced.\n")
    [finding] = of(desk.run("check", SLUG, "--json").json["findings"], "MLR037")
    assert finding["silenced"] == "the word stands in a quotation"
    results = desk.run("check", SLUG, "--format", "sarif").json["runs"][0]["results"]
    [result] = [one for one in results if one["ruleId"] == "MLR037"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "the word stands in a quotation"}]


def test_a_silence_of_another_story_silences_nothing_and_is_a_note(desk):
    desk.write_issue(silenced(VAGUE, "MLR037 all: a reason"))
    findings = desk.run("check", SLUG, "--json").json["findings"]
    assert [one["silenced"] for one in of(findings, "MLR037")] == [""]
    assert [(one["line"], one["text"]) for one in of(findings, "MLR014")] == [
        (5, "MLR037 finds nothing in the story “all”")
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("MLR037:", "the silence of MLR037 needs a reason; write it behind the colon"),
        ("MLR037 coop: why", "there is no story “coop”. Did you mean “coops”?"),
        ("MLR001: why", "MLR001 (an edition is larger than Gmail shows) cannot be silenced; mend what it finds"),
        ("mlr037: why", "there is no rule “mlr037”. Did you mean “MLR037”?"),
        ("spelling: why", "there is no rule “spelling”. docs/checks.md lists them."),
    ],
    ids=["reason", "story", "fixed", "case", "rule"],
)
def test_a_wrong_silence_is_a_mistake_with_its_line(desk, line, said):
    desk.write_issue(silenced(VAGUE, line))
    answer = desk.run("check", SLUG)
    assert (answer.code, answer.out) == (1, "")
    assert " ".join(answer.err.split()).startswith(f"{PATH}:5: {said}")
