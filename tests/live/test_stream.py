"""The live line: the same for any blocks, the same as the offline line, on time, and never a surprise."""

import numpy as np
import pytest
from contract import check_contract
from hypothesis import given, settings

from retimbre.analysis import analyze
from retimbre.controls import Controls
from retimbre.instrument import load
from retimbre.live import bench
from retimbre.live.stream import METERS, Stream
from retimbre.transfer import Settings, adjust
from tests.engine.signals import block_cuts, melody

CELLO = load("cello")
RATES = (16_000, 44_100, 48_000, 96_000)
FIXED = {"octave": 0.0, "fit": 0.0, "gate_db": -60.0}


def notes(sample_rate, levels_db, hz=220.0, note_s=0.4, gap_s=0.1, noise_db=-200.0):
    """Tones of ten harmonics, one for each level, over noise."""
    rng, time_s = np.random.default_rng(0), np.arange(round(note_s * sample_rate)) / sample_rate
    tone = sum(np.sin(2 * np.pi * hz * k * time_s) / k for k in range(1, 11)) / 2
    tone *= np.clip(np.minimum(time_s, note_s - time_s) / 0.01, 0, 1)
    gap = np.zeros(round(gap_s * sample_rate))
    sound = np.concatenate([part for level in levels_db for part in (10 ** (level / 20) * tone, gap)])
    return (sound + 10 ** (noise_db / 20) * rng.standard_normal(len(sound))).astype(np.float32)


def phrase(sample_rate, seconds=1.2):
    """One note that swells slowly and glides: no frame is 9 dB louder than the last."""
    time_s = np.arange(round(seconds * sample_rate)) / sample_rate
    hz = 220 * 2 ** (0.5 * time_s + 0.02 * np.sin(2 * np.pi * 5 * time_s))
    phase = np.cumsum(hz) / sample_rate
    tone = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 11))
    level_db = -110 + 95 * np.clip(time_s / 0.4, 0, 1) - 20 * np.clip((time_s - 0.8) / 0.4, 0, 1)
    return (10 ** (level_db / 20) * tone / 2).astype(np.float32)


def played(stream, sound, block=128):
    """The output, and the meters of every frame [frames]."""
    out, log = [], []
    for at in range(0, len(sound), block):
        out.append(stream.process(sound[at : at + block]))
        log.append(stream.meters())
    return np.concatenate(out), log


def controls_played(stream, sound):
    """The output, and the controls of every frame as the instrument played them."""
    out, rows = [], {}
    for at in range(0, len(sound), 16):
        out.append(stream.process(sound[at : at + 16]))
        meters = stream.meters()
        rows[meters["frame"]] = (meters["f0_hz"], meters["periodicity"], meters["loudness_db"])
    assert list(rows) == [float(frame) for frame in range(1, len(rows) + 1)]
    return np.concatenate(out), Controls(*np.float32(list(rows.values())).T)


@pytest.mark.parametrize("sample_rate", RATES)
def test_blocks_of_any_size_make_the_same_samples(sample_rate):
    sound = melody(sample_rate, 0.75)

    def process(start, stop, state):
        state = state or Stream(sample_rate, CELLO)
        return state.process(sound[start:stop]), state

    @given(cuts=block_cuts(len(sound)))
    @settings(max_examples=5, deadline=None)
    def check(cuts):
        check_contract(process, len(sound), cuts, tolerance=0)

    check()


@pytest.mark.parametrize("sample_rate", RATES)
def test_it_is_the_offline_renderer_to_the_bit(sample_rate):
    stream = Stream(sample_rate, CELLO)
    stream.set(**FIXED)
    out, controls = controls_played(stream, phrase(sample_rate))
    expected = CELLO.play(controls, sample_rate)
    length = min(len(out) - stream.latency, len(expected))
    assert np.abs(expected).max() > 0.01
    assert not out[: stream.latency].any()
    assert np.array_equal(out[stream.latency :][:length], expected[:length])


def test_with_everything_fixed_the_controls_are_those_of_the_offline_adjustment():
    sound = melody(48_000, 1.0)
    stream = Stream(48_000, CELLO)
    stream.set(**FIXED)
    _, live = controls_played(stream, sound)
    wanted = Settings(octave=0, fit_loudness=False, gate_db=-60.0)
    offline, _ = adjust(analyze(sound, 48_000, lookahead=False), CELLO, wanted)
    frames = min(len(live), len(offline))
    voiced = offline.voiced[:frames]
    assert voiced.mean() > 0.3
    np.testing.assert_array_equal(live.f0_hz[:frames][voiced], offline.f0_hz[:frames][voiced])
    np.testing.assert_array_equal(live.loudness_db[:frames], offline.loudness_db[:frames])
    # Harmonics of an ended note fade, and those of one that no onset announced come within 20 ms.
    assert live.voiced[3:frames][np.logical_and.reduce([voiced[late : frames - 3 + late] for late in range(4)])].all()


