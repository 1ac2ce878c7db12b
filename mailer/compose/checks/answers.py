"""What a web server said of a link; asked elsewhere, since nothing in this room opens a socket."""

from __future__ import annotations

from dataclasses import dataclass

_GONE = {404, 410}
_NOT_FOR_PROGRAMS = {401, 403, 405, 406, 429, 999}  # many hosts turn programs away and serve readers


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of the last answer, 0 when there was none, and why; where it leads now when it has moved for good."""

    status: int
    problem: str = ""
    unknown_host: bool = False
    moved: str = ""

    @property
    def said(self) -> str:
        """In words."""
        return self.problem or f"the server answers {self.status}"

    @property
    def gone(self) -> bool:
        """Whether a reader would surely find nothing."""
        return self.unknown_host or self.status in _GONE

    @property
    def doubtful(self) -> bool:
        """Whether a reader might find nothing."""
        return not self.gone and (not self.status or (self.status >= 400 and self.status not in _NOT_FOR_PROGRAMS))
