"""Controls: what a player does, as three curves that a person can read, draw and edit.

One row a frame, 200 frames a second (docs/definitions.md). A .csv of them opens in any spreadsheet.
"""

import csv
import dataclasses
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retimbre.errors import RetimbreError
from retimbre.files import refuse_overwrite, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME_RATE = 200
VOICED_FROM = 0.5  # periodicity
COLUMNS = ("time_s", "f0_hz", "periodicity", "loudness_db")
# How far a time may lie from a regular grid, in frames: spreadsheets round times to a few digits.
_TIME_TOLERANCE = 0.2


@dataclasses.dataclass(frozen=True, eq=False)
class Controls:
    """Pitch, voicing and loudness of a sound; frame i describes the instant i / frame_rate seconds.

    Attributes:
        f0_hz: fundamental frequency in Hz [frames]; carried over unvoiced gaps, 0 where none was ever known.
        periodicity: voicing confidence, 0 to 1 [frames]; values beyond are clipped.
        loudness_db: A-weighted loudness in dB re full scale [frames].
        frame_rate: frames a second.

    Raises:
        RetimbreError: the curves differ in length, are empty, not finite, or f0_hz is negative.
    """

    f0_hz: NDArray[np.float32]
    periodicity: NDArray[np.float32]
    loudness_db: NDArray[np.float32]
    frame_rate: float = FRAME_RATE

    def __post_init__(self) -> None:
        f0_hz, periodicity, loudness_db = (
            _curve(name, getattr(self, name)) for name in ("f0_hz", "periodicity", "loudness_db")
        )
        if not len(f0_hz) == len(periodicity) == len(loudness_db):
            raise RetimbreError(
                f"controls differ in length: f0_hz {len(f0_hz)}, periodicity {len(periodicity)}, "
                f"loudness_db {len(loudness_db)} frames; give one value a frame to each"
            )
        if not len(f0_hz):
            raise RetimbreError("controls hold no frames; give at least one")
        if (f0_hz < 0).any():
            frame = int(np.argmax(f0_hz < 0))
            raise RetimbreError(f"f0_hz is {f0_hz[frame]:g} at frame {frame}; use 0 where there is no pitch")
        if not self.frame_rate > 0:
            raise RetimbreError(f"frame_rate is {self.frame_rate}; it must be above 0")
        object.__setattr__(self, "f0_hz", f0_hz)
        object.__setattr__(self, "periodicity", np.clip(periodicity, 0, 1))
        object.__setattr__(self, "loudness_db", loudness_db)

    def __len__(self) -> int:
        return len(self.f0_hz)

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where there is a pitch [frames]."""
        return (self.periodicity >= VOICED_FROM) & (self.f0_hz > 0)

    @property
    def seconds(self) -> float:
        """From the first frame to the last: the length of the sound they make."""
        return (len(self) - 1) / self.frame_rate

    @property
    def time_s(self) -> NDArray[np.float64]:
        """The instants of the frames in seconds [frames]."""
        return np.arange(len(self)) / self.frame_rate

    def replace(self, **changes: Any) -> "Controls":
        """Return a copy with some fields changed, checked anew.

        Args:
            **changes: any of the attributes.

        Returns:
            The new controls.
        """
        return dataclasses.replace(self, **changes)

    def cut(self, start_s: float = 0.0, stop_s: float | None = None) -> "Controls":
        """Return a part, from the frame nearest `start_s` to the one nearest `stop_s`, both included.

        Args:
            start_s: in seconds.
            stop_s: in seconds; the end if None, and never beyond the end.

        Returns:
            Controls of `stop_s - start_s` seconds.

        Raises:
            RetimbreError: nothing lies between the two.
        """
        stop_s = self.seconds if stop_s is None else stop_s
        first, last = round(start_s * self.frame_rate), round(stop_s * self.frame_rate)
        if not 0 <= first <= min(last, len(self) - 1):
            raise RetimbreError(
                f"cannot cut from {start_s:g} s to {stop_s:g} s; the controls run from 0 to {self.seconds:g} s"
            )
        part = slice(first, last + 1)
        return self.replace(
            f0_hz=self.f0_hz[part], periodicity=self.periodicity[part], loudness_db=self.loudness_db[part]
        )

    def resample(self, frame_rate: float = FRAME_RATE) -> "Controls":
        """Return the same curves at another frame rate.

        Pitch is interpolated in octaves between voiced frames only: it never glides across a gap. Beside a gap a frame
        takes the pitch of the voiced neighbour. Periodicity and loudness are linear.

        Args:
            frame_rate: frames a second.

        Returns:
            The new controls, which end at or before the old ones.
        """
        if frame_rate == self.frame_rate:
            return self
        # A hair more than the last frame, so that rounding does not lose it.
        n_frames = int(self.seconds * frame_rate + 1e-3) + 1
        position = np.minimum(np.arange(n_frames) * (self.frame_rate / frame_rate), len(self) - 1)
        before = position.astype(np.int64)
        after = np.minimum(before + 1, len(self) - 1)
        weight = position - before

        def linear(curve: NDArray[np.floating]) -> NDArray[np.floating]:
            return (1 - weight) * curve[before] + weight * curve[after]

        voiced = self.voiced
        octaves = np.log2(np.where(voiced, self.f0_hz, 1).astype(np.float64))
        neighbour = np.where(~voiced[before] & voiced[after], after, before)
        f0_hz = np.where(voiced[before] & voiced[after], np.exp2(linear(octaves)), self.f0_hz[neighbour])
        return Controls(
            f0_hz.astype(np.float32),
            linear(self.periodicity).astype(np.float32),
            linear(self.loudness_db).astype(np.float32),
            frame_rate,
        )

    def save_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a table with a row a frame, for a spreadsheet or a text editor.

        Args:
            path: the file.
            overwrite: whether an existing file, perhaps one edited by hand, may be replaced.

        Raises:
            RetimbreError: the file exists, or cannot be written.
        """
        refuse_overwrite(Path(path), overwrite=overwrite)
        # Seven digits of pitch are a thousandth of a cent.
        rows = zip(self.time_s, self.f0_hz, self.periodicity, self.loudness_db, strict=True)
        digits = 3 if 1000 % self.frame_rate == 0 else 6
        lines = [f"{time:.{digits}f},{f0:.7g},{voicing:.4f},{level:.4f}\n" for time, f0, voicing, level in rows]
        with replacing(Path(path)) as part:
            part.write_text(",".join(COLUMNS) + "\n" + "".join(lines), encoding="utf-8")

    @classmethod
    def load_csv(cls, path: str | os.PathLike[str]) -> "Controls":
        """Read a table written by `save_csv`, a spreadsheet or another program.

        Commas, semicolons (with decimal commas) or tabs separate the columns, which may come in any order. Rows may
        come at any regular rate; they are resampled to `FRAME_RATE`. The first row becomes frame 0.

        Args:
            path: the file.

        Returns:
            The controls.

        Raises:
            RetimbreError: the file cannot be used; the message names the file and the line.
        """
        path = Path(path)
        lines, table = _read_table(path)
        time_s, f0_hz, periodicity, loudness_db = table.T
        if (f0_hz < 0).any():
            line = lines[int(np.argmax(f0_hz < 0))]
            raise RetimbreError(f"{path}, line {line}: f0_hz is negative; use 0 where there is no pitch")
        frame_rate = _frame_rate(path, lines, time_s)
        curves = (curve.astype(np.float32) for curve in (f0_hz, periodicity, loudness_db))
        return cls(*curves, frame_rate=frame_rate).resample()

    def draw(
        self,
        target: "Axes | str | os.PathLike[str]",
        audio: NDArray[np.floating] | None = None,
        sample_rate: int | None = None,
        *,
        title: str = "",
    ) -> None:
        """Draw the pitch, over the spectrogram of the sound if given, and the loudness below on the same time axis.

        Args:
            target: a .png to write (an older one is replaced), or matplotlib axes to draw in.
            audio: the sound [samples].
            sample_rate: of `audio`, in Hz.
            title: shown above.

        Raises:
            RetimbreError: the file cannot be written.
        """
        from retimbre import picture  # matplotlib is slow to load, so only those who draw wait for it

        if isinstance(target, str | os.PathLike):
            picture.compare(target, [(title, audio, sample_rate, self)])
        else:
            picture.draw_row(target, audio, sample_rate, self, title=title)


