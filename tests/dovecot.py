"""A real IMAP server: Dovecot (Debian's package dovecot-imapd), alone, on free ports, with one Maildir."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER, PASSWORD = "unsubscribe@example.org", "pä:ss-wörd"
_PORTS = 5  # to try: between asking for a free one and Dovecot's taking it, another may
_SETTINGS = """\
base_dir = {run}
state_dir = {run}
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
auth_failure_delay = 0
mail_location = maildir:{maildir}
first_valid_uid = 1
first_valid_gid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {secure}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}
}}
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.pem
{more}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """It runs."""

    port: int
    secure: int  # the port for imaps://
    maildir: Path

    def url(self, scheme: str = "imap", folder: str = "INBOX") -> str:
        """As --imap has it."""
        port = self.secure if scheme == "imaps" else self.port
        return f"{scheme}://{USER.replace('@', '%40')}@127.0.0.1:{port}/{folder}"


@contextmanager
def dovecot(home: Path, maildir: Path, certificate: bytes, more: str = "") -> Iterator[Dovecot]:
    """Start it; skips the test where it is not installed. `certificate` is one PEM with its key."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("there is no dovecot here (Debian: apt-get install dovecot-imapd)")
    home.mkdir()
    (home / "server.pem").write_bytes(certificate)
    # Dovecot opens no mailbox as root.
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    _give(maildir, account)
    run = Path(tempfile.mkdtemp(prefix="dovecot"))  # a socket's name may have 107 octets; a test's own folder has more
    run.chmod(0o755)
    for _ in range(_PORTS):
        port, secure = _free(), _free()
        settings = _SETTINGS.format(
            home=home, run=run, maildir=maildir, port=port, secure=secure, user=account.pw_name,
            group=account.pw_gid if os.geteuid() else "nogroup", password=PASSWORD, more=more,
        )  # fmt: skip
        (home / "dovecot.conf").write_text(settings, "utf-8")
        command = [program, "-F", "-c", str(home / "dovecot.conf")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stderr
        said = [process.stderr.readline()]
        if "starting up" in said[0]:  # it listens from then on
            break
        said += process.communicate()[1].splitlines()
    else:
        pytest.fail(f"dovecot does not start: {said}")
    try:
        yield Dovecot(port, secure, maildir)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # asked to stop, it takes a second, and five for an open connection
        process.communicate()
        shutil.rmtree(run)


def _give(folder: Path, account: pwd.struct_passwd) -> None:
    """Everything in it to whom Dovecot works as, who may also pass the folders above."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        for parent in folder.parents[:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port: int = asked.getsockname()[1]
    return port
