"""Draw the pictures of this issue: flat shapes, one palette, no fonts.

Needs Pillow only.  Writes every PNG beside this file, the same each time:

    python issues/2018-12/images/draw.py

Story pictures are 1072 x 480 pixels and shown half that wide, the masthead is
1200 x 320.  Each has an opaque ground, neither white nor black, so it sits well
on a light page and on a dark one.  Coordinates below are pixels of the PNG; the
canvas draws four times larger and scales down, which smooths the edges.
"""

from collections.abc import Callable, Sequence
from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw

INK = "#12303d"
ACCENT = "#1b5e7a"
MID = "#3f8dac"
LIGHT = "#7fc3dd"
AMBER = "#e0a458"
CLAY = "#b9603f"
EARTH = "#4f3328"
GREEN = "#5b9a68"
FOREST = "#3a7358"
SAND = "#e9e2d0"
SKY = "#6fb3d0"

STORY = (1072, 480)
MASTHEAD = (1200, 320)
SCALE = 4
COLOURS = 64

Point = tuple[float, float]
Outline = str | Sequence[Point]  # a text is "x,y x,y ...", as in SVG


def mix(first: str, second: str, share: float) -> str:
    """The colour that lies `share` of the way from first to second."""
    pairs = zip(ImageColor.getrgb(first), ImageColor.getrgb(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def points(outline: Outline) -> list[Point]:
    if not isinstance(outline, str):
        return list(outline)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in outline.split())]


def polar(x: float, y: float, radius: float, turn: float, ratio: float = 1) -> Point:
    """The point at `turn` (0 is up, 0.25 right, clockwise) around (x, y)."""
    angle = 2 * pi * turn
    return x + radius * sin(angle), y - ratio * radius * cos(angle)


def sweep(x: float, y: float, radius: float, start: float, end: float, ratio: float = 1) -> list[Point]:
    """Points along an arc from turn to turn; `ratio` is its height by its width."""
    steps = max(4, round(abs(end - start) * radius))
    return [polar(x, y, radius, start + (end - start) * i / steps, ratio) for i in range(steps + 1)]


class Canvas:
    """A picture in the making; a colour may end in two digits of opacity."""

    def __init__(self, size: tuple[int, int], ground: str) -> None:
        self.size = size
        self.image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), ground)
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        box = [SCALE * v for v in (x - rx, y - ry, x + rx, y + ry)]
        self.pen.ellipse(box, fill)

    def disc(self, x: float, y: float, radius: float, fill: str) -> None:
        self.oval(x, y, radius, radius, fill)

    def shape(self, outline: Outline, fill: str) -> None:
        self.pen.polygon([(SCALE * x, SCALE * y) for x, y in points(outline)], fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, radius: float = 0) -> None:
        """A rectangle whose upper corners may be rounded."""
        edges = [SCALE * left, SCALE * top, SCALE * right - 1, SCALE * bottom - 1]
        self.pen.rounded_rectangle(edges, SCALE * radius, fill, corners=(True, True, False, False))

    def line(self, route: Outline, width: float, fill: str) -> None:
        """An opaque line with round ends."""
        stops = points(route)
        self.pen.line([(SCALE * x, SCALE * y) for x, y in stops], fill, round(SCALE * width), joint="curve")
        for x, y in (stops[0], stops[-1]):
            self.disc(x, y, width / 2, fill)

    def save(self, path: Path) -> None:
        small = self.image.resize(self.size, Image.Resampling.LANCZOS)
        flat = small.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
        flat.save(path, optimize=True)


def person(c: Canvas, x: float, foot: float, height: float, fill: str) -> None:
    """A head above round shoulders."""
    head, half = 0.19 * height, 0.27 * height
    c.disc(x, foot - height + head, head, fill)
    c.box(x - half, foot - 0.56 * height, x + half, foot, fill, half)


def gear(c: Canvas, x: float, y: float, r: float, teeth: int, fill: str, hole: str, turn: float = 0) -> None:
    tooth = ((-0.32, 0.8), (-0.18, 1), (0.18, 1), (0.32, 0.8))
    rim = [polar(x, y, r * reach, (i + side) / teeth + turn) for i in range(teeth) for side, reach in tooth]
    c.shape(rim, fill)
    c.disc(x, y, 0.8 * r, fill)
    c.disc(x, y, 0.35 * r, hole)


