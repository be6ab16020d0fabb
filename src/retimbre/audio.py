"""Audio files in and out: the only module that opens them.

Everything inside retimbre is mono float32 between -1 and 1 at the file's own rate. Reading changes neither level nor
offset; the engine resamples where it must. Files of any length are read and written in blocks, in constant memory.
"""

import contextlib
import math
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite, replacing

LOWEST_RATE = 8_000
HIGHEST_RATE = 192_000

# Suffix -> (libsndfile format, default subtype to write, or None: read only).
FORMATS: dict[str, tuple[str, str | None]] = {
    ".wav": ("RF64", "PCM_24"),  # becomes a plain WAV on closing unless it passed 4 GB
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".aiff": ("AIFF", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".aifc": ("AIFF", "PCM_24"),
    ".au": ("AU", "PCM_24"),
    ".snd": ("AU", "PCM_24"),
    ".caf": ("CAF", "PCM_24"),
    ".w64": ("W64", "PCM_24"),
    ".rf64": ("RF64", "PCM_24"),
}
SUFFIXES = frozenset(FORMATS)
FOREIGN_SUFFIXES = frozenset({".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mkv", ".mov", ".amr", ".3gp", ".ape"})

# The mean of the channels is used unless it is this much weaker than the strongest of them: opposite polarity
# cancels, and a microphone on one channel of two loses 6 dB. Independent channels lose 3 dB and stay a mean.
MIX_LOSS_DB = 5.5

_CHUNK = 65_536  # samples a read; libsndfile's Vorbis encoder also overflows its stack on much longer writes
_RF64_AUTO_DOWNGRADE = 0x1210  # SFC_RF64_AUTO_DOWNGRADE of sndfile.h
_LOSSY = frozenset({"OGG", "MP3"})
_PCM_BITS = {"PCM_16": 16, "PCM_24": 24}  # the encodings whose codes are rounded here


class AudioError(RetimbreError):
    """An audio file cannot be read or written; the message names the file and the remedy."""


def read(path: str | os.PathLike[str]) -> tuple[NDArray[np.float32], int]:
    """Read a whole file as mono.

    Args:
        path: an audio file. Several channels become their mean, or the strongest one alone where the mean would
            cancel (see `MIX_LOSS_DB`).

    Returns:
        The audio [samples] and its sample rate in Hz.

    Raises:
        AudioError: the file cannot be used; the message says why and what to do.
    """
    with Reader(path) as reader:
        return np.concatenate(list(reader.blocks())), reader.sample_rate


def write(
    path: str | os.PathLike[str],
    audio: NDArray[np.floating],
    sample_rate: int,
    *,
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
    subtype: str | None = None,
) -> int:
    """Write a whole file; see `Writer` for the arguments.

    Args:
        path: the file; its suffix is the format.
        audio: [samples], or [samples, channels].
        sample_rate: in Hz.
        overwrite: whether an existing file may be replaced.
        inputs: files that are never replaced.
        subtype: another encoding than the default.

    Returns:
        How many samples were clipped.

    Raises:
        AudioError: the file cannot be written.
    """
    channels = 1 if audio.ndim == 1 else audio.shape[1]
    with Writer(path, sample_rate, channels, overwrite=overwrite, inputs=inputs, subtype=subtype) as writer:
        writer.write(audio)
    return writer.clipped


class Reader:
    """Reads a file of any length as mono, block by block, in constant memory.

    Files of several channels are read through once on opening, to choose between the mean and the strongest channel
    for the whole file (see `MIX_LOSS_DB`).

    Args:
        path: an audio file.

    Attributes:
        path: the file.
        sample_rate: in Hz.
        n_samples: the length.
        channels: of the file; what is read is always mono.
        channel: the channel that is read alone, or None where the mean is read.

    Raises:
        AudioError: the file cannot be used; the message says why and what to do.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            self.sample_rate: int = self._file.samplerate
            self.channels: int = self._file.channels
            self.n_samples: int = self._file.frames
            self.channel: int | None = None
            self._check_header()
            if self.channels > 1:
                self.channel = self._channel_to_read()
            if self.n_samples == 0:
                raise AudioError(f"{self.path}: holds no sound (0 samples); record or export it again")
        except BaseException:
            self._file.close()
            raise

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sample_rate

    def blocks(self, block_length: int = _CHUNK) -> Iterator[NDArray[np.float32]]:
        """Read from the start, block by block.

        Args:
            block_length: samples a block; the last block may be shorter.

        Yields:
            Mono audio [samples].

        Raises:
            AudioError: the file is damaged, cut short, or holds NaN or infinite samples.
        """
        for block in self.channel_blocks(block_length):
            if self.channels == 1:
                yield block[:, 0]
            elif self.channel is None:
                yield block.mean(axis=1)
            else:
                yield np.ascontiguousarray(block[:, self.channel])

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return self.blocks()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._file.close()

    def channel_blocks(self, block_length: int = _CHUNK) -> Iterator[NDArray[np.float32]]:
        """Read from the start, block by block, all channels.

        Yields:
            Audio [samples, channels].

        Raises:
            AudioError: as `blocks` does.
        """
        if block_length < 1:
            raise ValueError(f"block_length must be at least 1, not {block_length}")
        # libsndfile copies 16-bit codes as they are, and numpy converts them to the same numbers faster than it would.
        dtype = "int16" if self._file.subtype == "PCM_16" else "float32"
        position = 0
        with self._damage():
            self._file.seek(0)
        while position < self.n_samples:
            with self._damage():
                data = self._file.read(block_length, dtype=dtype, always_2d=True)
            if not len(data):
                break
            block = np.asarray(data, dtype=np.float32)
            if dtype == "int16":
                block *= 2**-15
            elif not np.isfinite(block).all():
                at_s = (position + _first_not_finite(block)) / self.sample_rate
                raise AudioError(f"{self.path}: a sample at {at_s:.3f} s is not a number; export the file again")
            position += len(block)
            yield block
        # Lossy formats may estimate their length; a tenth of a second is more than any of them is wrong by.
        missing = self.n_samples - position
        tolerance = 0.1 * self.sample_rate if self._file.format in _LOSSY else 0
        if missing > tolerance or (missing and not position):
            self._cut_short(position, self.n_samples)

    def _channel_to_read(self) -> int | None:
        """The strongest channel where the mean of all would cancel, else None."""
        power = np.zeros(self.channels)
        mean_power = 0.0
        for block in self.channel_blocks(_CHUNK):
            power += np.einsum("nc,nc->c", block, block, dtype=np.float64)
            mean = block.mean(axis=1, dtype=np.float64)
            mean_power += float(mean @ mean)
        return int(np.argmax(power)) if mean_power < power.max() * 10 ** (-MIX_LOSS_DB / 10) else None

    def _check_header(self) -> None:
        if not LOWEST_RATE <= self.sample_rate <= HIGHEST_RATE:
            raise AudioError(
                f"{self.path}: has a sample rate of {self.sample_rate} Hz, and retimbre reads {LOWEST_RATE} to "
                f"{HIGHEST_RATE} Hz; export it at 44100 or 48000 Hz"
            )
        if self.n_samples >= 2**62:  # what libsndfile says of FLAC that was written to a pipe; it cannot read on either
            raise AudioError(f"{self.path}: does not say how long it is; convert it to WAV or FLAC again")
        if lengths := _promised_length(self._file.extra_info):
            present, promised = lengths
            self._cut_short(self.n_samples, round(self.n_samples * promised / max(present, 1)))

    def _cut_short(self, present: int, promised: int) -> None:
        raise AudioError(
            f"{self.path}: is cut short ({present / self.sample_rate:.2f} s of {promised / self.sample_rate:.2f} s "
            "are there); copy or export it again"
        )

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except (sf.SoundFileError, OSError) as error:
            raise AudioError(f"{self.path}: is damaged or cut short ({_reason(error)}); export it again") from error


class Writer:
    """Writes a mono or stereo file of any length, block by block; it appears whole or not at all.

    What is written goes to a hidden temporary file beside the target, which is renamed when the `with` block ends. An
    error, Ctrl-C or a full disk removes it, and leaves an older file at `path` as it was.

    Args:
        path: the file; its suffix is the format. WAV files grow beyond 4 GB as RF64.
        sample_rate: in Hz.
        channels: 1 or 2.
        overwrite: whether an existing file may be replaced.
        inputs: files being read, which are never replaced, whatever `overwrite` says.
        subtype: an encoding of libsndfile ("FLOAT", "PCM_16"); 24-bit PCM where the format has it.

    Attributes:
        clipped: how many samples lay beyond -1 .. 1 and were set to -1 or 1.
        n_samples: written so far.

    Raises:
        AudioError: the file cannot be written; the message says why and what to do.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int,
        channels: int = 1,
        *,
        overwrite: bool = False,
        inputs: Iterable[str | os.PathLike[str]] = (),
        subtype: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.sample_rate = sample_rate
        self.channels = channels
        self.clipped = 0
        self.n_samples = 0
        suffix = self.path.suffix.lower()
        if suffix not in FORMATS:
            raise AudioError(f"{self.path}: cannot be written as '{suffix}'; name it .wav or .flac")
        if channels not in (1, 2):
            raise ValueError(f"channels must be 1 or 2, not {channels}")
        self._format, default = FORMATS[suffix]
        self._subtype = subtype or default
        self._bits = _PCM_BITS.get((self._subtype or "").upper())
        if not sf.check_format(self._format, self._subtype):
            raise AudioError(f"{self.path}: {suffix} files do not hold {self._subtype}; name it .wav")
        try:
            refuse_overwrite(self.path, overwrite=overwrite, inputs=inputs)
        except RetimbreError as error:
            raise AudioError(str(error)) from None
        self._exit = contextlib.ExitStack()
        self._file: sf.SoundFile | None = None

    def __enter__(self) -> "Writer":
        with contextlib.ExitStack() as stack:
            with self._failure():
                self._part = stack.enter_context(replacing(self.path))
                self._file = stack.enter_context(self._create(self._part))
            self._exit = stack.pop_all()
        return self

    def write(self, audio: NDArray[np.floating]) -> None:
        """Append a block.

        Args:
            audio: [samples] for one channel, [samples, channels] for several. Beyond -1 .. 1 it is clipped.

        Raises:
            AudioError: the disk is full, or a sample is NaN or infinite.
        """
        if self._file is None:
            raise ValueError("write() belongs in the with block of the Writer")
        block = np.asarray(audio, dtype=np.float32)
        if block.ndim == 1:
            block = block[:, None]
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise ValueError(f"audio of shape {audio.shape} does not fit {self.channels} channel(s)")
        low, high = float(block.min(initial=0)), float(block.max(initial=0))  # both are NaN if any sample is
        if not (math.isfinite(low) and math.isfinite(high)):
            at_s = (self.n_samples + _first_not_finite(block)) / self.sample_rate
            raise AudioError(f"{self.path}: the sample at {at_s:.3f} s is not a number, so nothing was written")
        if low < -1 or high > 1:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1))
            block = np.clip(block, -1, 1)
        with self._failure():
            for start in range(0, len(block), _CHUNK):
                self._append(self._file, block[start : start + _CHUNK])
        self.n_samples += len(block)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        try:
            if error is None and file is not None:
                with self._failure():
                    file.close()
                    self._check_length()
        except BaseException as failure:
            # The renaming must see what went wrong here, or it would put a broken file in place.
            self._exit.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._exit.__exit__(kind, error, traceback)

    def _create(self, part: Path) -> sf.SoundFile:
        try:
            file = sf.SoundFile(part, "w", self.sample_rate, self.channels, self._subtype, format=self._format)
        except sf.SoundFileError as error:
            raise AudioError(
                f"{self.path}: {self.path.suffix} files do not hold {self.sample_rate} Hz with {self.channels} "
                f"channel(s) ({_reason(error)}); name it .wav"
            ) from error
        if self.path.suffix.lower() == ".wav":
            # soundfile has no public call for this command of libsndfile; without it the file would stay an RF64.
            sf._snd.sf_command(file._file, _RF64_AUTO_DOWNGRADE, sf._ffi.NULL, 1)
        return file

    def _append(self, file: sf.SoundFile, block: NDArray[np.float32]) -> None:
        """Write a block [samples, channels] within -1 .. 1; libsndfile converts to PCM slowly, and rounds down."""
        file.write(_nearest_codes(block, self._bits) << (32 - self._bits) if self._bits else block)

    def _check_length(self) -> None:
        """The last bytes are written on closing, where libsndfile keeps a full disk to itself."""
        if self._format not in _LOSSY and self.n_samples and sf.info(self._part).frames != self.n_samples:
            raise OSError("the file is incomplete")

    @contextlib.contextmanager
    def _failure(self) -> Iterator[None]:
        try:
            yield
        except RetimbreError as error:
            raise error if isinstance(error, AudioError) else AudioError(str(error)) from None
        except (sf.SoundFileError, OSError, AssertionError) as error:  # soundfile asserts that all was written
            raise AudioError(
                f"{self.path}: writing failed ({_reason(error)}); is the disk full? Free some space there"
            ) from error


