"""The key by which a server knows a browser again, after a reload and in a second window; it keeps nothing else."""

from __future__ import annotations

import re
import secrets

COOKIE = "retimbre"


def is_key(text: object) -> bool:
    """Whether it has the form of a key, which nobody can guess."""
    return isinstance(text, str) and re.fullmatch(r"[\w-]{43}", text) is not None


def greeting(cookies: str, base: str) -> str | None:
    """The header `Set-Cookie` for a browser that has no key yet; it goes with the browser's sitting.

    Args:
        cookies: the header `Cookie` that it sent.
        base: path of the app.
    """
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and is_key(value):
            return None
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/{base}; HttpOnly; SameSite=Strict"
