"""A page that shows the editions of an issue side by side, each as its readers see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}: {{ editions | length }} editions</title>
<style>
  :root { color-scheme: light dark; --ink: #1c2429; --page: #f4f6f7; --card: #fff; --rule: #d5dde1; --accent: #0f5c7a; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6e9eb; --page: #101215; --card: #16181d; --rule: #3a434a; --accent: #86c9e6; }
  }
  body { margin: 0; padding: 32px 24px; color: var(--ink); background: var(--page);
    font: 16px/1.5 "Segoe UI", -apple-system, Roboto, Helvetica, Arial, sans-serif; }
  h1 { margin: 0; font: bold 30px/1.2 Georgia, "Times New Roman", serif; }
  header p { margin: 8px 0 32px; max-width: 70ch; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 24px; }
  article { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--rule); }
  h2 { flex: 1; margin: 0; padding: 16px 24px 4px; font-size: 16px; line-height: 1.4; }
  article p { margin: 0; padding: 0 24px; font-size: 14px; }
  .open { padding-bottom: 4px; border-bottom: 1px solid var(--rule); }
  a { display: inline-block; margin-right: 24px; padding: 12px 0; color: var(--accent); text-underline-offset: 3px; }
  iframe { display: block; width: 100%; height: 760px; border: 0; background: #fff; }
</style>
<header>
<h1>{{ title }}</h1>
<p>{{ summary }}</p>
</header>
<main>
{% for edition in editions %}
<article>
  <h2>{{ edition.heading }}</h2>
  <p>{{ edition.stories }} {{ "story" if edition.stories == 1 else "stories" }},
    {{ edition.people }} {{ "person" if edition.people == 1 else "people" }},
    {{ "{:,}".format(edition.size) }} bytes</p>
  <p class="open"><a href="{{ edition.html }}">Open the mail</a> <a href="{{ edition.text }}">Open the text part</a></p>
  <iframe src="{{ edition.html }}" title="{{ edition.heading }}" loading="lazy"></iframe>
</article>
{% endfor %}
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One edition on the page; `html` and `text` are addresses relative to it."""

    heading: str
    stories: int
    people: int
    size: int
    html: str
    text: str


def page(title: str, summary: str, editions: Sequence[Exhibit]) -> str:
    """The page as HTML."""
    return Environment(autoescape=True).from_string(_PAGE).render(title=title, summary=summary, editions=editions)