def length_s(path: str | os.PathLike[str]) -> float:
    """How long a file says it lasts, in seconds: its header is read, and nothing else.

    Raises:
        AudioError: the file cannot be opened.
    """
    with _open(Path(path)) as file:
        return file.frames / file.samplerate


def find(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Expand files and folders into audio files.

    Folders are searched to any depth for the suffixes in `SUFFIXES`; hidden files and folders (".name") are skipped. A
    file that is named itself is kept whatever its suffix, so that reading it can say what is wrong.

    Args:
        paths: files and folders.

    Returns:
        The files, sorted, each once.

    Raises:
        AudioError: a path does not exist, or there is no audio file at all.
    """
    paths = [Path(path) for path in paths]
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise AudioError(f"{path}: there is no such file or folder; check the name")
        if not path.is_dir():
            found.add(path)
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            visible = (Path(folder, name) for name in names if not name.startswith("."))
            found.update(file for file in visible if file.suffix.lower() in SUFFIXES)
    if not found:
        where = ", ".join(str(path) for path in paths) or "no folder"
        raise AudioError(f"{where}: no audio files found; retimbre reads {' '.join(sorted(SUFFIXES))}")
    return sorted(found)


def _first_not_finite(block: NDArray[np.float32]) -> int:
    """The first sample of a block [samples, channels] that is NaN or infinite in any channel."""
    return int(np.argmin(np.isfinite(block).all(axis=1)))


def _nearest_codes(block: NDArray[np.float32], bits: int) -> NDArray[np.int32]:
    """The nearest PCM codes of samples within -1 .. 1; as there is no code for 1, the largest stands for it."""
    full_scale = 2 ** (bits - 1)
    codes = np.multiply(block, np.float32(full_scale), order="C")
    np.rint(codes, out=codes)
    np.clip(codes, -full_scale, full_scale - 1, out=codes)  # three times as fast as np.minimum
    return codes.astype(np.int32)


def _open(path: Path) -> sf.SoundFile:
    """Open for reading, or say in one line why not."""
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise AudioError(f"{path}: there is no such file; check the name") from None
    except IsADirectoryError:
        raise AudioError(f"{path}: is a folder; name a file in it") from None
    except PermissionError:
        reason = "is a folder; name a file in it" if path.is_dir() else "may not be read; change its permissions"
        raise AudioError(f"{path}: {reason}") from None
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({_reason(error)}); copy it to another disk") from error
    if empty:
        raise AudioError(f"{path}: is empty (0 bytes); copy or export it again")
    suffix = path.suffix.lower()
    if suffix in FOREIGN_SUFFIXES:
        raise AudioError(f"{path}: {suffix} files are not supported; convert it to WAV or FLAC first")
    try:
        return sf.SoundFile(path)
    except TypeError:  # soundfile takes .raw for headerless audio and asks for its layout
        raise AudioError(f"{path}: has no header; convert it to WAV or FLAC first") from None
    except (sf.SoundFileError, OSError) as error:
        reason = _reason(error)
        if "not recognised" in reason:
            advice = f"is not {suffix} audio, whatever its name says" if suffix in SUFFIXES else "is not an audio file"
            raise AudioError(f"{path}: {advice}; convert it to WAV or FLAC first") from error
        raise AudioError(f"{path}: is damaged or cut short ({reason}); copy or export it again") from error


def _promised_length(log: str) -> tuple[int, int] | None:
    """(present, promised) length of the sound where libsndfile's log of the header says that they differ."""
    match = re.search(r"^\s*(?:data|SSND|Data Size|riff)\s*:\s*(\d+) \(should be (\d+)\)", log, re.MULTILINE)
    if match:
        promised, present = int(match[1]), int(match[2])
    elif match := re.search(r"frame count (\d+) does not match value from 'ds64' chunk of (\d+)", log):
        present, promised = int(match[1]), int(match[2])
    else:
        return None
    # Programs that write to a pipe leave a largest number for the length; more than is promised does no harm.
    unknown = promised >= 0x7FFF0000 and promised < 2**32
    return None if unknown or promised <= present else (present, promised)


def _reason(error: BaseException) -> str:
    """What libsndfile or the system says, without the path and in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "error_string", None) or str(error) or type(error).__name__
    return " ".join(text.split()).removeprefix("Error : ").rstrip(".")
