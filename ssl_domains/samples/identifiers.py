"""Pseudonyms: keyed hashes that replace personal identifiers."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.samples.table import TableMeta

__all__ = ["IdentifierKey", "outdated_note"]

_VARIABLE = "SSL_DOMAINS_HASH_KEY"


def _configuration_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "ssl-domains"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "ssl-domains"


@dataclass(frozen=True)
class IdentifierKey:
    """A secret key that turns identifiers into pseudonyms; equal identifiers get equal pseudonyms."""

    secret: bytes = field(repr=False)

    @classmethod
    def load(cls) -> IdentifierKey:
        """Load the key from ``SSL_DOMAINS_HASH_KEY``, else from the user's key file (mode 0600), made at first use.

        Raises:
            UsageError: When the key file can be read by others, or can't be made.
        """
        given = os.environ.get(_VARIABLE)
        if given:
            return cls(given.encode())
        path = _configuration_folder() / "hash.key"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(handle, "w") as file:
                    file.write(secrets.token_hex(32))
            mode = path.stat().st_mode & 0o777
            if os.name == "posix" and mode & 0o077:
                raise UsageError(
                    f"the key of identifiers can be read by others (mode {mode:o})",
                    f"chmod 600 {shlex.quote(str(path))}",
                )
            return cls(path.read_bytes().strip())
        except OSError as error:
            raise UsageError(f"no key for hashing identifiers: {error.strerror}", f"set {_VARIABLE}") from error

    def digest(self, value: str) -> str:
        """A pseudonym of 16 hexadecimal digits (HMAC-SHA-256, shortened)."""
        return hmac.new(self.secret, value.encode(), hashlib.sha256).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell two keys apart and don't give the key away."""
        return self.digest("fingerprint of the key")[:8]


def outdated_note(meta: TableMeta) -> str:
    """A remark on a table whose identifiers may depend on the folder that was scanned; empty for any other.

    Such tables are of an earlier scan, which did not record the key that hashed the identifiers.
    """
    if not meta.old_identifiers:
        return ""
    return (
        "the identifiers of this table were made by an earlier version and may depend on the folder that was scanned, "
        "so that they can't be compared with those of other tables: scan again"
    )
