"""Single files of npm packages, which tests and benchmarks load into a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.report import Unavailable

_INSTALL_S = 300


def file(package: str, path: str) -> Path:
    """A file of a package, fetched by npm where it is not here yet; nothing else of the package is kept.

    Args:
        package: name and version, as axe-core@4.14.1.
        path: of the file in it.

    Raises:
        Unavailable: there is no npm, or it cannot fetch.
    """
    kept = Path(tempfile.gettempdir(), f"retimbre-{package.strip('@').replace('/', '-')}-{Path(path).name}")
    if kept.exists():
        return kept
    npm = shutil.which("npm")
    if not npm:
        raise Unavailable("there is no npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, package]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"npm cannot install {package}") from error
        part = kept.with_suffix(f".{os.getpid()}")
        shutil.copyfile(Path(folder, "node_modules", package.rpartition("@")[0], path), part)
        part.replace(kept)
    return kept
