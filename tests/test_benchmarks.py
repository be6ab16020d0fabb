"""The benchmarks measure what they say: their truths are true, their scores count right, their page says it all."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import cloning, memory, parity, pitch, practice, report, signals, sizes, speed, training, voicing
from benchmarks.report import Goal, Options, Section, Table
from retimbre.controls import Controls
from retimbre.training.recording import make_recording

QUICK = Options(quick=True, audio=Path("there/is/none"))

SECTION = Section(
    "Speed of snails",
    "Measured with a ruler.",
    [
        Table(
            "Snails",
            {"snail": "", "mm/s": ".1f", "slime": ".1%", "eyes": "d"},
            [["Turbo", 1.25, 0.5, 4], ["Rex", 0.9, None, 3]],
        )
    ],
    [report.at_least("speed of a snail", 1.25, 1, ".1f", "mm/s"), report.at_most("slime", 0.5, 0.02, ".1%")],
    ["Rex was asleep."],
)


# --- the page --------------------------------------------------------------------------------------------------------


def test_results_come_back_from_the_file_as_they_were(tmp_path):
    results = {
        "snails": report.measured(SECTION, quick=False),
        "shells": report.measured(Section("A", "B."), quick=True),
    }
    report.save(results, tmp_path / "new" / "results.json")
    assert report.load(tmp_path / "new" / "results.json") == results
    assert report.render(report.load(tmp_path / "new" / "results.json")) == report.render(results)
    assert report.load(tmp_path / "none.json") == {}


def test_page_holds_every_number():
    page = report.render({"snails": report.measured(SECTION, quick=False)})
    assert "| Turbo | 1.2 | 50.0 % | 4 |\n| Rex | 0.9 |  | 3 |" in page
    assert "| snail | mm/s | slime | eyes |\n| --- | ---: | ---: | ---: |" in page
    assert "| speed of a snail | 1.2 mm/s | >= 1 mm/s | yes |" in page
    assert "| slime | 50.0 % | <= 2 % | **no** |" in page
    for part in ("## Speed of snails", "Measured with a ruler.", "**Snails**", "Rex was asleep.", report.machine()):
        assert part in page
    assert "not to be quoted" not in page


def test_page_says_what_was_measured_elsewhere_or_in_haste():
    here = report.measured(SECTION, quick=True)
    page = report.render({"a": here, "b": replace(here, machine="an abacus", quick=False)})
    assert page.count("Quick settings: not to be quoted.") == 1
    assert page.count("**no** (quick settings)") == 1
    assert "- machine 2: an abacus" in page and "machine 2.*" in page


def test_rows_must_fit_the_columns():
    with pytest.raises(AssertionError, match="Snails"):
        Table("Snails", {"a": "", "b": ""}, [["only one"]])


def test_one_section_leaves_the_others(tmp_path, monkeypatch):
    kept = {"parity": report.measured(SECTION, quick=False)}
    report.save(kept, tmp_path / "benchmarks" / "results.json")
    monkeypatch.setattr(sizes, "run", lambda options: Section("Sizes", "Weighed."))
    monkeypatch.setattr(speed, "run", lambda options: 1 / 0)
    assert command.main(["sizes", "speed", "--quick", "--folder", str(tmp_path)]) == 1, "a failure must show"
    results = report.load(tmp_path / "benchmarks" / "results.json")
    assert list(results) == ["parity", "sizes"] and results["parity"] == kept["parity"]
    page = (tmp_path / "BENCHMARKS.md").read_text(encoding="utf-8")
    assert page == report.render(results) and "Turbo" in page and "Weighed." in page


def test_section_that_cannot_run_says_why_and_keeps_what_was_known(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "run", lambda options: report.needs(QUICK.audio, "training"))
    arguments = ["training", "--folder", str(tmp_path)]
    assert command.main(arguments) == 0
    path = tmp_path / "benchmarks" / "results.json"
    assert "Not measured: training: needs" in (tmp_path / "BENCHMARKS.md").read_text(encoding="utf-8")
    report.save({"training": report.measured(SECTION, quick=False)}, path)
    assert command.main(arguments) == 0
    assert json.loads(path.read_text(encoding="utf-8"))["training"]["section"]["title"] == SECTION.title


def test_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["spede"])
    assert "no benchmark named spede" in capsys.readouterr().err


# --- truths and scores -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [40.0, 220.0, 3500.0])
def test_tone_has_its_pitch(hz):
    clip = signals.tone(hz, seconds=2)
    spectrum = np.abs(np.fft.rfft(clip.sound * np.hanning(len(clip.sound))))
    order = 1 if hz > 2000 else 2  # a low fundamental is near the edge of the spectrum
    near = slice(round(2 * hz * order) - 20, round(2 * hz * order) + 21)  # bins are half a hertz apart
    assert near.start + np.argmax(spectrum[near]) == pytest.approx(2 * hz * order, abs=1)
    assert np.abs(clip.sound).max() == pytest.approx(0.5)


@pytest.mark.parametrize("low, high", pitch.BANDS_HZ)
def test_melody_stays_in_its_band_and_rests_between_notes(low, high):
    clip = signals.melody(low, high, seed=0)
    assert len(clip.sound) == 4 * signals.RATE and len(clip.f0_hz) == 1000
    sung = clip.f0_hz[clip.sounding]
    margin = 2 ** (0.8 / 12)  # mistuning and vibrato
    assert low / margin < sung.min() < sung.max() < high * margin
    assert 0.1 < (~clip.sounding).mean() < 0.5
    rest = np.repeat(~clip.sounding, signals.GRID)
    assert np.sqrt(np.mean(clip.sound[rest] ** 2)) < 0.05 * np.sqrt(np.mean(clip.sound[~rest] ** 2))


def test_noise_has_the_stated_level():
    clean, noisy = (signals.melody(220, 440, 1, snr_db) for snr_db in (math.inf, 10.0))
    noise = noisy.sound - clean.sound
    assert 10 * np.log10(np.mean(clean.sound**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.1)
    np.testing.assert_array_equal(clean.f0_hz, noisy.f0_hz)


def test_score_counts_each_kind_of_error():
    time_s = np.arange(100) * 0.01
    truth, sounding = np.full(100, 200.0), np.arange(100) < 80
    heard = truth.copy()
    heard[10:14] *= 2
    heard[20:22] /= 4
    heard[30:40] *= 2 ** (60 / 1200)
    voiced = np.arange(100) < 90
    voiced[:8] = False
    track = pitch.Track(time_s, heard, voiced)
    counted = pitch.score(track, time_s, truth, sounding)
    assert counted == pitch.Score(pitched=80, right=64, octave=6, recalled=72, silent=20, alarms=10)
    assert pitch.score(track, time_s, truth, sounding, 70).right == 74
    assert pitch.total([counted, counted]).shares() == [64 / 80, 6 / 80, 72 / 80]
    assert pitch.Score().shares() == [None, None, None]


def test_track_is_read_between_frames_but_not_across_jumps():
    track = pitch.Track(np.arange(4.0), np.array([100.0, 105.0, 210.0, 0.0]), np.array([False, True, True, True]))
    f0_hz, voiced = track.at(np.array([0.5, 1.4, 1.6, 2.2]))
    np.testing.assert_allclose(f0_hz, [math.sqrt(100 * 105), 105, 210, 210])
    np.testing.assert_array_equal(voiced, [False, True, True, True])


def test_note_is_judged_where_it_sounds():
    rate = 8000
    t = np.arange(2 * rate) / rate
    sound = np.sin(2 * np.pi * 200 * t) * 10 ** (-20 * t / 20) + 0.3  # falls by 20 dB a second, on an offset
    times = pitch.note_times(sound.astype(np.float32), rate)
    assert times[0] == pytest.approx(0.105, abs=0.006) and times[-1] == pytest.approx(0.8, abs=0.03)


def test_own_tracker_on_exact_sounds():
    table = pitch.tones(pitch.OURS, quick=True)
    right = {(row[0], row[1]): row[2] for row in table.rows}
    assert right["ours", "clean"] == 1.0 and right["ours", "10 dB"] > 0.9
    table, goals = pitch.nothing(pitch.OURS, quick=True)
    assert table.rows[-1] == ["digital silence", 0.0, 0.0] and all(goal.holds for goal in goals)


# --- sections --------------------------------------------------------------------------------------------------------


def test_memory_is_that_of_the_program_alone():
    ballast = np.ones(40_000_000)  # 320 MB in this process must not count
    peak, spent = memory.resident(["-c", "x = b'1' * 100_000_000"])
    assert 105e6 < peak < 200e6 and spent > 0 and ballast[-1] == 1
    with pytest.raises(RuntimeError, match="what went wrong"):
        memory.resident(["-c", "raise SystemExit('what went wrong')"])


def test_memory_section():
    section = memory.run(QUICK)
    minutes, megabytes, *_ = zip(*section.tables[0].rows, strict=True)
    assert minutes == (0.05, 0.1) and 20 < megabytes[1] < 300
    assert [goal.what for goal in section.goals] == [f"{x} for 0.1 minutes of input" for x in ("memory", "time")]


def test_speed_section():
    section = speed.run(QUICK)
    line, synthesis = section.tables
    assert [row[0] for row in line.rows][-1] == speed.WHOLE and len(line.rows) == 8
    for _, milliseconds, times, fastest in line.rows:
        assert milliseconds * times == pytest.approx(1000) and fastest >= times
    assert synthesis.rows[0][3] == 1.0 and len(synthesis.rows) == 4
    assert "../shared/audio is not here" in section.notes[0] and len(section.goals) == 2


def test_sine_banks_compared_for_speed_sound_the_same():
    import torch

    frames = torch.linspace(0, 1, 401)
    f0_hz, amplitudes = 200 + 50 * frames[None], 0.1 * torch.rand(1, 1, 40).expand(1, 401, 40) * frames[:, None]
    exact, _ = speed.sine_bank(f0_hz, amplitudes, 48_000)
    first, state = speed.usual_sine_bank(f0_hz[:, :200], amplitudes[:, :200], 48_000)
    rest, _ = speed.usual_sine_bank(f0_hz[:, 200:], amplitudes[:, 200:], 48_000, state)
    usual = torch.cat([first, rest], 1)
    assert usual.shape == exact.shape
    # Float32 and one sample's delay of the phase are what the usual way costs.
    assert (usual[:, :-1] - exact[:, 1:]).square().mean() < 0.01 * exact.square().mean()


def test_parity_section():
    section = parity.run(QUICK)
    assert [row[0] for row in section.tables[0].rows] == [16_000, 44_100, 48_000, 96_000]
    assert all(goal.holds for goal in section.goals) and len(section.goals) == 2
    tone = np.sin(np.arange(1000) / 10).astype(np.float32)
    assert parity.difference_db(np.float32(1.001) * tone, tone) == pytest.approx(-60, abs=0.01)


def test_sizes_section():
    section = sizes.run(QUICK)
    files, packages, times = ({row[0]: row[1] for row in table.rows} for table in section.tables)
    engine = Path(report.ROOT, "src/retimbre/engine.wasm")
    assert files["engine.wasm"] == engine.stat().st_size / 1e3
    assert packages["all run-time packages"] == pytest.approx(sum(list(packages.values())[:-1]))
    assert {"numpy", "wasmtime", "onnxruntime", "cffi"} <= sizes.requirements()
    assert "torch" not in sizes.requirements(), "only the extra `train` needs it"
    assert 0 < times["`python -c pass`"] < times["`import retimbre`"]


def test_loss_is_read_at_the_time_asked_for():
    history = [[10.1, 0.9], [20.3, 0.7], [30.4, 0.6]]
    assert [training.loss_at(history, seconds) for seconds in (5, 15, 30, 60)] == [None, 0.9, 0.6, 0.6]


def test_playing_is_cut_into_its_notes():
    time = np.arange(2 * 48_000) / 48_000
    midi = np.select([time < 0.5, time < 0.6, time < 1.2], [60, 64, 60 + 5 * (time - 0.6)], 67.0)  # the glide is none
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((midi - 69) / 12)) / 48_000
    playing = make_recording(Path("playing"), (0.1 * np.sin(phase)).astype(np.float32), 48_000)
    notes = practice.cut_notes(playing)
    found = [69 + 12 * np.log2(np.median(note.controls.f0_hz[note.controls.voiced]) / 440) for note in notes]
    np.testing.assert_allclose(found, [60, 67], atol=0.1)
    assert [note.pitched_s for note in notes] == pytest.approx([0.5, 0.8], abs=0.06)


def test_scale_to_clone_from_goes_up_softly_and_down_loudly():
    time = np.arange(24_000) / 48_000
    notes = []
    for midi in (60, 67):
        for level in (0.3, 0.1, 0.03):  # the middle one is neither soft nor loud
            sound = level * np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * time)
            notes.append(make_recording(Path("note"), sound.astype(np.float32), 48_000))
    scale = cloning.scale(notes)
    heard = make_recording(Path("scale"), scale, 48_000).controls
    at = [int((0.25 + place * (0.5 + cloning.GAP_S)) * 200) for place in range(4)]
    midi, level_db = 69 + 12 * np.log2(heard.f0_hz[at] / 440), heard.loudness_db[at]
    np.testing.assert_allclose(midi, [60, 67, 67, 60], atol=0.1)
    np.testing.assert_allclose(level_db[[3, 2]] - level_db[[0, 1]], 20, atol=0.1)


def test_goal_holds_at_its_limit():
    assert report.at_most("x", 5, 5, "d") == Goal("x", "5", "<= 5", True)
    assert not report.at_least("x", 0.9899, 0.99, ".2%").holds


# --- voicing ---------------------------------------------------------------------------------------------------------


def test_voicing_truth_keeps_away_from_its_changes():
    mask = np.array([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0], bool)
    assert np.flatnonzero(voicing.guarded(mask)).tolist() == [0, 1, 7, 8]


def test_leaps_are_counted_where_a_note_ends_and_is_heard():
    f0_hz, loudness_db = np.full(40, 200, np.float32), np.full(40, -20, np.float32)
    f0_hz[5], f0_hz[30:] = 300, 400  # to 300 and back, too early to count; to 400 within the last 60 ms
    periodicity = np.where(np.arange(40) < 36, 1, 0).astype(np.float32)
    heard_hz = np.full(40, 200.0)
    assert voicing.jumps_at_ends(Controls(f0_hz, periodicity, loudness_db), heard_hz) == (1, 1)
    heard_hz[27:] = 400  # within the 30 ms before: where the note went
    assert voicing.jumps_at_ends(Controls(f0_hz, periodicity, loudness_db), heard_hz) == (1, 0)
    loudness_db[30:] = -70
    assert voicing.jumps_at_ends(Controls(f0_hz, periodicity, loudness_db), heard_hz) == (0, 0)


def test_sudden_tones_start_where_they_say():
    sound, first = voicing.onset(110, 3)
    assert np.abs(sound[:first]).max() < 0.01 and np.abs(sound[first : first + 160]).max() > 0.1
