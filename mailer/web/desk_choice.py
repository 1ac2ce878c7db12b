"""What the composer wants to see, as the page's address has it: `?view=mail&width=phone&interest=green-jobs`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

VIEWS = {"mail": "Mail", "text": "Text part", "headers": "Headers", "source": "Source", "compare": "Compare"}
WIDTHS = {"phone": 375, "tablet": 768, "desktop": 1024}  # CSS pixels
SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Choice:
    """A reader is named by number: an address would stay in the browser's history."""

    view: str = "mail"
    width: str = "phone"
    scheme: str = "light"
    images: bool = True
    interests: tuple[str, ...] = ()
    reader: int = 0  # 0: anybody with `interests`
    left: str = ""  # the editions to compare, by key
    right: str = ""

    @classmethod
    def of(cls, query: QueryParams) -> Choice:
        """Read it; what is unknown counts as not said."""
        reader = query.get("reader", "")
        return cls(
            view=_known(query.get("view"), VIEWS),
            width=_known(query.get("width"), WIDTHS),
            scheme=_known(query.get("scheme"), SCHEMES),
            images=query.get("images") != "off",
            interests=tuple(dict.fromkeys(query.getlist("interest"))),
            reader=int(reader) if reader.isascii() and reader.isdigit() and len(reader) < 19 else 0,
            left=query.get("left", ""),
            right=query.get("right", ""),
        )

    def address(self, **extra: str) -> str:
        """As a query, for the addresses inside the page."""
        pairs = [("view", self.view), ("width", self.width), ("scheme", self.scheme)]
        pairs += [("images", "off")] * (not self.images)
        pairs += [("reader", str(self.reader))] if self.reader else [("interest", one) for one in self.interests]
        return urlencode([*pairs, ("left", self.left), ("right", self.right), *extra.items()])

    def anybody(self, interests: Sequence[str] = ()) -> str:
        """The address that shows the edition for these interests, everything else as it is."""
        return replace(self, reader=0, interests=tuple(interests)).address()


def _known(value: str | None, known: Iterable[str]) -> str:
    """The value, or the first that is known."""
    names = list(known)
    return value if value is not None and value in names else names[0]
