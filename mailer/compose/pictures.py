"""A picture of the issue -> the file that is published: fitted to its place, upright, without metadata (Pillow).

A file that is fit already is published as it is. Anything else is drawn anew, once: the result is kept in the
newsroom's build/, named by what it was made from, so that mail, build, archive and web server give out the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, ImageStat, UnidentifiedImageError

from mailer.errors import MailerError
from mailer.models import COLUMN, Picture

LARGEST = 50_000_000  # pixels; decoding that many takes some 200 MB
_WIDEST = 2 * COLUMN  # for screens of double density
_FAR_TOO_WIDE = 2 * _WIDEST  # phones decode every pixel, however few bytes they take
_HEAVY = 100 * 1024  # bytes; a lighter one would gain little
_QUALITY = 82  # of a JPEG; from there on bytes grow faster than what is seen
_RECIPE = b"1"  # changed with anything below that changes the result, so that no old one is taken from the cache
_SHOWN = ("PNG", "JPEG", "MPO", "GIF")  # MPO: a JPEG with a second view behind it
_DOT = 16  # pixels; what spaces a page out, or counts its readers
_TAKEN_IN = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")  # not EPS, for which Pillow starts a program
_SAME = {".jpeg": ".jpg"}
_GLANCE = (64, 64)  # pixels: enough to tell how dark a picture is
_SEEN = 128  # of 255: an alpha from which on a pixel counts as drawn
_THROUGH = 0.1  # of the pixels: rounded corners let less through
_BLACKISH = 0.2  # of full brightness (Rec. 601 luma): about #333333
_ORIENTATION = 0x0112  # EXIF 2.3 section 4.6.4
_PLAIN_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYS"}
_PLAIN_SEGMENTS = {"APP0", "APP14"}  # JFIF, and what Adobe says of the colours


class PictureError(MailerError):
    """This picture cannot be published."""


@dataclass(frozen=True, slots=True)
class Published:
    """What is given out for a file, and the size of the author's own, held upright."""

    content: bytes
    width: int
    height: int
    animated: bool
    as_it_was: bool  # it is the author's file

    def name(self, original: str) -> str:
        """The name of the published file, from the author's; never that of another file of theirs."""
        if self.as_it_was:
            return original
        unique = hashlib.sha256(original.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        return f"{original.rpartition('.')[0] or original}-{unique}{ending(self.content)}"


def published(picture: Picture) -> tuple[str, bytes]:
    """The name and the bytes that mail, build, archive and web server give out for a picture.

    Raises PictureError when its file has become unreadable since the issue was read.
    """
    try:
        return picture.name, read(picture.path).content
    except PictureError as error:
        raise PictureError(f"{picture.path} {error}") from None


def dark_and_transparent(picture: Picture) -> bool:
    """Whether what is published for a picture lets the page through, and is nearly black where it doesn't."""
    with Image.open(io.BytesIO(published(picture)[1])) as image:
        if "A" not in image.mode and "transparency" not in image.info:
            return False
        small = image.convert("RGBA")
    small.thumbnail(_GLANCE)
    drawn = small.getchannel("A").point(lambda alpha: 255 * (alpha >= _SEEN))
    share = ImageStat.Stat(drawn).mean[0] / 255
    return 0 < share <= 1 - _THROUGH and ImageStat.Stat(small.convert("L"), drawn).mean[0] < 255 * _BLACKISH


def content_type(content: bytes) -> str:
    """The media type of a PNG, JPEG or GIF, by its first bytes."""
    if content.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/gif" if content.startswith(b"GIF8") else "image/png"


def taken_in(content: bytes) -> bytes:
    """A picture of a draft as PNG, JPEG or GIF: what is another form becomes PNG. Raises PictureError."""
    with _mistakes_in_words(), Image.open(io.BytesIO(content), formats=_TAKEN_IN) as image:
        if image.width * image.height <= _DOT:
            raise PictureError(f"has {image.width} × {image.height} pixels and shows nothing")
        if image.format not in _SHOWN:
            return _encoded(_in_srgb(ImageOps.exif_transpose(image)), "PNG")
        _published(image, content, Path())  # what could not be published later is left out now
        return content


def read(path: Path) -> Published:
    """What is published for a file. Raises PictureError."""
    try:
        status = path.stat()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)  # a large issue's; one look at the desk asks for each several times
