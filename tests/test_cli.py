"""The command line: what it writes, where, and what it never touches."""

import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from retimbre import audio
from retimbre.analysis import analyze
from retimbre.cli import main
from retimbre.controls import Controls
from retimbre.instrument import load
from retimbre.transfer import Settings, adjust, transfer

COMMANDS = (
    "transfer",
    "live",
    "serve",
    "app",
    "analyze",
    "render",
    "play",
    "instruments",
    "room",
    "doctor",
    "train",
    "clone",
    "eval",
    "bench",
    "export",
    "gallery",
    "site",
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in its own empty folder, as a user would."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def note(path: str, hz: float = 220, seconds: float = 0.5, sample_rate: int = 48_000) -> Path:
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    sound = sum(0.2 / k * np.sin(2 * np.pi * k * hz * t) for k in range(1, 8))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, sound * np.minimum(1, t / 0.05), sample_rate, subtype="PCM_24")
    return Path(path)


def contents() -> dict[str, bytes]:
    """Every file here, hidden ones too."""
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def one_line(text: str) -> str:
    assert text.startswith("retimbre: ") and text.count("\n") == 1 and "Traceback" not in text, text
    return text


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height that the PNG's own header states; every chunk's checksum is right."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, names, pixels = 8, [], b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        names.append(name)
        pixels += body if name == b"IDAT" else b""
        at += 12 + length
    assert names[0] == b"IHDR" and names[-1] == b"IEND"
    width, height = struct.unpack(">II", data[16:24])
    assert len(set(zlib.decompress(pixels))) > 10  # not blank
    return width, height


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    examples = text.split("example:\n")[1].strip().split("\n\n")[0].splitlines()
    from retimbre.cli import _parser

    for example in examples:
        words = example.split(">")[0].split()
        assert words[:2] == ["retimbre", command]
        assert callable(_parser().parse_args(words[1:]).run)


def test_the_main_help_names_every_command_and_its_examples_parse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    examples = [line.split()[1:] for line in text.split("examples:\n")[1].splitlines() if line.strip()]
    assert {example[0] for example in examples} == set(COMMANDS)
    from retimbre.cli import _parser

    for example in examples:
        _parser().parse_args(example)


