"""Bad input: one line that names the file and the remedy, exit status 2, nothing half-written. Odd input: it works."""

import errno
import importlib.util
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.cli import main
from retimbre.instrument import load

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="training needs PyTorch")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tone(seconds: float = 0.5, sample_rate: int = 48_000, hz: float = 220, level: float = 0.2) -> np.ndarray:
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return level * sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 6))


def contents() -> dict[str, bytes | None]:
    """Every file and folder here, hidden ones too."""
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(Path().rglob("*"))}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, names: str, says: str = "") -> None:
    """The command is refused as every bad input must be."""
    before = contents()
    assert main(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("retimbre: ") and said.err.count("\n") == 1, said.err
    assert f"{names}:" in said.err and ";" in said.err and says in said.err, said.err
    assert len(said.err) < 250 and "Traceback" not in said.err and "Errno" not in said.err
    assert contents() == before


def transferred(source: str, *options: str) -> tuple[np.ndarray, int]:
    assert main(["transfer", source, "--to", "cello", "-o", "out.wav", "--force", *options]) == 0
    return audio.read("out.wav")


# Files that hold no usable sound


def cut(path: str, share: float) -> None:
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: int(share * len(data))])


def truncated(suffix: str) -> Callable[[], str]:
    def make() -> str:
        sf.write(f"in{suffix}", tone(2), 48_000)
        cut(f"in{suffix}", 0.5)
        return f"in{suffix}"

    return make


def empty() -> str:
    Path("in.wav").touch()
    return "in.wav"


def header_alone() -> str:
    sf.write("in.wav", np.zeros(0), 48_000)
    return "in.wav"


def text() -> str:
    Path("in.wav").write_text("Dear reader, this is a letter and no sound.\n" * 100)
    return "in.wav"


def rubbish() -> str:
    Path("in.flac").write_bytes(np.random.default_rng(0).bytes(5000))
    return "in.flac"


def not_numbers(bad: float) -> Callable[[], str]:
    def make() -> str:
        sound = tone()
        sound[7000] = bad
        sf.write("in.wav", sound, 48_000, subtype="FLOAT")
        return "in.wav"

    return make


def slow() -> str:
    sf.write("in.wav", tone(), 4000)
    return "in.wav"


def fast() -> str:
    sf.write("in.wav", tone(), 384_000)
    return "in.wav"


def missing() -> str:
    return "in.wav"