def bulb(c: Canvas, x: float, y: float, r: float, glass: str, metal: str) -> None:
    """A light bulb whose glass has its centre at (x, y)."""
    wide, neck, low = 0.86 * r, 0.46 * r, y + 1.22 * r
    c.disc(x, y, r, glass)
    upper = [(x - wide, y + 0.5 * r), (x + wide, y + 0.5 * r)]
    c.shape([*upper, (x + neck, low), (x - neck, low)], glass)
    for step, half in ((1.42, neck), (1.68, neck), (1.92, 0.5 * neck)):
        c.line([(x - half, y + step * r), (x + half, y + step * r)], 0.15 * r, metal)


def awning(c: Canvas, left: float, top: float, width: float, fill: str) -> None:
    """Seven stripes, scalloped below."""
    stripe = width / 7
    for i in range(7):
        x, colour = left + i * stripe, SAND if i % 2 else fill
        c.box(x, top, x + stripe, top + stripe, colour)
        c.disc(x + stripe / 2, top + stripe, stripe / 2, colour)


def shop(c: Canvas, left: float, foot: float, w: float, fill: str) -> None:
    """A shop front: sign, awning, window and door; as high as 0.8 of its width."""
    top, wall = foot - 0.8 * w, mix(SAND, AMBER, 0.2)
    c.box(left, top, left + w, foot, wall)
    c.box(left, top, left + w, top + 0.14 * w, mix(fill, INK, 0.35))
    c.box(left + 0.1 * w, foot - 0.42 * w, left + 0.54 * w, foot - 0.13 * w, LIGHT)
    c.box(left + 0.64 * w, foot - 0.42 * w, left + 0.88 * w, foot, EARTH)
    c.disc(left + 0.69 * w, foot - 0.2 * w, 0.02 * w, AMBER)
    awning(c, left - 0.05 * w, top + 0.14 * w, 1.1 * w, fill)


def house(c: Canvas, left: float, foot: float, w: float, fill: str) -> None:
    """A house with a pitched roof, as high as it is wide."""
    eaves, middle = foot - 0.55 * w, left + w / 2
    c.box(left, eaves, left + w, foot, SAND)
    over = 0.1 * w
    c.shape([(left - over, eaves), (middle, foot - w), (left + w + over, eaves)], fill)
    c.box(left + 0.18 * w, foot - 0.36 * w, left + 0.42 * w, foot, fill)
    c.box(left + 0.58 * w, foot - 0.36 * w, left + 0.84 * w, foot - 0.14 * w, LIGHT)


def masthead(c: Canvas) -> None:
    horizon = 244
    for x, radius, fill in ((300, 150, MID), (610, 205, LIGHT), (900, 165, GREEN)):
        c.disc(x, horizon, radius, fill + "40")
    c.disc(705, horizon, 84, AMBER)
    c.box(0, horizon, 1200, 320, INK)
    for i, half in enumerate((74, 52, 26)):
        y = horizon + 20 + 17 * i
        c.line([(705 - half, y), (705 + half, y)], 4, mix(INK, AMBER, 0.7 - 0.18 * i))
    ends = (70, 190, 330, 450, 590, 820, 940, 1050, 1140)
    for first, last in ((0, 2), (0, 3), (1, 4), (2, 5), (3, 4), (4, 6), (5, 8), (6, 7)):
        left, right = ends[first], ends[last]
        arc = sweep((left + right) / 2, horizon - 38, (right - left) / 2, -0.25, 0.25, 0.76)
        c.line(arc, 2, mix(LIGHT, SAND, 0.4))
    c.line([(-9, horizon), (1209, horizon)], 3, SAND)
    for i, x in enumerate(ends):
        if i % 3 == 2:
            house(c, x - 20, horizon, 40, CLAY)
        else:
            person(c, x, horizon, 44, AMBER if i % 3 else SAND)


def tokyo(c: Canvas) -> None:
    c.disc(760, 200, 250, mix(ACCENT, LIGHT, 0.1))
    c.disc(760, 200, 185, mix(ACCENT, LIGHT, 0.22))
    c.disc(760, 200, 122, AMBER)
    for lane in range(6):
        rx, ry = 900 - 62 * lane, 420 - 46 * lane
        c.oval(420, 640, rx, ry, SAND)
        c.oval(420, 640, rx - 4, ry - 4, CLAY if lane < 5 else FOREST)


