"""How long does it take from a fresh clone to the open app?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.app_load import answering
from benchmarks.report import ROOT, Options, Section, Table, Unavailable, at_most

INSTALL = "python3 -m venv .venv && .venv/bin/pip install '.[app]'"
OPEN = ".venv/bin/retimbre app"

METHOD = (
    f"The repository's files in an empty folder; `{INSTALL}` with no cache of packages, over this machine's network; "
    f"then `{OPEN}` until its page and its first example, played by the cello, have come."
)


def run(options: Options) -> Section:
    """Install it, and open it; the quick way, as it is installed here."""
    with TemporaryDirectory() as folder:
        clone = Path(folder, "retimbre")
        _clone(clone)
        began = time.perf_counter()
        python = sys.executable if options.quick else _installed(clone)
        installed = time.perf_counter()
        with answering([python, "-m", "retimbre", "app", "--no-browser", "--port", "0"], clone) as (address, _):
            opened = time.perf_counter()
            _play(address)
        played = time.perf_counter()
    steps = {"installed": installed - began, "the page answers": opened - installed, "sound": played - opened}
    whole = played - began
    table = Table("From a fresh clone", {"until": "", "s": ".1f"}, [[name, spent] for name, spent in steps.items()])
    return Section("First start", METHOD, [table], [at_most("fresh clone to the open app", whole, 180, ".0f", "s")])


def _clone(target: Path) -> None:
    """The files of the repository, as they are."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source := ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)


def _installed(clone: Path) -> str:
    done = subprocess.run(
        INSTALL, shell=True, cwd=clone, env=os.environ | {"PIP_NO_CACHE_DIR": "1"}, capture_output=True, text=True
    )
    if done.returncode:
        raise Unavailable(f"the packages could not be installed: {done.stderr.strip().splitlines()[-1]}")
    return str(clone / ".venv" / "bin" / "python")


def _play(address: str) -> None:
    """Wait for the first sound, as a page does."""
    from benchmarks.app_visitor import Visitor

    visitor = Visitor(address)
    try:
        assert len(visitor.get(visitor.all("audio")[1].url)) > 100_000
    finally:
        visitor.close()