def video() -> str:
    Path("in.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(500))
    return "in.mp4"


def flac_with_a_hole() -> str:
    sf.write("in.flac", tone(2), 48_000)
    data = bytearray(Path("in.flac").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    Path("in.flac").write_bytes(data)
    return "in.flac"


@pytest.mark.parametrize(
    "make",
    [
        empty,
        header_alone,
        text,
        rubbish,
        missing,
        video,
        slow,
        fast,
        flac_with_a_hole,
        pytest.param(truncated(".wav"), id="truncated wav"),
        pytest.param(truncated(".flac"), id="truncated flac"),
        pytest.param(not_numbers(np.nan), id="nan"),
        pytest.param(not_numbers(np.inf), id="inf"),
    ],
)
@pytest.mark.parametrize("command", ["transfer", "analyze"])
def test_a_bad_sound_is_refused(make: Callable[[], str], command: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = make()
    options = ["--to", "cello", "-o", "out.wav"] if command == "transfer" else ["-o", "out.csv", "--picture", "out.png"]
    refused(capsys, command, path, *options, names=path)


def test_a_folder_without_sound_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    Path("takes/notes.txt").write_text("nothing")
    refused(capsys, "transfer", "takes", "--to", "cello", names="takes", says="no audio files")


def test_a_bad_sound_leaves_an_older_output_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.wav").write_bytes(b"mine")
    not_numbers(np.nan)()
    refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", "out.wav", "--force", names="in.wav")


@needs_torch
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (text, "is not .wav audio"),
        (not_numbers(np.nan), "not a number"),
        (lambda: tone_of(np.zeros(48_000)), "is silent"),
        (lambda: tone_of(np.random.default_rng(0).normal(0, 0.1, 48_000)), "one clear pitch"),
    ],
)
def test_a_clip_that_cannot_be_cloned_is_refused_in_one_line(
    make: Callable[[], str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make()
    refused(capsys, "clone", path, "-o", "out.safetensors", names=path, says=says)


def tone_of(sound: np.ndarray) -> str:
    sf.write("in.wav", sound, 48_000)
    return "in.wav"


@pytest.mark.parametrize("make", [empty, text, not_numbers(np.nan), lambda: tone_of(np.zeros(48_000))])
def test_a_gallery_of_a_bad_sound_says_what_is_wrong_with_it(
    make: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = make()
    refused(capsys, "gallery", path, "-o", "page", names=path)


def test_a_gallery_of_bad_sounds_names_each(capsys: pytest.CaptureFixture[str]) -> None:
    text(), rubbish()
    before = contents()
    assert main(["gallery", "in.wav", "in.flac", "-o", "page"]) == 2
    said = capsys.readouterr().err
    assert "in.wav:" in said and "in.flac:" in said and "no gallery was made" in said
    assert contents() == before


# Odd sounds that are good


@pytest.mark.parametrize(
    ("subtype", "channels", "sample_rate"),
    [
        ("PCM_U8", 1, 48_000),
        ("PCM_16", 1, 48_000),
        ("PCM_24", 1, 48_000),
        ("PCM_32", 1, 48_000),
        ("FLOAT", 1, 48_000),
        ("DOUBLE", 1, 48_000),
        ("ALAW", 1, 48_000),
        ("PCM_16", 2, 44_100),
        ("PCM_16", 8, 48_000),
        ("PCM_16", 1, 8_000),
        ("PCM_16", 1, 11_025),
        ("PCM_16", 1, 192_000),
    ],
)
def test_odd_formats_play_the_same_note(subtype: str, channels: int, sample_rate: int) -> None:
    sound = tone(0.6, sample_rate)
    sf.write("in.wav", np.tile(sound[:, None], channels), sample_rate, subtype=subtype)
    out, rate = transferred("in.wav")
    assert rate == (sample_rate if sample_rate >= 44_100 else 48_000) and len(out) == round(0.6 * rate)
    controls = analyze(out, rate)
    middle = controls.cut(0.2, 0.5)
    assert middle.voiced.all()
    np.testing.assert_allclose(middle.f0_hz, 220, rtol=0.006)  # 10 cents
    sf.write("plain.wav", tone(0.6), 48_000, subtype="PCM_24")
    plain = analyze(*transferred("plain.wav")).cut(0.2, 0.5)
    assert np.median(middle.loudness_db) == pytest.approx(np.median(plain.loudness_db), abs=1)


@pytest.mark.parametrize("n_samples", [1, 2, 100, 48_000])
def test_all_zero_becomes_silence_of_its_length(n_samples: int, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", np.zeros(n_samples), 48_000)
    out, _ = transferred("in.wav")
    assert len(out) == n_samples and np.abs(out).max() <= 1e-4
    assert "no pitch" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0.5, 1.0, -1.0])
def test_a_single_sample_is_a_sound(value: float) -> None:
    sf.write("in.wav", np.array([value]), 48_000, subtype="FLOAT")
    out, _ = transferred("in.wav", "--picture", "out.png")
    assert len(out) == 1 and np.isfinite(out).all()
    assert Path("out.png").stat().st_size > 1000
    assert main(["analyze", "in.wav", "-o", "c.csv", "--json"]) == 0
    assert main(["render", "c.csv", "--with", "cello", "-o", "again.wav"]) == 0


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.full(24_000, 0.7), id="direct current"),
        pytest.param(np.sign(tone()), id="square, full scale"),
        pytest.param(np.eye(1, 24_000)[0], id="click"),
        pytest.param(20 * tone(), id="beyond full scale"),
        pytest.param(1e-6 * tone(), id="-120 dB"),
        pytest.param(tone(hz=21_000), id="21 kHz"),
        pytest.param(tone(hz=5), id="5 Hz"),
    ],
)
def test_extreme_sounds_do_no_harm(sound: np.ndarray) -> None:
    sf.write("in.wav", sound, 48_000, subtype="FLOAT")
    out, _ = transferred("in.wav")
    assert len(out) == len(sound) and np.isfinite(out).all()


# Instruments


def test_an_unknown_instrument_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    for name in ("chello", "Cello", "celo", "cello2"):
        refused(capsys, "transfer", "in.wav", "--to", name, names=name, says="did you mean cello?")
    refused(capsys, "transfer", "in.wav", "--to", "zzzzzz", names="zzzzzz", says="cello")
    refused(capsys, "transfer", "in.wav", "--to", "no/such.safetensors", names="no/such.safetensors")


