"""The doctor finds what was done to sounds, and nothing in sounds that are as they should be."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.errors import RetimbreError
from retimbre.training import doctor
from retimbre.training.doctor import collection, measures, names, page, partials, spectrum, waveform
from retimbre.training.recording import make_recording

RATE = 44_100
AUDIO = Path(__file__).parents[2] / "../shared/audio"


def note(f0_hz, seconds=1.6, release_s=0.15, seed=0):
    """A reed: partials that fade towards the top, a little breath, a release to silence."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    envelope = np.minimum(1, time / 0.05) * 10 ** (-3 * np.maximum(0, time - 0.6 * seconds) / release_s)
    heights = range(1, int(20_000 / f0_hz) + 1)
    tone = sum(np.sin(2 * np.pi * k * f0_hz * time + k * k) / k * np.exp(-k * f0_hz / 4000) for k in heights)
    breath = 0.002 * rng.standard_normal(len(time))
    return (0.1 * envelope * (tone + breath)).astype(np.float32)


def faults(sound, rate=RATE):
    measured = measures.measure(make_recording(Path("note"), sound, rate), sound, rate)
    return {finding.fault for finding in doctor.judge(measured)}


def room(sound, decay_s):
    rng = np.random.default_rng(1)
    time = np.arange(int(decay_s * RATE)) / RATE
    response = rng.standard_normal(len(time)) * 10 ** (-3 * time / decay_s)
    response[0] = 10
    n = len(sound) + len(response)
    wet = np.fft.irfft(np.fft.rfft(sound, n) * np.fft.rfft(response, n), n)
    return (0.3 * wet / np.abs(wet).max()).astype(np.float32)


def through_rate(sound, low):
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / RATE) > low / 2] = 0
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def noisy(sound, snr_db):
    noise = np.random.default_rng(2).standard_normal(len(sound))
    return (sound + noise * sound.std() * 10 ** (-snr_db / 20)).astype(np.float32)


# --- one file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f0_hz", [98.0, 311.0, 880.0])
def test_sound_notes_are_sound(f0_hz):
    assert faults(note(f0_hz)) == set()


DAMAGES = {
    "clipping": lambda sound: np.clip(sound, -0.1, 0.1),
    "offset": lambda sound: sound + np.float32(0.01),
    "noise": lambda sound: noisy(sound, 30),
    "reverberation": lambda sound: room(sound, 2.0),
    "band limit": lambda sound: through_rate(sound, 16_000),
    "polyphony": lambda sound: sound + note(311 * 2 ** (4 / 12)),
    "no pitch": lambda sound: np.random.default_rng(3).standard_normal(len(sound)).astype(np.float32) / 10,
}


@pytest.mark.parametrize("fault", DAMAGES)
def test_each_damage_is_named(fault):
    assert faults(DAMAGES[fault](note(311.0))) == {fault}


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.05])
def test_flat_tops_stay_flat_at_any_gain(gain):
    sound = note(220.0)
    top = np.quantile(np.abs(sound), 0.99)
    stored = np.round(32768 * gain * np.clip(sound, -top, top)) / 32768
    assert waveform.clipped_tops(stored.astype(np.float32)) > 20


@pytest.mark.parametrize("f0_hz", [40.0, 220.0, 1000.0])
def test_round_tops_of_a_sine_are_not_flat(f0_hz):
    sine = 0.5 * np.sin(2 * np.pi * f0_hz * np.arange(RATE) / RATE)
    assert waveform.clipped_tops((np.round(32768 * sine) / 32768).astype(np.float32)) == 0


def test_offset_is_relative_to_the_rest():
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    level = waveform.offset_db((0.1 * (sine + 0.1 / np.sqrt(2))).astype(np.float32))
    assert level == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("decay_s", [0.6, 1.5, 3.0])
def test_decay_is_that_of_the_room(decay_s):
    frames = spectrum.Frames.of(room(note(311.0, release_s=0.02), decay_s), RATE)
    assert spectrum.decay_s(frames) == pytest.approx(decay_s, rel=0.25)


def test_a_string_that_rings_on_is_no_room():
    time = np.arange(int(3 * RATE)) / RATE
    ringing = 0.05 * np.sin(2 * np.pi * 1244 * time) * 10 ** (-3 * time / 3)  # 3 s to -60 dB
    struck = note(311.0, seconds=3) + ringing.astype(np.float32)
    assert spectrum.decay_s(spectrum.Frames.of(struck, RATE)) < 1