def statistics(c: Canvas) -> None:
    for row in range(1, 7):
        y = 414 - 56 * row
        c.line([(136, y), (936, y)], 2, mix(ACCENT, LIGHT, 0.16))
    for column, height in enumerate((2, 3, 3, 4, 5, 5, 6)):
        fill = AMBER if column == 6 else mix(MID, SAND, column / 6)
        for row in range(height):
            for x in (-17, 17):
                person(c, 200 + 112 * column + x, 410 - 56 * row, 50, fill)
    c.line([(136, 414), (936, 414)], 4, SAND)


def transition(c: Canvas) -> None:
    c.disc(890, 128, 56, AMBER)
    c.oval(980, 600, 520, 250, FOREST)
    c.oval(420, 800, 900, 470, GREEN)
    c.shape("333,160 343,160 350,352 326,352", SAND)
    blade = ((8, -0.25), (44, -0.03), (136, -0.004), (136, 0.004), (40, 0.045), (8, 0.25))
    for turn in (0.05, 0.05 + 1 / 3, 0.05 + 2 / 3):
        c.shape([polar(338, 158, reach, turn + side) for reach, side in blade], SAND)
    c.disc(338, 158, 11, AMBER)
    c.line("640,330 640,410", 8, INK)
    c.line("780,330 780,410", 8, INK)
    c.shape("566,372 622,250 886,250 830,372", SAND)
    for row in range(3):
        for cell in range(5):
            x, y = 608.8 + 51.6 * cell - 17.9 * row, 255.5 + 38.5 * row
            c.shape([(x + 16, y), (x + 62, y), (x + 46, y + 35), (x, y + 35)], ACCENT)


def trader(c: Canvas, x: float, size: float, arm: int, dress: str, wrap: str, fruit: str) -> None:
    """A woman walking to the right, her right (1) or left (-1) arm at the basket on her head."""

    def at(outline: Outline, side: int = 1) -> list[Point]:
        return [(x + side * size * dx, 436 - size * dy) for dx, dy in points(outline)]

    c.line(at("-6,40 -20,4 -9,4"), 9 * size, EARTH)
    c.line(at("8,40 20,4 31,4"), 9 * size, EARTH)
    c.line(at("-13,168 -34,128 -25,92", arm), 11 * size, EARTH)
    c.shape(at("-22,172 22,172 16,122 42,26 -40,26 -16,122"), dress)
    c.line(at("-15,171 15,171"), 16 * size, dress)
    c.shape(at("-17,127 17,127 20,113 -20,113"), wrap)
    c.line(at("0,200 0,180"), 14 * size, EARTH)
    for (dx, dy), radius, fill in (((2, 212), 21, EARTH), ((-15, 216), 11, wrap)):
        c.disc(x + size * dx, 436 - size * dy, size * radius, fill)
    c.shape(sweep(x, 436 - size * 216, size * 23, -0.32, 0.2), wrap)
    for fx, fy in at("-36,282 -18,288 0,292 18,288 36,282"):
        c.disc(fx, fy, 14 * size, fruit)
    c.shape(at("-58,281 58,281 37,236 -37,236"), SAND)
    c.line(at("-50,264 50,264"), 3 * size, mix(SAND, EARTH, 0.35))
    c.line(at("17,170 48,204 42,250", arm), 11 * size, EARTH)


def traders(c: Canvas) -> None:
    c.disc(820, 200, 104, mix(AMBER, SAND, 0.5))
    c.oval(180, 480, 640, 170, mix(AMBER, GREEN, 0.7))
    c.oval(980, 480, 580, 140, FOREST)
    c.box(0, 380, 1072, 480, GREEN)
    c.box(0, 400, 1072, 462, mix(INK, SAND, 0.25))
    for i in range(6):
        x, y = 566 - 9 * i, 342 + 26 * i
        c.line([(x, y), (x - 4, y + 12)], 7, SAND)
    trader(c, 360, 1.12, 1, ACCENT, CLAY, GREEN)
    trader(c, 712, 1.04, -1, CLAY, ACCENT, INK)


