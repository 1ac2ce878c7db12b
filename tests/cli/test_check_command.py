"""mailer check: what a person, a program and a code host read of the same findings."""

from __future__ import annotations

import pytest
from conftest import ISSUE
from sending import SLUG

from mailer.cli import views
from mailer.compose.attributes import ID
from mailer.compose.checks import RULES
from mailer.newsroom import RESERVED
from mailer.web.public import ROUTES

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


def test_the_same_finding_on_a_line_is_told_once_and_counted_each_time(desk):
    todo = "[One](https://example.org/TODO) and [another](https://example.org/TODO)."
    desk.write_issue(f"{ISSUE}\n{todo}\n")
    out = desk.run("check", SLUG).out
    line = len(ISSUE.splitlines()) + 2
    assert [row for row in out.splitlines() if row.startswith("MLR032")] == [f"MLR032 {PATH}:{line} (2 times)"]
    assert "\n2 errors\n" in out


def test_a_finding_says_where_what_why_and_how_in_eighty_columns(desk):
    out = desk.run("check", SLUG).out
    lines = out.splitlines()
    at = lines.index(f"MLR037 {PATH}:14 (in 1 of 2 editions)")
    assert lines[at + 1 : at + 4] == [
        "  “here” doesn't say where it leads. A screen reader lists links without the",
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


def test_a_question_in_a_finding_of_sarif_ends_in_its_mark_alone(desk):
    desk.write_issue(ISSUE.replace("topics=cooperatives", "topics=cooperativs"))
    [result] = desk.run("check", SLUG, "--format", "sarif").json["runs"][0]["results"]
    told = "Unknown topic “cooperativs”. Did you mean “cooperatives”? Mend it and check again."
    assert result["message"]["text"] == told


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


@pytest.mark.parametrize(
    ("language", "line", "data"),
    [
        ("en", "Reading ease 92 of 100 (easy), 8 words a sentence.", ("easy", 92.1)),
        ("ar", "8 words a sentence.", ("", None)),
    ],
    ids=["en", "ar"],
)
def test_how_hard_the_text_is_to_read_stands_in_the_head(desk, language, line, data):
    """Flesch 1948: 206.835 - 1.015 * 15 / 2 - 84.6 * 19 / 15, in the words of Flesch 1949; Arabic has no formula."""
    front = ISSUE.split("---\n")[1].replace("subject:", f"language: {language}\nsubject:")
    text = "The farmers of the valley sell their milk together. They share one cold store now."
    desk.write_issue(f"---\n{front}---\n\n# News\n\n## Milk {{#milk}}\n\n{text}\n")
    assert desk.run("check", SLUG).out.splitlines()[1] == line
    assert desk.run("check", SLUG, "--json").json["reading"] == {
        "ease": data[1], "level": data[0], "words": 15, "sentences": 2, "words_a_sentence": 7.5,
    }  # fmt: skip


def test_names_that_the_readers_pages_have_taken_are_those_of_its_routes():
    firsts = {route.path.split("/")[1] for route in ROUTES}
    assert {name for name in firsts if ID.fullmatch(name)} == RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_an_issue_named_like_a_page_of_the_readers_is_a_mistake(desk, name):
    (desk.root / "issues" / SLUG).rename(desk.root / "issues" / name)
    answer = desk.run("check", name)
    said = f"issues/{name}: /{name} is an address of the reader's pages; rename this folder, such as 2019-03\n"
    assert (answer.code, answer.out, answer.err) == (1, "", f"{said}1 mistake. Nothing was changed.\n")


@pytest.mark.parametrize("own", [True, False], ids=["issue", "configuration"])
def test_an_unknown_template_is_named_where_it_is_asked_for(desk, own):
    config = desk.root / "pyproject.toml"
    text = config.read_text("utf-8")
    if own:
        desk.write_issue(ISSUE.replace("subject:", "template: enterprise\nsubject:"))
        where = f"{PATH}:4"
    else:
        text = text.replace('template = "enterprises"', 'template = "enterprise"')
        config.write_text(text, "utf-8")
        line = text.splitlines().index('template = "enterprise"') + 1
        where = f"pyproject.toml:{line}"
    answer = desk.run("check", SLUG)
    assert (answer.code, answer.err.splitlines()[0]) == (
        1, f"{where}: there is no template “enterprise” in templates/. Did you mean “enterprises”?")  # fmt: skip


def test_a_language_without_words_is_a_warning_that_names_the_english_texts(desk):
    config = desk.root / "pyproject.toml"
    text = config.read_text("utf-8")
    assert '"ar"]' in text
    config.write_text(text.replace('"ar"]', '"ar", "de"]'), "utf-8")
    found = of(desk.run("check", SLUG, "--json").json["findings"], "MLR162")
    assert [(one["severity"], one["path"]) for one in found] == [
        ("warning", "pyproject.toml"), ("warning", "templates/enterprises/theme.toml"),
    ]  # fmt: skip
    assert "texts of the reader's pages and their mails have no translation into “de”" in found[0]["text"]
    assert found[1]["text"] == "the template has no words in “de”"


def test_an_address_at_the_beginning_of_a_sentence_keeps_its_small_letter():
    assert [views.sentence(text) for text in ("https://example.org is away", "say what", "what?")] == [
        "https://example.org is away.", "Say what.", "What?",
    ]  # fmt: skip