def test_a_note_cut_off_while_it_sounds_shows_no_room():
    cut = note(311.0)[: int(0.8 * RATE)]
    assert spectrum.decay_s(spectrum.Frames.of(cut, RATE)) is None


@pytest.mark.parametrize("snr_db", [20, 30])
def test_noise_is_measured_as_it_is(snr_db):
    sound = note(311.0, seconds=2, release_s=5)  # sounding to the end: there is no pause to listen in
    frames = spectrum.Frames.of(noisy(sound, snr_db), RATE)
    loud_db = 10 * np.log10(np.quantile(frames.power, 0.9) / frames.power.mean())
    assert spectrum.noise_db(frames, RATE / 2) == pytest.approx(-snr_db - loud_db, abs=3)


@pytest.mark.parametrize("low", [12_000, 22_050])
def test_band_ends_where_it_was_cut(low):
    limit_hz, cliff_db = spectrum.band_limit_hz(through_rate(note(110.0), low), RATE)
    assert limit_hz == pytest.approx(low / 2, rel=0.1) and cliff_db > 30


@pytest.mark.parametrize("factor, octave", [(0.5, -1), (1, 0), (2, 1)])
@pytest.mark.parametrize("f0_hz", [98.0, 440.0])
def test_octave_errors_show_in_the_partials(f0_hz, factor, octave):
    seen = partials.look(note(f0_hz), RATE, 0.5, f0_hz * factor)
    assert seen.octave == octave


@pytest.mark.parametrize("ratio", [(2, 3), (3, 4), (4, 5), (3, 5)])
def test_a_chord_is_no_note_of_the_fundamental_that_it_shares(ratio):
    root = 110.0
    chord = sum(note(root * number) for number in ratio)
    assert partials.look(chord, RATE, 0.5, root).chord
    assert not partials.look(note(root), RATE, 0.5, root).chord
    assert not partials.look(note(2 * root), RATE, 0.5, root).chord, "that is an octave error"


def test_another_note_has_several_partials_and_a_resonance_one():
    time = np.arange(int(1.6 * RATE)) / RATE
    resonance = 0.05 * np.sin(2 * np.pi * 1430 * time)
    assert partials.look(note(311.0) + resonance.astype(np.float32), RATE, 0.5, 311.0).stray_db == -100
    assert partials.look(note(311.0) + note(392.0), RATE, 0.5, 311.0).stray_db > -20


def test_brightness_is_the_centroid_of_the_partials():
    time = np.arange(RATE) / RATE
    sound = np.sin(2 * np.pi * 200 * time) + np.sin(2 * np.pi * 600 * time)  # 1 and 3: 2
    seen = partials.look(sound.astype(np.float32), RATE, 0.5, 200.0)
    assert seen.brightness == pytest.approx(2, abs=0.05) and seen.stray_db < -40


# --- the set ---------------------------------------------------------------------------------------------------------


def files(count=20, **changes):
    """Sound files, a semitone apart, from soft and dark to loud and bright."""
    rng = np.random.default_rng(4)
    made = []
    for place in range(count):
        effort = rng.uniform(-1, 1)
        made.append(
            measures.Measures(
                f"{place}.wav",
                20.0,
                RATE,
                pitched_share=1.0,
                one_note_share=1.0,
                usable_s=20.0,
                pitch_s={50 + place: 20.0},
                median_midi=50.0 + place,
                level_db=-30 + 10 * effort,
                rms_db=-30 + 10 * effort,
                peak_db=-15 + 9 * effort,
                brightness=2 ** (1.5 + 0.3 * effort),
                noise_db=-65.0,
                decay_s=0.3 + 0.1 * rng.random(),
            )
        )
    return [dataclasses.replace(one, **changes) for one in made]


def set_faults(measures):
    return {finding.fault for finding in collection.judge_set(measures)}


def half(measures, **changes):
    return [dataclasses.replace(one, **changes) if place % 2 else one for place, one in enumerate(measures)]


def test_a_good_set_is_good():
    assert set_faults(files()) == set()


def test_equal_levels_of_unequal_notes_are_normalised():
    for level in ("level_db", "rms_db", "peak_db"):
        assert set_faults(files(**{level: -20.0})) == {"levels"}
    assert set_faults(files(level_db=-20.0, brightness=3.0)) == {"dynamics"}


@pytest.mark.parametrize(
    "changes", [{"decay_s": 1.8}, {"noise_db": -30.0}, {"band_limit_hz": 8000}], ids=["decay", "noise", "band"]
)
def test_two_sessions_are_told_from_one(changes):
    assert set_faults(half(files(), **changes)) == {"rooms"}
    assert set_faults(files(**changes)) == set()