def youth(c: Canvas) -> None:
    for radius, share in ((560, 0.15), (420, 0.35), (300, 0.6), (178, 0.9)):
        c.disc(536, 240, radius, mix(FOREST, GREEN, share))
    shirts = (SAND, LIGHT, AMBER, ACCENT, CLAY)
    skins = (EARTH, mix(AMBER, SAND, 0.4), mix(EARTH, AMBER, 0.4))
    for i in range(10):
        for side in (-0.1, 0.1):
            turn = i / 10
            c.line(sweep(536, 240, 176, turn, turn + side / 2), 12, skins[i % 3])
            c.line(sweep(536, 240, 177, turn, turn + side / 3.2), 18, shirts[i % 5])
    for i in range(10):
        c.line(sweep(536, 240, 181, i / 10 - 0.014, i / 10 + 0.014), 38, shirts[i % 5])
        c.disc(*polar(536, 240, 173, i / 10), 19, skins[i % 3])
        c.disc(*polar(536, 240, 178, i / 10), 18, INK)


def insurance(c: Canvas) -> None:
    for i in range(36):
        x, y = 16 + 30 * i, 30 + 46 * (i * 5 % 7)
        if abs(x - 536) > 345:
            c.line([(x, y), (x - 10, y + 30)], 3, mix(INK, MID, 0.7))
    c.line("536,30 536,60", 9, SAND)
    for half, fill in ((330, AMBER), (198, mix(AMBER, SAND, 0.5)), (66, AMBER)):
        c.shape(sweep(536, 236, half, -0.25, 0.25, 188 / half), fill)
    for i in range(5):
        c.oval(272 + 132 * i, 236, 66, 24, INK)
    c.line("536,217 536,420", 9, SAND)
    c.box(0, 420, 1072, 480, FOREST)
    house(c, 340, 420, 140, CLAY)
    shop(c, 586, 420, 164, GREEN)


def suppliers(c: Canvas) -> None:
    c.box(0, 410, 1072, 480, INK)
    c.box(770, 64, 808, 200, ACCENT)
    for bay in range(5):
        x = 186 + 140 * bay
        c.shape([(x, 190), (x, 108), (x + 140, 190)], LIGHT)
    c.box(186, 190, 886, 410, SAND)
    gear(c, 376, 282, 78, 12, ACCENT, SAND)
    gear(c, *polar(376, 282, 122, 1 / 3), 52, 8, AMBER, SAND, 1 / 48)
    c.disc(704, 300, 78, GREEN)
    c.line("667,302 694,329 744,275", 16, SAND)


def cambodia(c: Canvas) -> None:
    """A grid that becomes land (o) around the bulb, with its twenty-five lights (*)."""
    land = (
        "         o*o*  ",
        "  oo*o   o*oo* ",
        " *o*oo     oo*o",
        " oo*o     *oo* ",
        "  *oo     oo*oo",
        " *oo*     *oo* ",
        "   *oo   oo*o  ",
        "   oo*o*o*oo   ",
        "    *oo*o*     ",
    )
    for radius, share in ((140, 0.3), (104, 0.6)):
        c.disc(536, 214, radius, mix(INK, ACCENT, share))
    for row, cells in enumerate(land, 1):
        y = 40 + 40 * row
        for column, cell in enumerate(f"{cells:^25}"):
            x = 56 + 40 * column
            if cell == "*":
                c.disc(x, y, 19, AMBER + "40")
                c.disc(x, y, 10, AMBER)
            elif cell == "o":
                c.disc(x, y, 6, MID)
            elif abs(x - 536) > 100 or not 80 < y < 400:
                c.disc(x, y, 3, ACCENT)
    bulb(c, 536, 204, 64, AMBER, SAND)


def formalisation(c: Canvas) -> None:
    for i in range(5):
        left, top = 350 + 84 * i, 376 - 44 * i
        c.box(left, top, 1072, 480, mix(CLAY, AMBER, i / 4))
    c.box(0, 420, 1072, 480, INK)
    for x in (104, 276):
        c.box(x - 5, 280, x + 5, 420, SAND)
    for i in range(5):
        c.disc(126 + 32 * i, 356, 15, (AMBER, GREEN)[i % 2])
    c.box(92, 356, 288, 420, EARTH)
    awning(c, 82, 262, 216, CLAY)
    for x, foot, fill in ((392, 376, SAND), (560, 288, LIGHT)):
        person(c, x, foot, 78, fill)
    shop(c, 800, 200, 190, GREEN)


