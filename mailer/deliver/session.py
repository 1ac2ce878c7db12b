"""A session with a relay, ready for MAIL: connected, greeted, encrypted, logged in (aiosmtplib).

From there on the connection is driven by smtp.py: aiosmtplib's DATA scans every body for line ends and dots, 0.7 to
2 ms a message, and its reader loses replies that arrive together.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from typing import cast

import aiosmtplib

from mailer.config import Relay
from mailer.errors import RelayError


class Unreachable(Exception):
    """No session could be set up now; another try may do."""


class _Client(aiosmtplib.SMTP):
    def close(self) -> None:
        """At once: TLS would wait 30 seconds for the goodbye of a server that is silent, and outlive the loop."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()
        super().close()


async def open_session(relay: Relay, timeout: float) -> tuple[asyncio.Transport, dict[str, str]]:
    """The transport and the extensions the relay offers, their names in capitals.

    Raises RelayError when it can never work, Unreachable when it may later.
    """
    client = _Client(
        hostname=relay.host, port=relay.port, use_tls=relay.security == "smtps", start_tls=False, timeout=timeout
    )
    try:
        await _set_up(client, relay)
    except BaseException as error:
        client.close()
        if isinstance(error, aiosmtplib.SMTPException | OSError | ValueError):
            raise _explained(relay, error) from None
        raise
    if client.transport is None:
        raise Unreachable(f"{relay} closed the connection")
    extensions = {name.upper(): value for name, value in client.esmtp_extensions.items()}
    return cast("asyncio.Transport", client.transport), extensions  # uvloop's are no subclass


async def _set_up(client: aiosmtplib.SMTP, relay: Relay) -> None:
    await client.connect()
    await _greet(client)
    if relay.security == "smtp+starttls":
        if not client.supports_extension("starttls"):
            raise RelayError(f"{relay} does not offer STARTTLS, and nothing is sent without it")
        await client.starttls()
        await _greet(client)
    if relay.user:
        if relay.security == "smtp" and not _is_this_machine(relay.host):
            raise RelayError(f"{relay}: a password is not sent unencrypted; use smtp+starttls:// or smtps://")
        if not client.supports_extension("auth"):
            raise RelayError(f"{relay} takes no login, but the configuration names the user {relay.user}")
        await client.login(relay.user, relay.password.reveal())


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where the server does not know it (RFC 5321 section 3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in (500, 502, 504):
            raise
        await client.helo()


def _explained(relay: Relay, error: Exception) -> RelayError | Unreachable:
    """A failed set-up in our words. 5xx, a bad certificate, a missing extension stay as they are; others may pass."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        what = "refused the login:" if isinstance(error, aiosmtplib.SMTPAuthenticationError) else "said"
        said = f"{relay} {what} {error.code} {error.message}"
        if error.code == 535 and not relay.password:
            said += f"; no password is set ({relay.variable})"
        if error.code < 0:  # aiosmtplib's for lines without a code
            return RelayError(f"{relay} does not speak SMTP")
        return Unreachable(said) if 400 <= error.code < 500 else RelayError(said)
    for tls in (error, cause):
        if isinstance(tls, ssl.SSLCertVerificationError):
            return RelayError(f"{relay} has no certificate that can be trusted: {tls}")
        if isinstance(tls, ssl.SSLError) and tls.reason == "WRONG_VERSION_NUMBER" and relay.security == "smtps":
            return RelayError(
                f"{relay} does not begin with TLS, as smtps:// does. Try smtp+starttls://, or another port"
            )
        if isinstance(tls, ssl.SSLError):
            return RelayError(f"{relay} and this machine find no common TLS: {tls}")
    if isinstance(error, aiosmtplib.SMTPNotSupported | ValueError):
        return RelayError(f"{relay}: {error}")
    return Unreachable(f"{relay} cannot be reached: {error}")
