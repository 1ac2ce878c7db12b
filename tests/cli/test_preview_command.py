"""`mailer preview` as a command: it says where the desk is, and Ctrl-C closes it at once."""

from __future__ import annotations

import re
import signal
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from sending import SLUG, Office, finish

from mailer.web import desk


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_the_desk_opens_and_closes_cleanly(office: Office, sent: signal.Signals):
    process = office.start("preview", SLUG, "--no-open", bufsize=1)
    line = process.stdout.readline()
    found = re.fullmatch(r"The desk: (http://127\.0\.0\.1:\d+/[\w-]{32}/)\n", line)
    assert found, line
    place = urlsplit(found[1])
    page = HTTPConnection(place.netloc, timeout=30)
    page.request("GET", f"{place.path}events")
    assert page.getresponse().readline().startswith(b"data: ")  # a page that is open keeps nobody waiting
    process.send_signal(sent)
    answer = finish(process)
    page.close()
    assert (answer.code, answer.err) == ({signal.SIGINT: 0, signal.SIGTERM: -15}[sent], "")
    assert "Traceback" not in answer.out


def test_an_issue_that_is_not_there_is_told_at_once(office: Office):
    answer = office.run("preview", "2019-02", "--no-open")
    assert answer.code == 1
    assert f"there is no issue “2019-02” in {office.root}/issues" in answer.err.replace("\n", "")


def test_a_port_that_is_taken_is_told_at_once(office: Office):
    with desk.listen(0) as taken:
        port = taken.getsockname()[1]
        answer = office.run("preview", SLUG, "--no-open", "--port", str(port))
    assert answer.code == 1
    assert f"port {port} cannot be used: Address already in use. Leave --port out" in answer.err.replace("\n", " ")
