"""Realistic issues in four languages that give no finding of any rule: typography, dates and languages done right."""

from __future__ import annotations

import pytest
from corpus import FOLDER, findings


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
def test_a_clean_issue_gives_no_finding(language):
    assert findings(FOLDER / f"clean-{language}") == []
