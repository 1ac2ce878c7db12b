"""docs/checks.md: every rule with its reason, written from the rules themselves.

python -m mailer.compose.checks.table > docs/checks.md
"""

from __future__ import annotations

from mailer.compose.checks import RULES

_HEAD = """\
# What `mailer check` looks for

`mailer check 2019-03` looks at the issue and at each edition as it will be mailed. Every finding has an id that keeps
its meaning, says where, what and why, and what to do. Errors end it with exit code 1, with `--strict` warnings do, too.

Who has looked at a finding and keeps it says so in the front matter, with the reason; it is counted as silenced:

```yaml
silence:
  MLR040: this address is printed on the posters
  MLR037 tokyo-2020: the word stands in a quotation
```

The rules marked ! cannot be silenced. What mail programs support is from caniemail.com (MIT licence, see
`mailer/compose/checks/caniemail.json`), for the clients named under `[checks]` in the configuration.

An international host name of one script is nothing to tell of: only one that mixes scripts is (MLR036).

| id | severity | finds | why it matters |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = (RULES[id_] for id_ in sorted(RULES))
    return _HEAD + "".join(
        f"| {rule.id}{'!' if rule.fixed else ''} | {rule.severity} | {_cell(rule.title)} | {_cell(rule.why)} |\n"
        for rule in rows
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(page(), end="")