@pytest.mark.parametrize("sample_rate", RATES)
def test_latency_is_what_is_declared(sample_rate):
    stream = Stream(sample_rate)
    stream.set(wet=0.0, dry=1.0)
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, sample_rate // 4).astype(np.float32)
    out = stream.process(sound)
    assert np.array_equal(out[stream.latency :], sound[: len(sound) - stream.latency])
    assert stream.latency <= 0.0075 * sample_rate


@pytest.mark.parametrize("hz, missed_ms", ((82.4, 4.6), (220.0, 4.2), (440.0, 4.6), (1760.0, 3.3)))
def test_a_sound_is_heard_within_10_ms_though_its_first_frame_ends_too_soon(hz, missed_ms):
    """It starts so late in a frame that what is left of it says little: the latest places found."""
    assert bench.onset_ms(CELLO, hz, 48_000, 128, round(48 * missed_ms)) <= 10


def test_without_an_instrument_it_is_silent():
    assert not Stream(48_000).process(melody(48_000, 0.5)).any()


@pytest.mark.parametrize("level_db", (-50, -30, -10))
def test_the_fit_settles_within_two_seconds_and_never_pumps(level_db):
    stream = Stream(48_000, CELLO)
    _, log = played(stream, notes(48_000, [level_db] * 5 + [level_db, level_db - 12] * 15), 960)
    fit_db = np.array([meters["fit_db"] for meters in log])
    loud = np.array([meters["loudness_db"] for meters in log])
    quantiles = CELLO.card["loudness"]["quantiles"]
    home_db = np.interp(0.8, np.linspace(0, 1, len(quantiles)), quantiles)
    settled = round(2 / 0.02)
    assert np.abs(np.percentile(loud[settled : round(2.5 / 0.02)], 95) - home_db) < 5
    # Soft and loud notes alternate for 15 s: the fit does not follow them.
    assert np.ptp(fit_db[settled:]) < 5
    assert np.abs(np.diff(fit_db[settled:])).max() <= 2 * 0.02 + 1e-6, "dB in 20 ms: 2 dB a second"


def test_the_gate_learns_the_noise_of_the_place():
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(48_000 * 6)
    sound = np.concatenate([notes(48_000, [-20] * 6, noise_db=-60), 10 ** (-60 / 20) * noise]).astype(np.float32)
    out, log = played(Stream(48_000, CELLO), sound)
    assert np.sqrt(np.mean(out[48_000:96_000] ** 2)) > 0.01
    rest = out[-48_000:]
    assert 20 * np.log10(np.sqrt(np.mean(rest**2))) < -75
    assert not log[-1]["gate_open"] and -70 < log[-1]["floor_db"] < -55


def test_an_instrument_changes_without_a_click_and_ends_as_the_new_one():
    sound = notes(48_000, [-20], note_s=2.0)
    streams = {name: Stream(48_000, load(name)) for name in ("cello", "flute")}
    changing = Stream(48_000, load("cello"))
    for stream in (*streams.values(), changing):
        stream.set(**FIXED)
    cello, flute = (stream.process(sound) for stream in streams.values())
    head = changing.process(sound[:48_000])
    assert changing.change_instrument(load("flute"))
    assert not changing.change_instrument(load("violin")), "under way"
    out = np.concatenate([head, changing.process(sound[48_000:])])
    steps = max(np.abs(np.diff(sound)).max() for sound in (cello, flute))
    assert np.abs(np.diff(out)).max() < 1.5 * steps
    window = slice(60_000, 90_000)
    spectrum = [np.abs(np.fft.rfft(x[window] * np.hanning(30_000))) for x in (out, cello, flute)]
    to_cello, to_flute = (np.sum((spectrum[0] - other) ** 2) for other in spectrum[1:])
    assert to_flute < 0.02 * to_cello


def test_changing_instruments_for_ever_takes_no_memory():
    stream, names = Stream(48_000), ("cello", "flute", "violin", "bassoon")
    sizes = []
    for turn in range(24):
        assert stream.change_instrument(load(names[turn % 4]))
        stream.process(np.zeros(4800, np.float32))
        sizes.append(stream._engine._exports["memory"].data_len(stream._engine._store))
    assert sizes[-1] == sizes[1]


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf, 1e30))
def test_a_driver_that_sends_no_numbers_is_heard_as_silence(bad):
    sound = notes(48_000, [-20] * 4)
    stream, clean = Stream(48_000, CELLO), Stream(48_000, CELLO)
    broken, silent = sound.copy(), sound.copy()
    broken[30_000:30_500], silent[30_000:30_500] = bad, 0
    out = stream.process(broken)
    assert np.isfinite(out).all() and np.array_equal(out, clean.process(silent))
    assert stream.meters()["bad_samples"] == 500


