"""The smallest template there can be, to be broken in one place at a time."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "theme.toml": """\
[colours.light]
ink = "#1a2b3c"

[colours.dark]
ink = "#eeeeee"

[type]
sans = "Arial, sans-serif"

[words.en]
reader = "reader"
everything = "all topics"
""",
    "page.mjml.j2": """\
<mjml lang="{{ issue.language }}" dir="{{ dir }}">
  <mj-head>
    <mj-title>{{ issue.subject }}</mj-title>
    <mj-style>{{ head_css }}</mj-style>
  </mj-head>
  <mj-body>
    {% for section in issue.sections %}
    {{ begin(section) }}
    {% include "_section.mjml.j2" %}
    {{ close(section) }}
    {% endfor %}
  </mj-body>
</mjml>
""",
    "_section.mjml.j2": """\
<mj-section>
  <mj-column>
    <mj-table>
      <tr><td><h2>{{ section.title }}</h2></td></tr>
      {% for story in section.stories %}
      {{ begin(story) }}
      <tr><td class="story"><h3>{{ story.title }}</h3>{{ safe_html(story.body) }}</td></tr>
      {{ close(story) }}
      {% endfor %}
    </mj-table>
  </mj-column>
</mj-section>
""",
    "page.txt.j2": """\
{{ underline(issue.title, "=") }}
{% for section in issue.sections %}
{{ begin(section) }}
{{ section.title }}
{% for story in section.stories %}
{{ begin(story) }}
{{ story.title }}
{{ close(story) }}
{% endfor %}
{{ close(section) }}
{% endfor %}
""",
    "inline.css": """\
/* Classes only: :first-child and @import would be refused. */
.story { color: {{ light.ink }}; font-family: {{ type.sans }}; }
h2, h3 { margin: 0; }
""",
    "head.css": """\
@media (prefers-color-scheme: dark) {
  .story { color: {{ dark.ink }} !important; }
}
""",
}


def lay_out(folder: Path, changes: dict[str, tuple[str, str]] | None = None) -> Path:
    """The template as a folder, with one text in some files replaced by another."""
    folder.mkdir()
    for name, content in FILES.items():
        old, new = (changes or {}).get(name, ("", ""))
        assert old in content, f"{name} does not hold {old!r}"
        (folder / name).write_text(content.replace(old, new, 1) if old else content, "utf-8")
    return folder