def toolset(c: Canvas) -> None:
    c.box(0, 420, 1072, 480, mix(INK, ACCENT, 0.5))
    for i, (half, fill) in enumerate(((150, AMBER), (240, GREEN), (330, MID))):
        top = 66 + 118 * i
        c.box(536 - half, top, 536 + half, top + 118, fill)
        c.box(536 - half, top + 108, 536 + half, top + 118, mix(fill, INK, 0.3))
    bulb(c, 536, 104, 27, INK, INK)
    c.line("511,204 511,270", 7, SAND)
    c.shape("513,202 565,220 513,240", SAND)
    gear(c, 536, 356, 40, 9, SAND, MID)


def ring(c: Canvas) -> None:
    for radius, share in ((420, 0.16), (310, 0.34)):
        c.disc(536, 240, radius, mix(INK, ACCENT, share))
    c.disc(536, 240, 206, INK)
    wheel = (AMBER, CLAY, GREEN, LIGHT, MID, SAND)
    for i in range(17):
        start, end = i / 17 + 0.004, (i + 1) / 17 - 0.004
        outer, inner = sweep(536, 240, 196, start, end), sweep(536, 240, 120, end, start)
        c.shape([*outer, *inner], wheel[i % 6])
    for x, height, fill in ((488, 88, LIGHT), (584, 88, GREEN), (536, 128, INK)):
        person(c, x, 290, height, fill)
    person(c, 536, 290, 112, AMBER)


def conference(c: Canvas) -> None:
    c.disc(936, 112, 52, AMBER)
    side, cliff = mix(ACCENT, SKY, 0.25), mix(ACCENT, INK, 0.25)
    c.shape("30,360 124,270 190,172 208,164 244,206 300,270 380,360", side)
    c.shape("700,360 800,250 836,204 850,202 880,250 970,296 1050,360", side)
    c.shape("180,360 270,262 306,164 326,148 736,148 754,164 784,256 890,360", cliff)
    for x in (372, 470, 560, 652):
        c.shape([(x, 148), (x + 34, 148), (x + 52, 290), (x + 6, 290)], mix(cliff, INK, 0.35))
    c.shape("180,360 254,280 330,262 400,282 480,256 560,280 640,258 720,280 800,270 890,360", FOREST)
    c.line("350,144 706,144", 22, SAND)
    c.line("420,128 610,128", 22, SAND)
    c.box(0, 356, 1072, 480, ACCENT)
    for x, y, length in ((90, 392, 150), (330, 420, 90), (560, 394, 120), (180, 452, 110)):
        c.line([(x, y), (x + length, y)], 4, MID)
    c.shape("800,420 912,420 890,446 822,446", SAND)
    c.shape("850,412 850,322 796,412", SAND)
    c.shape("860,412 860,340 904,412", AMBER)


PICTURES: dict[str, tuple[tuple[int, int], str, Callable[[Canvas], None]]] = {
    "masthead": (MASTHEAD, ACCENT, masthead),
    "tokyo-2020": (STORY, ACCENT, tokyo),
    "cooperative-statistics": (STORY, ACCENT, statistics),
    "just-transition": (STORY, SKY, transition),
    "cross-border-traders": (STORY, AMBER, traders),
    "youth-cooperatives": (STORY, FOREST, youth),
    "inclusive-insurance": (STORY, INK, insurance),
    "score-suppliers": (STORY, MID, suppliers),
    "cambodia-day": (STORY, INK, cambodia),
    "formalisation-africa": (STORY, ACCENT, formalisation),
    "cooperative-toolset": (STORY, INK, toolset),
    "cooperatives-2030": (STORY, INK, ring),
    "page-conference": (STORY, SKY, conference),
}


def main() -> None:
    for name, (size, ground, draw) in PICTURES.items():
        canvas = Canvas(size, ground)
        draw(canvas)
        canvas.save(Path(__file__).with_name(f"{name}.png"))


if __name__ == "__main__":
    main()
