"""Pictures as they are published: fitted to their place, upright, without metadata; a file that is fit stays."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from drafts import CONFIG, FRONT, SHOWN, compose, mistakes, png, read
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin
from received import parse
from samples import DATE

from mailer.compose import pictures, source
from mailer.compose.composition import Composition
from mailer.compose.personal import Personal
from mailer.models import Picture


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def photograph(width: int = 1200, height: int = 900) -> Image.Image:
    """Noise over a gradient, as a camera sees it: little that PNG could save."""
    image = Image.merge("RGB", [Image.radial_gradient("L").resize((width, height))] * 3)
    return Image.blend(image, Image.effect_noise((width, height), 40).convert("RGB"), 0.3)


def drawing(width: int = 1200, height: int = 900) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    image.paste("navy", (100, 100, 900, 500))
    return image


def turned(orientation: int) -> bytes:
    """A red left half and a blue right half, with an EXIF orientation and a place on Earth."""
    image = Image.new("RGB", (80, 40), "red")
    image.paste("blue", (40, 0, 80, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(image, "JPEG", exif=exif, quality=95)


def animation() -> bytes:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def published(folder: Path, content: bytes, name: str = "a.png") -> pictures.Published:
    path = folder / name
    path.write_bytes(content)
    return pictures.read(path)


def opened(made: pictures.Published) -> Image.Image:
    image = Image.open(io.BytesIO(made.content))
    image.load()
    return image


FIT = {
    "png": (png(40, 30), "a.png"),
    "as wide as twice the column": (png(1072, 8), "a.png"),
    "wider, and light": (png(2144, 8), "a.png"),
    "jpeg": (encoded(drawing(40, 30), "JPEG"), "a.jpg"),
    "jpeg with the long ending": (encoded(drawing(40, 30), "JPEG"), "a.JPEG"),
    "gif": (encoded(drawing(40, 30), "GIF"), "a.gif"),
    "heavy, and no lighter when drawn anew": (encoded(photograph(300, 300).convert("RGBA"), optimize=True), "a.png"),
    "animated": (animation(), "a.gif"),
}


@pytest.mark.parametrize(("content", "name"), FIT.values(), ids=FIT)
def test_a_file_that_is_fit_is_published_as_it_is(tmp_path, content, name):
    made = published(tmp_path, content, name)
    assert (made.content, made.name(f"images/{name}")) == (content, f"images/{name}")


WIDE = {
    "photograph as jpeg": (photograph(), "JPEG", "a.jpg", "JPEG"),
    "photograph as png": (photograph(), "PNG", "a.png", "JPEG"),
    "drawing as png": (drawing(2400, 1800), "PNG", "a.png", "PNG"),
    "drawing as gif": (drawing(2400, 1800), "GIF", "a.gif", "PNG"),
    "see-through photograph": (photograph().convert("RGBA"), "PNG", "a.png", "PNG"),
    "shades of grey": (photograph().convert("L"), "JPEG", "a.jpg", "JPEG"),
    "for print": (photograph().convert("CMYK"), "JPEG", "a.jpg", "JPEG"),
    "palette": (drawing(2400, 1800).quantize(4), "PNG", "a.png", "PNG"),
}


@pytest.mark.parametrize(("image", "form", "name", "made_as"), WIDE.values(), ids=WIDE)
def test_a_wide_picture_is_drawn_at_twice_the_column_in_the_form_that_suits_it(tmp_path, image, form, name, made_as):
    content = encoded(image, form)
    made = published(tmp_path, content, name)
    drawn = opened(made)
    assert (drawn.format, drawn.size, drawn.mode) == (
        made_as,
        (1072, 804),
        image.mode if image.mode == "RGBA" else "RGB",
    )
    assert (made.width, made.height, made.animated) == (*image.size, False)
    assert re.fullmatch(
        rf"images/a-[0-9a-f]{{8}}\.{ {'JPEG': 'jpg', 'PNG': 'png'}[made_as] }", made.name(f"images/{name}")
    )


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [
        (1, (80, 40), (5, 5)),
        (2, (80, 40), (75, 5)),
        (3, (80, 40), (75, 5)),
        (4, (80, 40), (5, 5)),
        (5, (40, 80), (5, 5)),
        (6, (40, 80), (5, 5)),
        (7, (40, 80), (5, 75)),
        (8, (40, 80), (5, 75)),
    ],
)
def test_a_picture_is_held_upright_as_its_exif_says(tmp_path, orientation, size, red):
    """EXIF 2.3 section 4.6.4 A, tag 0x0112."""
    made = published(tmp_path, turned(orientation), "a.jpg")
    drawn = opened(made)
    assert ((made.width, made.height), drawn.size) == (size, size)
    pixel = drawn.getpixel(red)
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > pixel[2]


def text_chunk(where: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add(b"tEXt", b"Author\0Ann Example", after_idat=where == "behind")
    return encoded(drawing(40, 30), pnginfo=info)


TELLING = {
    "exif with a place": (turned(1), "a.jpg"),
    "png text": (text_chunk("before"), "a.png"),
    "png text behind the pixels": (text_chunk("behind"), "a.png"),
    "jpeg comment": (encoded(drawing(40, 30), "JPEG", comment=b"Ann Example"), "a.jpg"),
    "gif comment": (encoded(drawing(40, 30), "GIF", comment=b"Ann Example"), "a.gif"),
    "xmp": (encoded(drawing(40, 30), "JPEG", xmp=b"Ann Example"), "a.jpg"),
    "behind the end": (encoded(drawing(40, 30), "JPEG") + b"Ann Example", "a.jpg"),
    "behind the end of a png": (png(40, 30) + b"Ann Example", "a.png"),
}


@pytest.mark.parametrize(("content", "name"), TELLING.values(), ids=TELLING)
def test_metadata_is_not_published(tmp_path, content, name):
    made = published(tmp_path, content, name)
    drawn = opened(made)
    assert b"Ann" not in made.content
    assert not drawn.getexif()
    assert set(drawn.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}


def test_the_colours_of_a_profile_become_srgb(tmp_path):
    """The profile goes with the metadata, so what it says must be in the pixels."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_blue = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    made = published(tmp_path, encoded(Image.new("RGB", (20, 10), (250, 0, 0)), icc_profile=red_is_blue))
    drawn = opened(made)
    assert "icc_profile" not in drawn.info
    assert drawn.getpixel((0, 0)) == (0, 0, 250)