@pytest.mark.parametrize("arguments", [["--help"], ["transfer", "--help"], ["--version"], ["instruments"]])
def test_little_is_imported_for_little(arguments: list[str]) -> None:
    code = (
        "import sys; from retimbre.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "retimbre" in loaded and not loaded & {"torch", "matplotlib", "scipy", "librosa", "tensorboard", "tqdm"}


def test_the_installed_command_works(here: Path) -> None:
    script = Path(sys.executable).with_name("retimbre")
    if not script.exists():
        pytest.skip("the command is not installed beside this Python")
    note("voice.wav")
    done = subprocess.run(
        [script, "transfer", "voice.wav", "--to", "cello", "-o", "out.wav"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("out.wav: 0.5 s")
    assert sf.info("out.wav").frames == 24_000
    done = subprocess.run([script, "transfer", "none.wav", "--to", "cello"], capture_output=True, text=True)
    assert done.returncode == 2 and "none.wav" in one_line(done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["play", "song.mid", "-o", "out.wav"],
        ["play", "song.mid", "--with", "cello", "-o", "out.wav", "--track", "0"],
        ["transfer", "voice.wav"],
        ["transfer", "voice.wav", "--to", "cello", "--octave", "high"],
        ["transfer", "voice.wav", "--to", "cello", "--octave", "9"],
        ["transfer", "voice.wav", "--to", "cello", "--gain-db", "nan"],
        ["transfer", "voice.wav", "--to", "cello", "--semitones", "100"],
        ["transfer", "voice.wav", "--to", "cello", "--fit-loudness", "maybe"],
        ["transfer", "voice.wav", "--to", "cello", "--seed", "-1"],
        ["transfer", "voice.wav", "--to", "cello", "--seed", "99999999999"],
        ["train", "takes", "-o", "a.safetensors", "--minutes", "0"],
    ],
)
def test_wrong_usage_is_status_2_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    before = contents()
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2 and capsys.readouterr().err.startswith("usage: retimbre")
    assert contents() == before


# transfer


def test_transfer_writes_one_file_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    before = note("voice.wav").read_bytes()
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("out.wav: 0.5 s at ") and said.out.count("\n") == 1 and said.err == ""
    info = sf.info("out.wav")
    assert (info.samplerate, info.frames, info.channels, info.subtype) == (48_000, 24_000, 1, "PCM_24")
    assert set(contents()) == {"voice.wav", "out.wav"} and Path("voice.wav").read_bytes() == before


def test_transfer_is_what_python_gives() -> None:
    note("voice.wav")
    main(
        ["transfer", "voice.wav", "--to", "cello", "-o", "a.wav", "--semitones", "5", "--gain-db", "-3", "--seed", "8"]
    )
    sound, rate = audio.read("voice.wav")
    settings = Settings(semitones=5, gain_db=-3, seed=8)
    expected = transfer(sound, rate, load("cello"), settings)
    np.testing.assert_allclose(audio.read("a.wav")[0], expected, atol=2e-7)


def test_the_default_name_is_the_inputs_and_the_instruments_and_lies_here() -> None:
    note("takes/voice.flac")
    assert main(["transfer", "takes/voice.flac", "--to", "cello"]) == 0
    name = load("cello").name
    assert set(contents()) == {"takes/voice.flac", f"voice_{name}.wav"}


@pytest.mark.parametrize(("suffix", "form"), [(".flac", "FLAC"), (".ogg", "OGG"), (".aiff", "AIFF"), (".WAV", "WAV")])
def test_the_suffix_is_the_format(suffix: str, form: str) -> None:
    note("voice.wav")
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", f"out{suffix}"]) == 0
    assert sf.info(f"out{suffix}").format.startswith(form)


def test_the_rate_can_be_chosen() -> None:
    note("voice.wav", sample_rate=44_100)
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--rate", "96000"]) == 0
    assert (sf.info("out.wav").samplerate, sf.info("out.wav").frames) == (96_000, 48_000)


def test_several_files_and_folders_go_to_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    note("takes/a.wav"), note("takes/deeper/b.flac"), note("c.wav")
    Path("takes/notes.txt").write_text("not music")
    assert main(["transfer", "takes", "c.wav", "--to", "cello", "-o", "out/new", "--json"]) == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    name = load("cello").name
    assert {report["input"] for report in reports} == {"takes/a.wav", "takes/deeper/b.flac", "c.wav"}
    outputs = {report["output"] for report in reports}
    assert outputs == {f"out/new/{stem}_{name}.wav" for stem in "abc"} == {f for f in contents() if f.startswith("out")}


def test_equal_names_do_not_collide() -> None:
    note("x/take.wav", 220), note("y/take.wav", 330)
    assert main(["transfer", "x", "y", "--to", "cello", "-o", "out"]) == 0
    pitches = {round(float(np.median(analyze(*audio.read(path)).f0_hz)), -1) for path in Path("out").iterdir()}
    assert pitches == {220, 330}


def test_one_bad_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    note("takes/a.wav"), note("takes/c.wav")
    Path("takes/b.wav").write_text("not music")
    assert main(["transfer", "takes", "--to", "cello", "-o", "out"]) == 2
    said = capsys.readouterr()
    assert "takes/b.wav" in one_line(said.err) and said.out.count("\n") == 2 and len(list(Path("out").iterdir())) == 2


def test_several_inputs_do_not_go_into_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    note("a.wav"), note("b.wav")
    before = contents()
    assert main(["transfer", "a.wav", "b.wav", "--to", "cello", "-o", "out.wav"]) == 2
    assert "out.wav" in one_line(capsys.readouterr().err) and contents() == before


def test_a_file_where_the_folder_should_be_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    note("a.wav"), note("b.wav")
    Path("out").write_text("mine")
    before = contents()
    assert main(["transfer", "a.wav", "b.wav", "--to", "cello", "-o", "out"]) == 2
    assert "out:" in one_line(capsys.readouterr().err) and contents() == before


def test_an_existing_output_is_kept_unless_forced(capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    Path("out.wav").write_bytes(b"mine")
    before = contents()
    command = ["transfer", "voice.wav", "--to", "cello", "-o", "out.wav"]
    assert main(command) == 2
    assert "out.wav: exists" in one_line(capsys.readouterr().err) and contents() == before
    assert main([*command, "--force"]) == 0
    assert sf.info("out.wav").frames == 24_000 and set(contents()) == {"voice.wav", "out.wav"}


@pytest.mark.parametrize("how", ["same name", "relative", "absolute", "symbolic link", "hard link", "through a folder"])
def test_the_input_is_never_overwritten(how: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note("takes/voice.wav")
    output = "takes/voice.wav"
    if how == "relative":
        output = "takes/../takes/./voice.wav"
    elif how == "absolute":
        output = str(here / "takes/voice.wav")
    elif how == "symbolic link":
        output = "link.wav"
        os.symlink("takes/voice.wav", output)
    elif how == "hard link":
        output = "link.wav"
        os.link("takes/voice.wav", output)
    elif how == "through a folder":
        os.symlink("takes", "other")
        output = "other/voice.wav"
    before = contents()
    assert main(["transfer", "takes/voice.wav", "--to", "cello", "-o", output, "--force"]) == 2
    assert "also an input" in one_line(capsys.readouterr().err) and contents() == before


def test_no_input_is_overwritten_by_the_output_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    name = load("cello").name
    note("takes/a.wav"), note(f"takes/a_{name}.wav", 330)
    before = contents()
    assert main(["transfer", "takes", "--to", "cello", "-o", "takes", "--force"]) == 2
    assert f"takes/a_{name}.wav: is also an input" in capsys.readouterr().err
    after = contents()
    assert all(after[path] == data for path, data in before.items())


def test_json_tells_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    t = np.arange(24_000) / 48_000
    sf.write("whistle.wav", 0.3 * np.sin(2 * np.pi * 1900 * t), 48_000)
    assert main(["transfer", "whistle.wav", "--to", "cello", "-o", "out.wav", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert said.err == "" and (report["input"], report["output"]) == ("whistle.wav", "out.wav")
    assert report["median_f0_hz"] == pytest.approx(1900, rel=0.003) and report["octave"] == -3
    assert report["seconds"] == 0.5 and report["clipped_samples"] == 0 and report["warnings"] == []
    peak = np.abs(audio.read("out.wav")[0]).max()
    assert report["peak_db"] == pytest.approx(20 * np.log10(peak), abs=0.1)


def test_clipping_and_lack_of_pitch_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    sf.write("hiss.wav", 0.05 * np.random.default_rng(0).standard_normal(24_000), 48_000)
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--gain-db", "50"]) == 0
    assert "clipped; try --gain-db" in one_line(capsys.readouterr().err)
    assert main(["transfer", "hiss.wav", "--to", "cello", "-o", "out2.wav"]) == 0
    assert "hiss.wav: no pitch" in one_line(capsys.readouterr().err)
    main(["analyze", "voice.wav", "-o", "voice.csv"])
    assert main(["render", "voice.csv", "--with", "cello", "-o", "out3.wav", "--gain-db", "50"]) == 0
    assert "voice.csv: " in (said := one_line(capsys.readouterr().err)) and "clipped; try --gain-db" in said


def test_the_gain_that_is_advised_does_not_clip(capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--gain-db", "40"])
    advised = capsys.readouterr().err.split("--gain-db ")[1].strip()
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out2.wav", "--gain-db", advised, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clipped_samples"] == 0


def test_an_instrument_file_will_do_for_a_name(here: Path) -> None:
    note("voice.wav")
    load("cello").save("mine.safetensors")
    assert main(["transfer", "voice.wav", "--to", "mine.safetensors", "-o", "a.wav"]) == 0
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "b.wav"]) == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


# Pictures


def test_pictures_show_input_and_output() -> None:
    note("voice.wav")
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--picture", "both.png"]) == 0
    assert main(["analyze", "voice.wav", "--picture", "one.png"]) == 0
    both, one = picture_size(Path("both.png")), picture_size(Path("one.png"))
    assert both[0] == one[0] == 1600 and 700 < both[1] < 1400 and 300 < one[1] < 700


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        ("old.png", "exists already"),
        ("none/new.png", "does not exist"),
        ("new.jpeg", "suffix"),
        ("new", "suffix"),
        ("voice.wav", "suffix"),
    ],
)
@pytest.mark.parametrize(
    "command", [["transfer", "voice.wav", "--to", "cello", "-o", "out.wav"], ["analyze", "voice.wav", "-o", "c.csv"]]
)
def test_a_picture_that_cannot_be_is_refused_before_anything_is_written(
    command: list[str], picture: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    note("voice.wav")
    Path("old.png").write_bytes(b"mine")
    before = contents()
    assert main([*command, "--picture", picture]) == 2
    assert says in one_line(capsys.readouterr().err) and contents() == before


def test_one_picture_is_for_one_input(capsys: pytest.CaptureFixture[str]) -> None:
    note("a.wav"), note("b.wav")
    before = contents()
    assert main(["transfer", "a.wav", "b.wav", "--to", "cello", "--picture", "p.png"]) == 2
    assert "--picture" in one_line(capsys.readouterr().err) and contents() == before


# analyze and render


def test_analyze_measures(capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav", 330, 1.0)
    assert main(["analyze", "voice.wav", "-o", "c.csv", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["median_f0_hz"] == pytest.approx(330, rel=0.003) and summary["voiced_share"] > 0.9
    assert summary["seconds"] == 1.0 and summary["frames"] == 201 == len(Path("c.csv").read_text().splitlines()) - 1
    assert main(["analyze", "voice.wav"]) == 0
    assert capsys.readouterr().out.startswith("voice.wav: 1.0 s, ")
    assert set(contents()) == {"voice.wav", "c.csv"}


def test_analyze_finds_no_pitch_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    sf.write("silence.wav", np.zeros(4800), 48_000)
    assert main(["analyze", "silence.wav", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["median_f0_hz"] is None and summary["voiced_share"] == 0


def test_without_lookahead_the_future_is_unknown() -> None:
    note("a.wav", 220, 0.5)
    first = sf.read("a.wav")[0]
    sf.write("b.wav", np.concatenate([first, sf.read(note("x.wav", 440, 0.5))[0]]), 48_000, subtype="PCM_24")
    for name in "ab":
        assert main(["analyze", f"{name}.wav", "-o", f"{name}.csv", "--no-lookahead"]) == 0
    a, b = (Path(f"{name}.csv").read_text().splitlines()[:99] for name in "ab")
    assert a == b


@pytest.mark.parametrize("output", ["voice.wav", "old.csv"])
def test_analyze_overwrites_nothing(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    Path("old.csv").write_text("mine")
    before = contents()
    assert main(["analyze", "voice.wav", "-o", output]) == 2
    assert output in one_line(capsys.readouterr().err)
    assert main(["analyze", "voice.wav", "-o", "voice.wav", "--force"]) == 2
    assert contents() == before


def test_analyze_then_render_is_transfer() -> None:
    note("voice.wav", 220, 1.0)
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "whole.wav", "--seed", "2"]) == 0
    assert main(["analyze", "voice.wav", "-o", "heard.csv"]) == 0
    adjusted, _ = adjust(Controls.load_csv("heard.csv"), load("cello"))
    adjusted.save_csv("fitted.csv")
    assert main(["render", "fitted.csv", "--with", "cello", "-o", "parts.wav", "--seed", "2"]) == 0
    whole, parts = audio.read("whole.wav")[0], audio.read("parts.wav")[0]
    assert len(parts) == len(whole) == 48_000
    # the table keeps four digits of loudness and seven of pitch
    assert np.sqrt(np.mean((whole - parts) ** 2)) < 1e-3 * np.sqrt(np.mean(whole**2))


def test_render_keeps_what_exists(capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    main(["analyze", "voice.wav", "-o", "c.csv"])
    capsys.readouterr()
    command = ["render", "c.csv", "--with", "cello", "-o"]
    before = contents()
    assert main([*command, "voice.wav"]) == 2
    assert "voice.wav: exists" in one_line(capsys.readouterr().err)
    assert main([*command, "c.csv", "--force"]) == 2
    assert "c.csv" in one_line(capsys.readouterr().err) and contents() == before
    assert main([*command, "out.flac", "--rate", "44100", "--gain-db", "-6", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["seconds"] == 0.5 and sf.info("out.flac").samplerate == 44_100


@pytest.mark.parametrize("rate", ["0", "15999", "192001"])
def test_rates_beyond_the_engine_are_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    before = contents()
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "o.wav", "--rate", rate]) == 2
    assert "--rate" in one_line(capsys.readouterr().err) and contents() == before


# instruments


def test_instruments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instruments"]) == 0
    assert any(line.startswith("cello ") for line in capsys.readouterr().out.splitlines())
    assert main(["instruments", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert load("cello").card in cards


def test_every_instrument_listed_can_be_played(capsys: pytest.CaptureFixture[str]) -> None:
    """The name in the list is the name that --to takes."""
    note("voice.wav")
    main(["instruments"])
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names
    for name in names:
        assert main(["transfer", "voice.wav", "--to", name, "-o", f"{name}.wav"]) == 0


# Ctrl-C


@pytest.mark.parametrize("older", [False, True])
def test_ctrl_c_leaves_nothing_half_written(
    older: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note("voice.wav")
    if older:
        Path("out.wav").write_bytes(b"mine")

    def stopped(*_: object) -> object:
        yield np.zeros(4800, np.float32)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["retimbre.transfer"], "play_blocks", stopped)
    before = contents()
    assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--force"]) == 130
    assert one_line(capsys.readouterr().err) == "retimbre: stopped\n" and contents() == before


# Rooms


@pytest.mark.parametrize("command", ["transfer", "render"])
def test_own_room_rings_on_and_none_does_not(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    t = np.arange(72_000) / 48_000
    voice = 0.2 * sum(np.sin(2 * np.pi * 440 * k * t) / k for k in range(1, 8)) * (t < 0.5)
    sf.write("voice.wav", voice, 48_000)
    assert main(["analyze", "voice.wav", "-o", "voice.csv"]) == 0
    words = ["transfer", "voice.wav", "--to"] if command == "transfer" else ["render", "voice.csv", "--with"]
    levels, frames = {}, {}
    for room in ("own", "none"):
        capsys.readouterr()
        assert main([*words, "violin", "-o", f"{room}.wav", "--room", room, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["room"] == ("minji-kim" if room == "own" else None)
        sound = sf.read(f"{room}.wav")[0]
        frames[room] = len(sound)
        powers = (np.square(sound[int(a * 48_000) : int(b * 48_000)]).mean() for a, b in ((0.1, 0.4), (0.8, 1.0)))
        levels[room] = np.diff([10 * np.log10(power + 1e-20) for power in powers])[0]
        end = np.square(sound[-480:]).mean()
        assert end < 1e-7 * np.square(sound).max(), "nothing is cut off"
    assert -45 < levels["own"] < -15 and levels["none"] < -60  # 0.4 s after the note
    assert frames["none"] == 72_000 < frames["own"]


def test_a_room_that_is_not_there_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note("voice.wav")
    for room, says in (("own", "cello was made from dry recordings"), ("castle", "castle: there is no such room")):
        assert main(["transfer", "voice.wav", "--to", "cello", "-o", "out.wav", "--room", room]) == 2
        assert says in one_line(capsys.readouterr().err)
        assert not Path("out.wav").exists()