def _curve(name: str, values: ArrayLike) -> NDArray[np.float32]:
    curve = np.ascontiguousarray(values, dtype=np.float32)
    if curve.ndim != 1:
        raise RetimbreError(f"{name} has shape {curve.shape}; give one value a frame")
    if not np.isfinite(curve).all():
        frame = int(np.argmin(np.isfinite(curve)))
        raise RetimbreError(f"{name} is {curve[frame]} at frame {frame}; give a finite number")
    return curve


def _read_table(path: Path) -> tuple[list[int], NDArray[np.float64]]:
    """Line numbers [rows] and values [rows, columns in the order of COLUMNS]."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RetimbreError(f"{path}: cannot be read ({error.strerror}); check the name") from None
    except UnicodeDecodeError:
        raise RetimbreError(f"{path}: is not plain text; save it as CSV (UTF-8)") from None
    header = next((line for line in text.splitlines() if line.strip()), "")
    if not header:
        raise RetimbreError(f"{path}, line 1: is empty; the first line must be {','.join(COLUMNS)}")
    delimiter = next((sign for sign in ";\t" if sign in header), ",")
    order: list[int] = []
    lines: list[int] = []
    rows: list[list[float]] = []
    for line, cells in _rows(path, text, delimiter):
        if not order:
            order = _order(path, line, [cell.strip() for cell in cells])
            continue
        if len(cells) != len(COLUMNS):
            raise RetimbreError(f"{path}, line {line}: has {len(cells)} cells; it needs {len(COLUMNS)}")
        lines.append(line)
        named = zip(COLUMNS, order, strict=True)
        rows.append([_number(path, line, name, cells[index], decimal_comma=delimiter != ",") for name, index in named])
    if not rows:
        raise RetimbreError(f"{path}, line 1: no rows follow the header; give one row a frame")
    return lines, np.array(rows)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise RetimbreError(f"{path}, line {reader.line_num}: is not CSV ({error}); save it as CSV (UTF-8)") from None


def _order(path: Path, line: int, names: list[str]) -> list[int]:
    """Where each of COLUMNS stands in the header."""
    names = [name.lower() for name in names]
    for what, wrong in (
        ("unknown", [name for name in names if name not in COLUMNS]),
        ("repeated", [name for name in COLUMNS if names.count(name) > 1]),
        ("missing", [name for name in COLUMNS if name not in names]),
    ):
        if wrong:
            raise RetimbreError(
                f"{path}, line {line}: {what} column '{wrong[0]}'; the header must be {','.join(COLUMNS)}"
            )
    return [names.index(name) for name in COLUMNS]


def _number(path: Path, line: int, name: str, cell: str, *, decimal_comma: bool) -> float:
    try:
        value = float(cell.strip().replace(",", ".") if decimal_comma else cell)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise RetimbreError(f"{path}, line {line}: {name} is '{cell}'; write a finite number")
    return value


def _frame_rate(path: Path, lines: list[int], time_s: NDArray[np.float64]) -> float:
    """Rows a second, of times that lie on a regular grid."""
    if len(time_s) == 1:
        return FRAME_RATE
    steps = np.diff(time_s)
    if (steps <= 0).any():
        line = lines[int(np.argmax(steps <= 0)) + 1]
        raise RetimbreError(f"{path}, line {line}: time_s does not increase; sort the rows by time")
    step = (time_s[-1] - time_s[0]) / (len(time_s) - 1)
    grid = time_s[0] + step * np.arange(len(time_s))
    if (np.abs(time_s - grid) > _TIME_TOLERANCE * step).any():
        line = lines[int(np.argmax(np.abs(steps - np.median(steps)))) + 1]
        raise RetimbreError(f"{path}, line {line}: the rows are not evenly spaced in time_s; keep one row a frame")
    rate = float(1 / step)
    # Rounded times give 199.9999 for 200: take the whole number if no frame moves by more than a twentieth for it.
    return float(round(rate)) if abs(rate - round(rate)) * (time_s[-1] - time_s[0]) < 0.05 and rate > 0.5 else rate


def note_name(midi: float) -> str:
    """The nearest note to a MIDI number: A4 for 69."""
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    return f"{names[round(midi) % 12]}{round(midi) // 12 - 1}"
