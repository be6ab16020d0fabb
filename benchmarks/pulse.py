"""A sound card that is not there: a PulseAudio server of one's own with two null sinks, reached through ALSA.

What is played into the sink `mic` is what a program hears; what the program plays comes out of `out.monitor`.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ALSA_CONFIG = Path("/usr/share/alsa/alsa.conf")
PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")
DEVICE = "pulse"
"""What the sound card is called there."""

_DEFAULTS = """
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.pulse { type pulse }
"""


def missing() -> str:
    """What is not installed that this needs, in words; empty where it can be used."""
    lacking = [program for program in PROGRAMS if not shutil.which(program)]
    if not ctypes.util.find_library("portaudio"):
        lacking.append("libportaudio")
    if not any(Path("/usr").glob("lib*/**/alsa-lib/libasound_module_pcm_pulse.so")) or not ALSA_CONFIG.exists():
        lacking.append("ALSA's plugin for PulseAudio")
    return ", ".join(lacking)


@dataclass
class Server:
    """A running server.

    Attributes:
        environment: variables under which programs find it, and nothing else.
    """

    environment: dict[str, str]
    _process: subprocess.Popen[bytes]

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Play a WAV into the microphone."""
        return subprocess.Popen(["paplay", "-d", "mic", str(path)], env=self.environment)

    @contextmanager
    def recording(self, path: Path, sample_rate: int = 48_000) -> Iterator[None]:
        """Record what is played into a WAV of one channel, while the block lasts."""
        form = [f"--rate={sample_rate}", "--channels=1", "--format=s16le", "--file-format=wav"]
        recorder = subprocess.Popen(["parec", "-d", "out.monitor", *form, str(path)], env=self.environment)
        try:
            yield
        finally:
            _stop(recorder)

    def stop(self) -> None:
        """As if the sound card were unplugged."""
        _stop(self._process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Start a server that keeps to an empty folder of a short name (a socket's path has 107 characters at most)."""
    socket, config = folder / "socket", folder / "alsa.conf"
    config.write_text(ALSA_CONFIG.read_text(encoding="utf-8") + _DEFAULTS, encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULSE_", "ALSA_", "XDG_", "DBUS_"))}
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "ALSA_CONFIG_PATH": str(config)}
    environment = kept | home | {"PULSE_SERVER": f"unix:{socket}"}
    modules = [f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    modules += [f"module-null-sink sink_name={name} rate=48000 channels=2 norewinds=1" for name in ("out", "mic")]
    command = [
        "pulseaudio",
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        "--log-target=null",
        "--realtime",
    ]
    with ExitStack() as stack:
        process = subprocess.Popen(
            [*command, *(f"--load={module}" for module in modules)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_stop, process)
        for words in (["set-default-source", "mic.monitor"], ["set-default-sink", "out"]):
            _ask(words, environment)
        yield Server(environment, process)


def _ask(words: list[str], environment: dict[str, str], patience_s: float = 15) -> None:
    """Tell the server, which needs a moment to be there."""
    deadline = time.monotonic() + patience_s
    while True:
        done = subprocess.run(["pactl", *words], env=environment, capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"pactl {' '.join(words)}: {done.stderr.strip()}")
        time.sleep(0.1)
