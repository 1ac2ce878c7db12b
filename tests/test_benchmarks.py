"""The benchmarks keep working: each runs small, and says what it measured and that its results were right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from conftest import ROOT

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
TIME = r"[\d.,]+ m?s"
ROW = re.compile(rf"  ((?:  )?\S.*?) +{TIME}   \({TIME} to {TIME}\)")
VERDICT = re.compile(r"  => (.+?) [\d.,]+ (.+?)\. Target: (at (?:least|most) \d+): (?:met|FALLS SHORT)")


def run(*command: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=600
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def found(pattern: re.Pattern[str], lines: list[str]) -> list[tuple[str, ...]]:
    return [match.groups() for line in lines if (match := pattern.match(line))]


def test_composing_is_measured_and_its_editions_are_right():
    lines = run("benchmarks/compose.py", "--quick", "--no-peer")
    with_browser = any(map(shutil.which, CHROMIUM))
    assert any(line.startswith("  not measured: there is no chromium") for line in lines) is not with_browser
    assert "peer      not measured: --no-peer was given" in lines
    assert [re.sub(r"\d+ rules", "N rules", name) for (name,) in found(ROW, lines)] == [
        "mailer, from the file on",
        "  of which: reading issue.md and its pictures",
        "  of which: one marked page (Jinja2, MJML, premailer)",
        "  of which: 16 cuts",
        "rendered once with marks, then cut",
        "each rendered alone (3 measured, scaled up)",
        "mailer, from the file on",
        "mailer: a story was edited",
        "mailer: the welcome was edited",
        "mailer: a story was edited, everything rendered anew",
        *["mailer: from the save to the page in Chromium"] * with_browser,
        "mailer: N rules",
    ]
    assert found(VERDICT, lines) == [
        ("cutting is", "times cheaper", "at least 40"),
        *[("a save is on the page in", "ms", "at most 300")] * with_browser,
        ("half a second holds", "checks", "at least 1"),
    ]
    assert [line for line in lines if line.startswith("  checked")] == [
        "  checked: 16 of 16 cuts equal the page rendered alone, byte for byte",
        "  checked: 3 of 3 cuts equal the page rendered alone, byte for byte",
        "  checked: 16 of 16 text parts equal the text rendered alone",
        "  checked: every edit stands in both parts of its page",
        "  checked: 36 of 36 pages after an edit equal those rendered anew",
        "  checked: no errors, no warnings",
    ]


def test_a_large_audience_is_measured_and_its_rows_are_right():
    lines = run("benchmarks/audience.py", "--quick")
    assert [name for (name,) in found(re.compile(ROW.pattern + r"(?:   \d+ MB)?$"), lines)] == [
        "mailer: checked, normalised, duplicates found",
        "sqlite-utils insert --csv",
        "mailer: grouped, edition looked up, fingerprint",
        "bare INSERT ... SELECT of one edition",
    ]
    assert found(VERDICT, lines) == [
        ("mailer takes", "times as long as sqlite-utils", "at most 3"),
        ("mailer holds", "MB at the most", "at most 150"),
        ("freezing takes", "times as long as the bare insert", "at most 3"),
    ]
    assert [line for line in lines if line.startswith("  checked")] == [
        "  checked: both databases hold 2,000 subscribers",
        "  checked: 2,000 rows each; 15 editions, counts as chosen",
    ]


@pytest.mark.skipif(
    shutil.which("smtp-sink", path=SBIN) is None, reason="smtp-sink is not installed: Debian's package postfix has it"
)
def test_sending_is_measured_and_everybody_got_it():
    lines = run("benchmarks/deliver.py", "--quick", "--no-peer")
    assert "nodemailer was not measured: --no-peer was given" in lines
    rows = found(re.compile(ROW.pattern + r"   [\d,]+/s$"), lines)
    assert [re.sub(r"\d+ (connection|session)", r"N \1", name) for (name,) in rows] == [
        "mailer, N connections: claim, fill, send, log",
        "smtp-source, N sessions: the same bytes over and over",
    ]
    assert found(VERDICT, lines) == [("mailer sends", "times as fast as smtp-source", "at least 1")]
    assert [line for line in lines if line.startswith("  checked")] == [
        "  checked: each log says 60 accepted, nothing open; the sink took as many of each send",
    ]


def test_growth_is_measured_and_plotted(tmp_path):
    lines = run("benchmarks/growth.py", "--quick", "--plot", str(tmp_path / "growth.svg"))
    assert found(VERDICT, lines) == [
        ("the most memory is", "MB", "at most 150"),
        ("of the round trips after the set-up, messages fill", "%", "at least 80"),
    ]
    assert [line for line in lines if line.startswith("  checked")] == ["  checked: everybody got it, nothing is open"]
    root = ElementTree.parse(tmp_path / "growth.svg").getroot()
    titles = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "h"]
    assert titles == ["Messages a second", "Microseconds a message", "Seconds for an audience"]


def test_without_postfix_sending_is_not_measured_and_says_so():
    hidden = "import shutil, runpy, sys; shutil.which = lambda *_, **__: None; sys.path.insert(0, 'benchmarks'); "
    program = hidden + "sys.argv = ['deliver.py']; runpy.run_path('benchmarks/deliver.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=600)
    said = "not measured: there is no smtp-sink here; Debian and Ubuntu have it in their package postfix\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_starting_is_measured():
    lines = run("benchmarks/start.py", "--quick")
    assert [name for (name,) in found(ROW, lines)] == [
        'python -c "import typer, rich"',
        "mailer --help",
        "mailer status",
        "mailer check 2018-12",
    ]
    assert found(VERDICT, lines) == [("mailer --help takes", "times the peer", "at most 2")]
    assert [line for line in lines if line.startswith("  checked")] == ["  checked: the list of commands is drawn"]


def test_serving_is_measured_alone_and_during_a_send():
    lines = run("benchmarks/web.py", "--quick")
    with_sink = shutil.which("smtp-sink", path=SBIN) is not None
    assert [name for (name,) in found(re.compile(ROW.pattern + r"   [\d,]+/s$"), lines)] == [
        "a bare Starlette “hello”, GET",
        "mailer: the page to unsubscribe, GET",
        "mailer: the page of preferences, GET",
        "mailer: one-click unsubscribing, POST",
        *["mailer: one-click unsubscribing, POST", "mailer: the page of preferences, GET"] * with_sink,
    ]
    bare = "times as long as a bare answer"
    assert found(VERDICT, lines) == [
        ("the page to unsubscribe takes", bare, "at most 2"),
        ("the page of preferences takes", bare, "at most 2"),
        *[("one-click takes", "POSTs a second during a send", "at least 200")] * with_sink,
    ]
    assert [line for line in lines if line.startswith("  checked")] == [
        "  checked: each of 100 POSTs took another reader off the list",
        *["  checked: the send outlasted them; 50 readers left, each mail is accepted or skipped"] * with_sink,
    ]


@pytest.mark.parametrize("script", ["compose.py", "audience.py", "deliver.py", "growth.py", "start.py", "web.py"])
def test_a_benchmark_says_how_it_is_run(script):
    usage = " ".join(run(f"benchmarks/{script}", "--help"))
    assert all(option in usage for option in ("--rounds", "--quick"))
