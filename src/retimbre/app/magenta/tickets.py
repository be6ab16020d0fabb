"""Addresses of a visitor's files for the page, which Streamlit's own routes do not serve: each holds a secret.

Who knows the secret may fetch what lies in one folder, and nobody can guess it. It is forgotten with the session.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path


class Tickets:
    """Secrets, and the folders that they open."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}
        self._lock = threading.Lock()

    def give(self, folder: Path) -> str:
        """A secret that opens this folder."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._folders[secret] = folder.resolve()
        return secret

    def take_back(self, secret: str) -> None:
        """Let it open nothing any more."""
        with self._lock:
            self._folders.pop(secret, None)

    def file(self, path: str) -> Path | None:
        """The file that `SECRET/path/in/the/folder` means; None where there is none, or none that may be had."""
        secret, _, rest = path.partition("/")
        with self._lock:
            folder = self._folders.get(secret)
        if folder is None or "\0" in rest:
            return None
        found = (folder / rest).resolve()
        return found if found.is_relative_to(folder) and found.is_file() else None


SHARED = Tickets()
"""Those of this server."""