def _read(path: Path, _changed: int, _size: int) -> Published:
    try:
        original = path.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from None
    with _mistakes_in_words(), Image.open(io.BytesIO(original), formats=("PNG", "JPEG", "GIF")) as image:
        return _published(image, original, path)


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    """Every error that Pillow raises for some file, as a PictureError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that cannot be read, which is not kept
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnidentifiedImageError:
        raise PictureError("is no picture that mail programs show; save it as PNG, JPEG or GIF") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"has more than {LARGEST:,} pixels; save it {_WIDEST:,} pixels wide") from None
    except (OSError, ValueError, IndexError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise PictureError(f"is broken ({error}); save it again as PNG or JPEG") from None


def _published(image: Image.Image, original: bytes, path: Path) -> Published:
    if image.width * image.height > LARGEST:
        raise PictureError(f"has {image.width:,} × {image.height:,} pixels; save it {_WIDEST:,} pixels wide")
    animated = image.format in ("GIF", "PNG") and bool(getattr(image, "is_animated", False))
    turned = image.format != "GIF" and image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    width, height = (image.height, image.width) if turned else image.size
    content = original
    if not animated:  # drawn anew it would stand still
        must = width > _FAR_TOO_WIDE or not _plain(image, original)
        if must or len(original) > _HEAVY:
            drawn = _cached(image, original, path)
            if must or len(drawn) < len(original):
                content = drawn
    if content is original:
        image.load()  # what breaks off within is told now, and seen by no reader
    suffix = path.suffix.lower()
    as_it_was = content is original and _SAME.get(suffix, suffix) == ending(content)
    return Published(content, width, height, animated, as_it_was)


def _plain(image: Image.Image, content: bytes) -> bool:
    """Whether a file holds its pixels whole and nothing else that tells of its author or place."""
    if image.format == "PNG":
        return _plain_png(content)
    if image.format == "GIF":
        image.load()
        return "comment" not in image.info
    segments = {name for name, _ in getattr(image, "applist", ())}
    return image.format == "JPEG" and segments <= _PLAIN_SEGMENTS and content.endswith(b"\xff\xd9")


def _plain_png(content: bytes) -> bool:
    """Whether it has only chunks that say how it looks (PNG section 5.3), each whole by its checksum."""
    position = 8
    while position + 12 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kind, end = content[position + 4 : position + 8], position + 8 + length
        checksum = int.from_bytes(content[end : end + 4], "big")
        if kind not in _PLAIN_CHUNKS or zlib.crc32(content[position + 4 : end]) != checksum:
            return False
        if kind == b"IEND":
            return end + 4 == len(content)
        position = end + 4
    return False


def _cached(image: Image.Image, original: bytes, path: Path) -> bytes:
    """The picture drawn anew, from the cache where it is; a cache that cannot be written is done without."""
    cache = _cache_of(path)
    if cache is None:
        return _draw(image)
    kept = cache / hashlib.sha256(b"\0".join((_RECIPE, b"%d" % _WIDEST, original))).hexdigest()
    with suppress(OSError):
        return kept.read_bytes()
    drawn = _draw(image)
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=cache)
        with os.fdopen(descriptor, "wb") as file:
            file.write(drawn)
        Path(name).replace(kept)
    return drawn


def _cache_of(path: Path) -> Path | None:
    """A folder in the newsroom's build/, which holds what can be made again; none for a file outside a newsroom."""
    issues = next((folder for folder in path.parents if folder.name == "issues"), None)
    return issues.parent / "build" / ".pictures" if issues else None


def _draw(image: Image.Image) -> bytes:
    """Upright, at most twice its place wide, in sRGB; as JPEG where it is a photograph, else as PNG."""
    photograph = image.format in ("JPEG", "MPO")
    image.draft("RGB", (_WIDEST, _WIDEST))  # a large JPEG is decoded at half or a quarter its size: 3 times as fast
    upright = _in_srgb(ImageOps.exif_transpose(image))
    if upright.width > _WIDEST:
        height = max(1, round(upright.height * _WIDEST / upright.width))
        upright = upright.resize((_WIDEST, height), Image.Resampling.LANCZOS)
    if upright.mode == "RGBA":
        return _encoded(upright, "PNG")
    jpeg = _encoded(upright, "JPEG")
    png = b"" if photograph else _encoded(upright, "PNG")
    # A drawing or a screenshot is smaller as PNG, or little larger, and keeps its edges.
    return jpeg if photograph or 2 * len(jpeg) < len(png) else png


def _in_srgb(image: Image.Image) -> Image.Image:
    """As RGB or RGBA, the colours of its profile turned into sRGB, since the profile is metadata and goes."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which convert would clip
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    transparent = "A" in image.mode or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            image = made or image
    return image.convert(mode)


def _encoded(image: Image.Image, form: str) -> bytes:
    file = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    if form == "JPEG":
        clean.save(file, form, quality=_QUALITY, optimize=True, progressive=True)
    else:
        clean.save(file, form, optimize=True)
    return file.getvalue()


def ending(content: bytes) -> str:
    """`.png`, `.jpg` or `.gif`, by its first bytes."""
    return {"image/jpeg": ".jpg", "image/gif": ".gif", "image/png": ".png"}[content_type(content)]