def instrument_bytes() -> bytes:
    load("cello").save("good.safetensors")
    data = Path("good.safetensors").read_bytes()
    Path("good.safetensors").unlink()
    return data


def edited(change: Callable[[dict], None]) -> bytes:
    """The instrument with another header."""
    data = instrument_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def card_with(**changes: object) -> bytes:
    def change(header: dict) -> None:
        card = json.loads(header["__metadata__"]["card"]) | changes
        header["__metadata__"]["card"] = json.dumps(card)

    return edited(change)


def first_weight_shifted(header: dict) -> None:
    name = next(name for name in header if name != "__metadata__")
    begin, end = header[name]["data_offsets"]
    header[name]["data_offsets"] = [begin + 4, end + 4]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda: b"", "", id="empty"),
        pytest.param(lambda: b"RIFF" + bytes(2000), "", id="no instrument"),
        pytest.param(lambda: instrument_bytes()[:-100], "", id="truncated"),
        pytest.param(lambda: struct.pack("<Q", 2**62) + bytes(2000), "", id="huge header"),
        pytest.param(lambda: struct.pack("<Q", 900) + b"[" * 900 + bytes(2000), "", id="deep header"),
        pytest.param(lambda: edited(lambda header: header.pop("__metadata__")), "card", id="no card"),
        pytest.param(lambda: edited(first_weight_shifted), "", id="offsets that overlap"),
        pytest.param(lambda: card_with(format_version=99), "99", id="newer version"),
        pytest.param(lambda: card_with(network={"kind": "causal convolution", "channels": 7}), "", id="wrong shape"),
        pytest.param(lambda: card_with(synthesis=None), "", id="no synthesis"),
        pytest.param(lambda: card_with(pitch={}), "", id="no pitch range"),
    ],
)
@pytest.mark.parametrize("command", ["transfer", "render"])
def test_a_damaged_instrument_is_refused(
    make: Callable[[], bytes], says: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sf.write("in.wav", tone(), 48_000)
    main(["analyze", "in.wav", "-o", "in.csv"])
    capsys.readouterr()
    Path("bad.safetensors").write_bytes(make())
    source, option = ("in.wav", "--to") if command == "transfer" else ("in.csv", "--with")
    refused(capsys, command, source, option, "bad.safetensors", "-o", "o.wav", names="bad.safetensors", says=says)


@pytest.mark.parametrize("quantiles", [None, [], [1.0], ["loud"] * 51, [-30.0, float("nan")] * 25])
def test_an_instrument_without_usable_dynamics_is_refused(
    quantiles: object, capsys: pytest.CaptureFixture[str]
) -> None:
    sf.write("in.wav", tone(), 48_000)
    loudness = dict(load("cello").card["loudness"])
    loudness.pop("quantiles")
    Path("bad.safetensors").write_bytes(
        card_with(loudness=loudness if quantiles is None else {**loudness, "quantiles": quantiles})
    )
    refused(capsys, "transfer", "in.wav", "--to", "bad.safetensors", "-o", "out.wav", names="bad.safetensors")


# Outputs


@pytest.mark.parametrize(
    ("output", "says"), [("none/out.wav", "does not exist"), ("out.xyz", ".wav"), ("out", ".wav"), ("out.csv", ".wav")]
)
def test_an_output_that_cannot_be_is_refused(output: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", output, names=output, says=says)


@pytest.mark.parametrize(
    ("arguments", "output", "says"),
    [
        (["analyze", "in.wav", "-o"], "out.json", ".csv"),
        (["analyze", "in.wav", "-o"], "out.mid", "--midi"),
        (["room", "save", "church", "-o"], "out.txt", ".json"),
        (["room", "save", "church", "-o"], "out.mp3", ".wav"),
        (["room", "estimate", "in.wav", "-o", "out.json", "--rir"], "out.ogg", ".wav"),
        (["site", "-o"], "in.wav", "name a folder"),
        (["serve", "--export"], "in.wav", "name a folder"),
    ],
)
def test_an_output_of_another_kind_is_refused(
    arguments: list[str], output: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sf.write("in.wav", tone(), 48_000)
    refused(capsys, *arguments, output, names=output, says=says)


def test_a_file_that_is_there_is_kept_and_the_way_to_replace_it_named(capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    Path("out.wav").write_bytes(b"mine")
    refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", "out.wav", names="out.wav", says="--force")


@needs_torch
@pytest.mark.parametrize("command", ["clone", "train"])
def test_an_instrument_that_is_there_is_never_replaced(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    Path("mine.safetensors").write_bytes(b"mine")
    refused(capsys, command, "in.wav", "-o", "mine.safetensors", names="mine.safetensors", says="move it away")


def test_the_room_of_no_recording_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    refused(capsys, "room", "apply", "in.wav", "--room", "like:", "-o", "out.wav", names="like", says="interview.wav")


def test_what_is_silent_has_no_peak(capsys: pytest.CaptureFixture[str]) -> None:
    tone_of(np.zeros(4800))
    assert main(["transfer", "in.wav", "--to", "cello", "-o", "out.wav"]) == 0
    assert "silent" in capsys.readouterr().out
    assert main(["analyze", "in.wav", "--midi", "out.mid"]) == 0
    assert "no note was found" in capsys.readouterr().err


def test_a_read_only_folder_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    real = os.open

    def deny(path: object, flags: int, *rest: object, **named: object) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *rest, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", deny)
        refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", "out.wav", names="out.wav", says="Permission")
        refused(capsys, "analyze", "in.wav", "-o", "out.csv", names="out.csv", says="Permission")


@needs_torch
def test_a_read_only_folder_is_said_before_a_minute_of_learning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sf.write("in.wav", tone(), 48_000)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    refused(capsys, "clone", "in.wav", "-o", "my.safetensors", names="my.safetensors", says="read-only")


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    main(["analyze", "in.wav", "-o", "in.csv"])
    capsys.readouterr()
    monkeypatch.setattr(sf.SoundFile, "write", full)
    refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", "out.wav", names="out.wav", says="disk full")
    refused(capsys, "render", "in.csv", "--with", "cello", "-o", "out.wav", names="out.wav", says="disk full")
    Path("out.wav").write_bytes(b"mine")
    refused(capsys, "transfer", "in.wav", "--to", "cello", "-o", "out.wav", "--force", names="out.wav")


def test_a_full_disk_leaves_no_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("in.wav", tone(), 48_000)
    monkeypatch.setattr(Path, "write_text", full)
    refused(capsys, "analyze", "in.wav", "-o", "out.csv", names="out.csv", says="disk full")


def test_a_full_disk_leaves_no_picture(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from matplotlib.figure import Figure

    sf.write("in.wav", tone(), 48_000)
    monkeypatch.setattr(Figure, "savefig", full)
    refused(capsys, "analyze", "in.wav", "--picture", "out.png", names="out.png", says="disk full")


def test_a_full_disk_leaves_no_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    from retimbre.errors import RetimbreError

    cello = load("cello")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RetimbreError, match=r"mine\.safetensors.*disk full"):
        cello.save("mine.safetensors")
    assert not contents()


# Tables for render


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "time_s,f0_hz,periodicity,loudness_db\n",
        "time_s,f0_hz,periodicity,loudness_db\n0,nan,1,-20\n",
        "time_s,f0_hz,periodicity,loudness_db\n0,-5,1,-20\n0.005,220,1,-20\n",
    ],
)
def test_a_bad_table_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.csv").write_text(text)
    before = contents()
    assert main(["render", "c.csv", "--with", "cello", "-o", "out.wav"]) == 2
    assert "c.csv, line " in capsys.readouterr().err and contents() == before
    refused(capsys, "render", "none.csv", "--with", "cello", "-o", "out.wav", names="none.csv")


def test_absurd_controls_do_no_harm() -> None:
    rows = ["time_s,f0_hz,periodicity,loudness_db"]
    extremes = [(0, 0, -1e9), (1e9, 5, 1e9), (1e-9, 1, 0), (1e30, -3, 1e30), (220, 1, -20)]
    rows += [f"{i * 0.005:.3f},{f},{p},{x}" for i, (f, p, x) in enumerate(extremes * 40)]
    Path("c.csv").write_text("\n".join(rows) + "\n")
    assert main(["render", "c.csv", "--with", "cello", "-o", "out.wav"]) == 0
    assert np.isfinite(audio.read("out.wav")[0]).all()


# Training


def sawtooth(seconds: float, hz: float, sample_rate: int = 44_100, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = [np.sin(2 * np.pi * k * hz * t + rng.uniform(0, 6)) / k for k in range(1, int(10_000 / hz))]
    return np.sum(wave, axis=0) * np.minimum(1, np.minimum(t, seconds - t) / 0.05)


def chord(seconds: float, midi: list[float]) -> np.ndarray:
    return 0.1 * sum(sawtooth(seconds, 440 * 2 ** ((m - 69) / 12), seed=i) for i, m in enumerate(midi))


def speech_noise(seconds: float, sample_rate: int = 44_100) -> np.ndarray:
    """Noise with the long-term spectrum and the syllables of speech: no voice in it."""
    rng = np.random.default_rng(0)
    n = round(seconds * sample_rate)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / sample_rate)
    sound = np.fft.irfft(spectrum / (1 + (hz / 500) ** 2), n)
    t = np.arange(n) / sample_rate
    return 0.1 * sound / sound.std() * (0.1 + np.sin(2 * np.pi * 2 * t) ** 2)


def not_trained(capsys: pytest.CaptureFixture[str], says: str) -> None:
    """Refused before training: the last line says why, and no instrument appears."""
    before = contents()
    assert main(["train", "takes", "-o", "x.safetensors", "--steps", "2"]) == 2
    said = capsys.readouterr()
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("retimbre: takes") and says in last and "Traceback" not in said.err, said.err
    assert "held out" not in said.err + said.out  # what it says when it begins
    new = set(contents()) - set(before)
    assert not [path for path in new if path.endswith((".safetensors", ".part"))], new


@needs_torch
def test_training_needs_a_folder_with_sound(capsys: pytest.CaptureFixture[str]) -> None:
    not_trained(capsys, "no such file or folder")
    Path("takes").mkdir()
    Path("takes/notes.txt").write_text("nothing")
    not_trained(capsys, "no audio files")
    assert set(contents()) == {"takes", "takes/notes.txt"}


@needs_torch
def test_training_needs_more_than_two_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    sf.write("takes/a.wav", tone(2), 48_000)
    not_trained(capsys, "needs 10 s")


@needs_torch
def test_training_needs_more_than_silence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    for name in "ab":
        sf.write(f"takes/{name}.wav", np.zeros(15 * 44_100), 44_100)
    not_trained(capsys, "silent")


@needs_torch
def test_training_needs_readable_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    Path("takes/a.wav").write_text("not music")
    Path("takes/b.flac").touch()
    not_trained(capsys, "no audio that can be read")


@needs_torch
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: chord(15, [57, 61, 64]), id="major triad"),
        pytest.param(lambda: chord(15, [45, 52, 60, 64]), id="wide minor chord"),
        pytest.param(lambda: chord(15, [60, 64]), id="two notes"),
        pytest.param(lambda: chord(15, [60, 61, 62.5, 64]), id="cluster"),
        pytest.param(
            lambda: np.concatenate([chord(3, [m, m + 4, m + 7]) for m in (48, 53, 55, 57, 50)]), id="chord progression"
        ),
        pytest.param(lambda: speech_noise(15), id="speech-like noise"),
    ],
)
def test_training_needs_one_pitch_at_a_time(make: Callable[[], np.ndarray], capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    sf.write("takes/a.wav", make(), 44_100)
    not_trained(capsys, "one clear pitch")


@needs_torch
def test_training_refuses_a_name_or_a_file_it_must_not_write(capsys: pytest.CaptureFixture[str]) -> None:
    Path("takes").mkdir()
    sf.write("takes/a.wav", tone(1), 48_000)
    Path("old.safetensors").write_bytes(b"mine")
    refused(capsys, "train", "takes", "-o", "x.wav", names="x.wav", says=".safetensors")
    refused(capsys, "train", "takes", "-o", "old.safetensors", names="old.safetensors", says="exists")
    refused(capsys, "train", "takes", "-o", "none/x.safetensors", names="none/x.safetensors", says="does not exist")


def test_a_recipe_without_its_recordings(capsys: pytest.CaptureFixture[str]) -> None:
    Path("oboe.toml").write_text('recordings = "oboe"\n')
    refused(capsys, "train", "oboe.toml", "-o", "oboe.safetensors", names="oboe", says="give --recordings")
    refused(
        capsys,
        "train",
        "oboe.toml",
        "--recordings",
        "far",
        "-o",
        "oboe.safetensors",
        names="far/oboe",
        says="not there",
    )
    assert not Path("oboe.safetensors").exists() and not Path("oboe.training").exists()