def test_soft_notes_in_constant_noise_are_one_session():
    measures = half(files(), level_db=-50.0, noise_db=-32.0)
    constant = [
        one if one.noise_db == -32 else dataclasses.replace(one, level_db=-30.0, noise_db=-52.0) for one in measures
    ]
    assert "rooms" not in set_faults(constant)


def test_gaps_and_amount():
    missing = [one for one in files() if not 55 <= one.median_midi <= 61]
    assert collection.pitches(missing).gaps == ((54, 62),)
    assert {"amount", "pitch gaps"} <= set_faults(missing)


@pytest.mark.parametrize(
    "name, midi", [("x_A4_f", 69), ("sop Bb3", 58), ("C#2-1", 37), ("Fs3", 54), ("take 4", None), ("abc4", None)]
)
def test_names_tell_notes(name, midi):
    assert names.midi_of(name) == midi


def test_a_file_an_octave_off_its_name_is_found_whatever_the_library_calls_c4():
    measures = [
        dataclasses.replace(one, path=f"{collection.note_name(round(one.median_midi) - 12)}.wav") for one in files()
    ]
    assert names.wrong_octaves(measures) == {}
    measures[3] = dataclasses.replace(measures[3], median_midi=measures[3].median_midi + 12)
    assert set(names.wrong_octaves(measures)) == {measures[3].path}


# --- folders ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("notes")
    soundfile.write(path / "good.wav", note(220.0), RATE)
    soundfile.write(path / "clipped.wav", np.clip(note(311.0), -0.1, 0.1), RATE)
    (path / "broken.wav").write_bytes(b"no sound")
    return path


def test_a_folder_is_examined_and_left_alone(folder):
    diagnosis = doctor.examine(folder)
    found = {Path(file.path).name: [finding.fault for finding in file.findings] for file in diagnosis.files}
    assert found == {"good.wav": [], "clipped.wav": ["clipping"], "broken.wav": ["unreadable"]}
    assert diagnosis.minutes == pytest.approx(3.2 / 60, abs=0.01) and diagnosis.verdict == "Not enough to train on."
    assert json.loads(json.dumps(dataclasses.asdict(diagnosis)))["files"][1]["measures"]["clipped_tops"] > 3
    assert len(list(folder.iterdir())) == 3


def test_controls_are_kept_in_the_cache(folder, tmp_path):
    first = doctor.examine(folder, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert doctor.examine(folder, tmp_path) == first == doctor.examine(folder)


def test_what_most_of_it_suffers_from_is_in_the_verdict(tmp_path):
    soundfile.write(tmp_path / "church.wav", through_rate(room(note(311.0, seconds=20), 2.0), 16_000), RATE)
    soundfile.write(tmp_path / "good.wav", note(220.0), RATE)
    diagnosis = doctor.examine(tmp_path)
    assert diagnosis.verdict == "It can be trained on, but most of it is reverberant, band-limited."
    assert diagnosis.decay_s == pytest.approx(2, rel=0.2), "the long file tells, not the short one"
    assert any("name the room in a recipe ([rooms])" in line for line in page.lines(diagnosis))


def test_stray_frames_are_no_notes_on_the_page(folder):
    heard = doctor.Pitches({30: 0.05, 60: 8.0, 62: 1.0}, ())
    lines = list(page.lines(dataclasses.replace(doctor.examine(folder), pitches=heard)))
    assert "pitches     C4 █ ▂ D4" in lines


def test_what_is_no_folder_is_refused(folder, tmp_path):
    with pytest.raises(RetimbreError, match="is no folder"):
        doctor.examine(folder / "good.wav")
    with pytest.raises(RetimbreError, match="no audio files"):
        doctor.examine(tmp_path)


def test_it_needs_no_pytorch(folder):
    code = f"import sys; sys.modules['torch'] = None\nfrom retimbre.cli import main\nmain(['doctor', {str(folder)!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "clipped.wav" in done.stdout and "Not enough to train on." in done.stdout


@pytest.mark.skipif(not AUDIO.is_dir(), reason="needs the recordings of ../shared/audio, which are not here")
def test_real_notes_are_told_from_damaged_ones():
    sound, rate = soundfile.read(AUDIO / "train/sax_tenor/mtg_C4_f_sus_ten_f_17.flac", dtype="float32")
    assert faults(sound, rate) == set()
    assert faults(sound + np.float32(0.1 * sound.std()), rate) == {"offset"}
    assert faults(noisy(sound, 25), rate) == {"noise"}
    assert "clipping" in faults(np.clip(sound, -sound.std(), sound.std()), rate)
