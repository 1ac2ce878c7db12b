"""What an issue points to: pictures beside it, and addresses that a mail can hold."""

from __future__ import annotations

import re

import pytest
from drafts import CONFIG, FRONT, SHOWN, mistakes, png, read

from mailer.compose import source

NO_LINK = "cannot be a link in a mail; use https:, http:, mailto: or tel:"
LINKS = {
    "empty": ("[words]()", ["9: this link is empty; write the address between the round brackets"]),
    "only a hash": ("[words](#)", ["9: this link is empty; write the address between the round brackets"]),
    "no words": ("[](https://example.org)", ["9: this link has no words; write [what it leads to](address)"]),
    "blank words": ("[ ](https://example.org)", ["9: this link has no words; write [what it leads to](address)"]),
    "empty button": (
        "[words](){.button}",
        ["9: this link is empty; write the address between the round brackets"],
    ),
    "button without words": (
        "[](https://example.org){.button}",
        ["9: this link has no words; write [what it leads to](address){.button}"],
    ),
    "inside the mail": (
        "[words](#news)",
        ["9: “#news” leads inside the mail, which several mail programs ignore; link to a page"],
    ),
    "a mail address": (
        "[words](office@example.org)",
        ["9: “office@example.org” has no mailto: before it; write mailto:office@example.org"],
    ),
    "javascript": ("[words](javascript:alert)", [f"9: “javascript:alert” {NO_LINK}"]),
    "javascript in capitals": ("[words](JavaScript:alert)", [f"9: “JavaScript:alert” {NO_LINK}"]),
    "javascript with a line break": (
        "[words](java&#10;script:alert)",
        ["9: there is no file “java script:alert” in the issue's folder; put it there, or mend the name"],
    ),
    "javascript between angles": ("<javascript:alert>", [f"9: “javascript:alert” {NO_LINK}"]),
    "data": ("[words](data:text/html,x)", [f"9: “data:text/html,x” {NO_LINK}"]),
    "file": ("[words](file:///etc/passwd)", [f"9: “file:///etc/passwd” {NO_LINK}"]),
    "another host, no scheme": ("[words](//example.org/x)", [f"9: “//example.org/x” {NO_LINK}"]),
    "no host": ("[words](https:///x)", ["9: “https:///x” names no host; write https://example.org/page"]),
    "nobody": ("[words](mailto:)", ["9: “mailto:” names nobody; write mailto: and the address or number behind it"]),
    "a file that is missing": (
        "[words](report.pdf)",
        ["9: there is no file “report.pdf” in the issue's folder; put it there, or mend the name"],
    ),
    "a file outside": (
        "[words](../other/report.pdf)",
        ["9: the file “../other/report.pdf” lies outside the issue's folder; copy it into 2019-01/"],
    ),
    "unknown class": (
        "[words](https://example.org){.buton} and more",
        ["9: unknown class “buton”. Did you mean “button”?"],
    ),
    "button amid words": (
        "See [words](https://example.org){.button}.",
        ["9: a {.button} link stands alone in the last paragraph of a story; move it there"],
    ),
    "attribute": (
        "[words](https://example.org){target=_blank}",
        ["9: attribute “target” is not kept in a mail; known here are: class, dir, href, lang, title"],
    ),
    "a host with www": (
        "[words](www.ilo.org)",
        ["9: “www.ilo.org” has no https:// before it; write https://www.ilo.org"],
    ),
    "a host and a page": (
        "[words](ilo.org/x?y=1#z)",
        ["9: “ilo.org/x?y=1#z” has no https:// before it; write https://ilo.org/x?y=1#z"],
    ),
    "a file that looks like none": (
        "[words](files/report.pdf)",
        ["9: there is no file “files/report.pdf” in the issue's folder; put it there, or mend the name"],
    ),
    "attribute of a button": (
        "[words](https://example.org){.button target=_blank}",
        ["9: attribute “target” is not kept in a mail; known here are: class, href"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), LINKS.values(), ids=LINKS)
def test_a_link_that_leads_nowhere_is_named_with_its_line(tmp_path, body, told):
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}\n") == told


@pytest.mark.parametrize(
    "address",
    ["https://[x]/", "http://[::1", "https://exa mple", "http://a:b:c/", "https://[::1]:x/", "mailto:[", "//["],
)
def test_no_address_is_so_wrong_that_reading_breaks(tmp_path, address):
    text = f"{FRONT}# S\n\n## A\n\n[words](<{address}>)\n\n![alt](<{address}>)\n"
    told = mistakes(tmp_path, text)
    assert [line.partition(":")[0] for line in told if "picture" not in line] in ([], ["9"])
    assert [line.partition(":")[0] for line in told if "picture" in line] == ["11"]


KEPT = {
    "as it is": ("https://example.org/a?b=1&c=%20#d", "https://example.org/a?b=1&c=%20#d"),
    "blanks and umlauts": ("<https://example.org/grüne stellen>", "https://example.org/gr%C3%BCne%20stellen"),
    "umlaut host": ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    "Arabic path": ("https://example.org/ا", "https://example.org/%D8%A7"),
    "mail": ("mailto:office@example.org?subject=A%20b", "mailto:office@example.org?subject=A%20b"),
    "telephone": ("tel:+41227996111", "tel:+41227996111"),
    "file named like a host": ("un.org", "https://newsletter.example.org/2019-01/un.org"),
    "file beside the issue": ("<files/my report.pdf>", "https://newsletter.example.org/2019-01/files/my%20report.pdf"),
}