def test_sixteen_bits_a_pixel_are_no_white_page(tmp_path):
    image = Image.new("I;16", (2200, 10), 0x8000)
    assert opened(published(tmp_path, encoded(image))).getpixel((0, 0)) == (128, 128, 128)


def test_the_ending_is_that_of_the_content(tmp_path):
    made = published(tmp_path, encoded(drawing(40, 30), "JPEG"), "a.png")
    assert re.fullmatch(r"a-[0-9a-f]{8}\.jpg", made.name("a.png"))


def test_a_camera_s_second_view_is_no_animation(tmp_path):
    """CIPA DC-007: many phones write a JPEG with another picture behind it."""
    content = encoded(drawing(40, 30), "MPO", save_all=True, append_images=[drawing(40, 30)])
    made = published(tmp_path, content, "a.jpg")
    assert (made.animated, opened(made).format, len(made.content) < len(content)) == (False, "JPEG", True)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of an issue in a newsroom."""
    folder = tmp_path / "issues/2019-01/images"
    folder.mkdir(parents=True)
    return folder


def test_a_picture_is_drawn_once_and_then_taken_from_the_newsroom(tmp_path, images):
    """What stands in build/ is given out, also for a copy of the file."""
    content = encoded(photograph(), "JPEG")
    first = published(images, content, "a.jpg")
    (kept,) = (tmp_path / "build/.pictures").iterdir()
    assert kept.read_bytes() == first.content
    kept.write_bytes(b"\xff\xd8 kept")
    assert published(images, content, "b.jpg").content == b"\xff\xd8 kept"


def test_where_nothing_can_be_kept_the_same_bytes_are_drawn(tmp_path, images):
    content = encoded(photograph(), "JPEG")
    (tmp_path / "build").touch()
    first = published(images, content, "a.jpg")
    assert published(images, content, "b.jpg").content == first.content
    assert first.content.startswith(b"\xff\xd8")


def test_no_two_files_are_published_under_one_name(tmp_path):
    photo, sketch = published(tmp_path, turned(1), "a.jpg"), published(tmp_path, turned(1), "a.png")
    assert (photo.content, photo.name("a.jpg") == sketch.name("a.png")) == (sketch.content, False)


def test_a_picture_changed_on_disk_is_published_anew(tmp_path):
    before = published(tmp_path, png(40, 30))
    assert published(tmp_path, png(50, 30)).content != before.content


BROKEN = {
    "no pixels at all": (png(40, 30)[:20], "a.png", "is broken"),
    "half a png": (encoded(photograph(400, 300))[:5000], "a.png", "is broken"),
    "half a jpeg": (encoded(photograph(400, 300), "JPEG")[:5000], "a.jpg", "is broken"),
    "half a gif": (encoded(photograph(400, 300), "GIF")[:5000], "a.gif", "is broken"),
    "a jpeg that breaks off within": (
        encoded(photograph(200, 150), "JPEG").replace(b"\xff\xc4\x00", b"\xff\xc4\xff"),
        "a.jpg",
        "is broken",
    ),
    "a png with a wrong byte": (png(90, 90)[:50] + b"\x00\x01" + png(90, 90)[52:], "a.png", "is broken"),
    "a web page": (b"<html>404 not found</html>", "a.png", "is no picture that mail programs show"),
    "webp": (encoded(drawing(40, 30), "WEBP"), "a.webp", "is no picture that mail programs show"),
    "51 million pixels": (encoded(Image.new("1", (10_000, 5_100))), "a.png", "has 10,000 × 5,100 pixels"),
    "a bomb": (encoded(Image.new("1", (20_000, 20_000))), "a.png", "has more than 50,000,000 pixels"),
}


@pytest.mark.parametrize(("content", "name", "what"), BROKEN.values(), ids=BROKEN)
def test_a_picture_that_cannot_be_published_is_a_mistake_with_its_line(tmp_path, content, name, what):
    (told,) = mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n![alt]({name})\n", {name: content})
    assert told.startswith(f"9: {name} {what}")
    assert re.search(r"; save it (again )?(as PNG or JPEG|as PNG, JPEG or GIF|1,072 pixels wide)$", told)


SEEDS = [
    encoded(photograph(60, 40), "JPEG"),
    png(60, 40),
    text_chunk("behind"),
    turned(6),
    animation(),
    encoded(drawing(60, 40).quantize(4), "GIF"),
]


@given(st.sampled_from(SEEDS), st.integers(0, 5000), st.binary(max_size=6), st.booleans())
def test_no_file_is_so_broken_that_reading_crashes(tmp_path_factory, seed, place, junk, cut):
    place %= len(seed)
    path = tmp_path_factory.getbasetemp() / "fuzz.png"
    path.write_bytes(seed[:place] + junk + (b"" if cut else seed[place + len(junk) :]))
    try:
        made = pictures.read(path)
    except pictures.PictureError:
        return
    assert min(made.width, made.height) > 0


# --- where they are given out -----------------------------------------------------------------------------

ISSUE = f"{FRONT}# S\n\n## A\n\n![alt](images/a.png)\n\nText.\n"


def test_the_mail_points_at_what_is_published_with_the_size_of_its_place(tmp_path):
    composition = compose(tmp_path, ISSUE, {"images/a.png": encoded(photograph(1200, 750))})
    (picture,) = composition.issue.pictures
    name, content = pictures.published(picture)
    assert re.fullmatch(r"images/a-[0-9a-f]{8}\.jpg", name)
    assert content.startswith(b"\xff\xd8")
    (tag,) = re.findall(r'<img[^>]*class="picture"[^>]*>', composition.html.cut(composition.everything))
    assert f'src="https://newsletter.example.org/2019-01/{name}"' in tag
    assert ' width="536" height="335"' in tag


def test_what_is_embedded_is_what_is_published(tmp_path):
    compose(tmp_path, ISSUE, {"images/a.png": encoded(photograph(1200, 750))})
    embedding = CONFIG.model_copy(update={"newsletter": CONFIG.newsletter.model_copy(update={"images": "embed"})})
    issue = source.load(tmp_path / "2019-01/issue.md", SHOWN, embedding)
    from drafts import theme

    composition = Composition.of(issue, theme(), embedding)
    from samples import ANN, TOKENS

    personal = composition.personaliser(TOKENS).personal(ANN)
    assert isinstance(personal, Personal)
    message = parse(composition.template(composition.everything).fill(personal, DATE))
    (part,) = (part for part in message.walk() if part.get_content_maintype() == "image")
    name, content = pictures.published(issue.pictures[0])
    assert (part.get_content_type(), part.get_filename(), part.get_content()) == (
        "image/jpeg",
        name.removeprefix("images/"),
        content,
    )


def test_what_a_send_is_planned_from_is_the_author_s_file(tmp_path):
    """A newer Pillow that writes other bytes does not stop a running send."""
    newsroom = tmp_path / "issues"
    newsroom.mkdir()
    before = compose(newsroom, ISSUE, {"images/a.png": encoded(photograph(1200, 750))}).fingerprint()
    (kept,) = (tmp_path / "build/.pictures").iterdir()
    kept.write_bytes(b"\xff\xd8 of another Pillow")
    pictures._read.cache_clear()
    (picture,) = read(newsroom, ISSUE).pictures
    assert pictures.published(picture)[1] == b"\xff\xd8 of another Pillow"
    assert compose(newsroom, ISSUE).fingerprint() == before


def test_an_animation_is_known_by_its_field(tmp_path):
    text = f"{FRONT}# S\n\n## A\n\n![alt](a.gif)\n\n## B\n\n![alt](b.gif)\n"
    issue = read(tmp_path, text, {"a.gif": animation(), "b.gif": encoded(drawing(20, 10), "GIF")})
    assert [picture.animated for picture in issue.pictures] == [True, False]


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(20, 10, (20, 10)), (536, 100, (536, 100)), (537, 537, (536, 536)), (5360, 1, (536, 1)), (1072, 603, (536, 302))],
)
def test_a_picture_is_fitted_to_the_column_and_never_enlarged(width, height, shown):
    assert Picture(Path("a.png"), "", "alt", width, height).shown == shown
