"""Files that commands write for people; a full disk is a sentence with the file's name."""

from __future__ import annotations

from pathlib import Path

from mailer.errors import MailerError


def write(path: Path, content: str | bytes) -> None:
    """The file with its folders; text as UTF-8. Raises MailerError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:  # a full disk does not say where
        raise MailerError(f"{error.filename or path} cannot be written: {error.strerror}") from None