@pytest.mark.parametrize(("written", "href"), KEPT.values(), ids=KEPT)
def test_a_link_is_absolute_and_encoded(tmp_path, written, href):
    text = f"{FRONT}# S\n\n## A\n\n[words]({written}){{.button}}\n"
    (story,) = read(tmp_path, text, {"files/my report.pdf": b"%PDF-1.7", "un.org": b"* Notes"}).stories
    assert story.link is not None
    assert story.link.url == href


ELSEWHERE = "is on another host; put the picture into the issue's folder"
PICTURES = {
    "no alt": (
        "![](a.png)",
        ["9: the picture a.png has no alt text; say between the square brackets what it shows"],
    ),
    "blank alt": (
        "![ ](a.png)",
        ["9: the picture a.png has no alt text; say between the square brackets what it shows"],
    ),
    "no file": ("![alt]()", ["9: this picture names no file; write ![what it shows](images/name.png)"]),
    "missing": ("![alt](b.png)", ["9: there is no picture “b.png” in the issue's folder. Did you mean “a.png”?"]),
    "missing, nothing near": (
        "![alt](tree.webp)",
        ["9: there is no picture “tree.webp” in the issue's folder; put it there, or mend the name"],
    ),
    "a folder": ("![alt](sub)", ["9: there is no picture “sub” in the issue's folder; put it there, or mend the name"]),
    "no picture": (
        "![alt](note.txt)",
        ["9: note.txt is no picture that mail programs show; save it as PNG, JPEG or GIF"],
    ),
    "above": ("![alt](../a.png)", ["9: the picture “../a.png” lies outside the issue's folder; copy it into 2019-01/"]),
    "above, encoded": (
        "![alt](%2e%2e/a.png)",
        ["9: the picture “../a.png” lies outside the issue's folder; copy it into 2019-01/"],
    ),
    "from the root": (
        "![alt](/etc/passwd)",
        ["9: the picture “/etc/passwd” lies outside the issue's folder; copy it into 2019-01/"],
    ),
    "through a link": (
        "![alt](link.png)",
        ["9: the picture “link.png” lies outside the issue's folder; copy it into 2019-01/"],
    ),
    "a drive": (
        r"![alt](C:\Users\ada\a.png)",
        [r"9: “C:\Users\ada\a.png” is on your computer only; copy the picture into images/ and write images/a.png"],
    ),
    "another host": ("![alt](https://example.org/a.png)", [f"9: “https://example.org/a.png” {ELSEWHERE}"]),
    "another host, no scheme": ("![alt](//example.org/a.png)", [f"9: “//example.org/a.png” {ELSEWHERE}"]),
    "data": ("![alt](data:image/png;base64,AA)", [f"9: “data:image/png;base64,AA” {ELSEWHERE}"]),
    "file": ("![alt](file:///etc/passwd)", [f"9: “file:///etc/passwd” {ELSEWHERE}"]),
    "attribute": (
        "![alt](a.png){width=50}",
        ["9: attribute “width” is not kept in a mail; known here are: alt, src"],
    ),
    "attribute amid words": (
        "See ![alt](a.png){onload=x}",
        ["9: attribute “onload” is not kept in a mail; known here are: alt, dir, lang, src, title"],
    ),
}


@pytest.mark.parametrize(("body", "told"), PICTURES.values(), ids=PICTURES)
def test_a_picture_that_cannot_be_shown_is_named_with_its_line(tmp_path, body, told):
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "2019-01/sub").mkdir(parents=True)
    (tmp_path / "2019-01/link.png").symlink_to("../a.png")
    text = f"{FRONT}# S\n\n## A\n\n{body}\n"
    assert mistakes(tmp_path, text, {"a.png": png(), "note.txt": b"PNG"}) == told


@pytest.mark.parametrize("what", ["file", "picture"])
def test_a_name_too_long_for_any_file_is_a_mistake_with_its_line(tmp_path, what):
    name = "a" * 300
    sign = "!" if what == "picture" else ""
    told = f"9: there is no {what} “{name}” in the issue's folder; put it there, or mend the name"
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{sign}[alt]({name})\n") == [told]


def test_a_picture_in_the_text_fits_the_column(tmp_path):
    text = f"{FRONT}# S\n\n## A\n\nSmall ![s](s.png) and wide ![w](w.png).\n"
    (story,) = read(tmp_path, text, {"s.png": png(20, 10), "w.png": png(900, 3)}).stories
    base = "https://newsletter.example.org/2019-01"
    assert story.body.html == (
        f'<p>Small <img src="{base}/s.png" alt="s" width="20" height="10" class="picture"> and wide '
        f'<img src="{base}/w.png" alt="w" width="536" height="2" class="picture">.</p>'
    )


def test_an_embedded_picture_is_named_by_its_content_id(tmp_path):
    """RFC 2392: what `cid:` names is a Content-ID, with an @ in it."""
    read(tmp_path, f"{FRONT}# S\n\n## A\n\n![alt](<images/a b.png>)\n", {"images/a b.png": png()})
    embedding = CONFIG.model_copy(update={"newsletter": CONFIG.newsletter.model_copy(update={"images": "embed"})})
    (story,) = source.load(tmp_path / "2019-01/issue.md", SHOWN, embedding).stories
    assert story.picture is not None
    assert re.fullmatch(r"cid:images-a-b\.png\.[0-9a-f]{8}@2019-01", story.picture.url)