def test_an_instrument_of_monstrous_weights_is_silent_and_the_next_one_plays():
    monster = load("cello")
    monster.weights = {name: weight * np.float32(1e15) for name, weight in monster.weights.items()}
    stream = Stream(48_000, monster)
    stream.change_room(load("violin").room)
    sound = notes(48_000, [-20] * 2)
    assert np.isfinite(stream.process(sound)).all()
    assert stream.meters()["broken_samples"] > 0
    stream.change_instrument(CELLO)
    stream.process(sound)
    assert 0.01 < np.abs(stream.process(sound)).max() <= 1


def test_however_loud_it_stays_below_full_scale():
    stream = Stream(48_000, CELLO)
    stream.set(gain=30.0, loudness_db=20.0)
    out, log = played(stream, notes(48_000, [0, -40, 0]))
    assert 0.5 < np.abs(out).max() <= 1
    assert min(meters["limiter_gain"] for meters in log) < 0.5


def test_keys_play_instead_of_the_sound():
    stream = Stream(48_000, CELLO)
    stream.set(keys=1)
    stream.midi(0x90, 57, 100)
    stream.process(np.zeros(24_000, np.float32))
    meters = stream.meters()
    assert abs(1200 * np.log2(meters["f0_hz"] / 220)) < 40 and meters["periodicity"] >= 0.6
    assert meters["output_peak"] > 0.01
    stream.midi(0x80, 57)
    stream.process(np.zeros(48_000, np.float32))
    assert stream.meters()["output_peak"] < 1e-3


def test_settings_have_names():
    stream = Stream(48_000)
    assert stream.get("octave") is None and stream.get("gate_db") is None and stream.get("gain") == 1
    stream.set(octave=-1, gate_db=None)
    assert stream.get("octave") == -1 and stream.get("gate_db") is None
    with pytest.raises(ValueError, match="no setting volume"):
        stream.set(volume=1)
    assert set(stream.meters()) == set(METERS)


@pytest.mark.parametrize("sample_rate", (8_000, 15_999, 192_001))
def test_rates_beyond_the_engine_are_refused(sample_rate):
    with pytest.raises(ValueError, match="outside 16000 to 192000"):
        Stream(sample_rate)


def unpitched(kind, sample_rate=48_000, seconds=3.0):
    """Steady sounds that no monophonic instrument makes."""
    rng, time_s = np.random.default_rng(0), np.arange(round(seconds * sample_rate)) / sample_rate
    chords = {"triad": (220, 277.2, 329.6), "seventh": (130.8, 155.6, 196, 233.1), "cluster": (220, 233.1, 246.9)}
    if kind in chords:
        parts = [np.sin(2 * np.pi * hz * k * time_s + k * k) / k for hz in chords[kind] for k in range(1, 13)]
        return (0.05 * np.sum(parts, axis=0)).astype(np.float32)
    noise = rng.standard_normal(len(time_s))
    if kind == "rumble":
        noise = 0.02 * np.cumsum(noise - np.mean(noise)) / 10
        return (noise - np.convolve(noise, np.ones(4800) / 4800, "same")).astype(np.float32)
    if kind == "hiss":
        noise = np.diff(noise, n=2, append=[0, 0])
    return (0.05 * noise).astype(np.float32) if kind != "silence" else np.zeros(len(noise), np.float32)


@pytest.mark.parametrize("name", ("cello", "violin"))
@pytest.mark.parametrize("kind", ("triad", "seventh", "cluster", "noise", "hiss", "rumble", "silence"))
def test_what_has_no_pitch_never_screeches(kind, name):
    out = Stream(48_000, load(name)).process(unpitched(kind))
    assert np.abs(out).max() <= 1
    power = np.convolve(out[48_000:] ** 2, np.ones(960) / 960, "valid")[::240]  # over 20 ms, a period of low notes
    level_db = 10 * np.log10(power + 1e-7)
    assert np.abs(np.diff(level_db)).max() < (12 if kind == "rumble" else 4), "nor does it come and go"
    if kind in ("noise", "hiss"):
        assert level_db.max() < -35, "no note in it"
    if kind == "silence":
        assert np.abs(out).max() < 1e-9
