"""Controls: checked curves, cut and resampled by physics, through a table and back."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retimbre import picture
from retimbre.controls import Controls
from retimbre.errors import RetimbreError


def glide(n_frames: int = 201, frame_rate: float = 200) -> Controls:
    """Up an octave a second from 220 Hz, swelling from -60 to -20 dB, voiced throughout."""
    time_s = np.arange(n_frames) / frame_rate
    return Controls(220 * 2**time_s, np.ones(n_frames), -60 + 40 * time_s, frame_rate)


def cents(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 1200 * np.abs(np.log2(a.astype(np.float64) / b.astype(np.float64)))


# What they are


def test_curves_are_float32_and_periodicity_is_clipped() -> None:
    controls = Controls([100, 200, 0], [-0.5, 0.5, 1.5], [-10, -20, -30])
    assert {curve.dtype for curve in (controls.f0_hz, controls.periodicity, controls.loudness_db)} == {np.dtype("f4")}
    np.testing.assert_array_equal(controls.periodicity, [0, 0.5, 1])
    np.testing.assert_array_equal(controls.voiced, [False, True, False])  # no pitch is known in the last


def test_201_frames_make_one_second() -> None:
    assert glide(201).seconds == 1 and len(glide(201)) == 201


@pytest.mark.parametrize(
    ("curves", "says"),
    [
        (([1, 2], [1], [1, 2]), "differ in length: f0_hz 2, periodicity 1"),
        (([], [], []), "no frames"),
        (([1, np.nan], [1, 1], [0, 0]), "f0_hz is nan at frame 1"),
        (([1, 1], [1, 1], [0, -np.inf]), "loudness_db is -inf at frame 1"),
        (([1, -2], [1, 1], [0, 0]), "f0_hz is -2 at frame 1"),
        (([[1]], [1], [0]), r"f0_hz has shape \(1, 1\)"),
    ],
)
def test_what_makes_no_sense_is_refused(curves: tuple, says: str) -> None:
    with pytest.raises(RetimbreError, match=says):
        Controls(*curves)


def test_a_cut_lasts_as_long_as_asked() -> None:
    part = glide().cut(0.25, 0.75)
    assert part.seconds == 0.5
    np.testing.assert_allclose(part.f0_hz[[0, -1]], 220 * 2 ** np.array([0.25, 0.75]), rtol=1e-6)
    assert glide().cut(0.5).seconds == 0.5 and glide().cut(0, 9).seconds == 1
    for start_s, stop_s in ((-1, 1), (0.6, 0.5), (1.5, 2)):
        with pytest.raises(RetimbreError, match="run from 0 to 1 s"):
            glide().cut(start_s, stop_s)


def test_replaced_curves_are_checked() -> None:
    assert glide().replace(f0_hz=np.full(201, 440)).f0_hz[7] == 440
    with pytest.raises(RetimbreError, match="differ in length"):
        glide().replace(f0_hz=np.full(200, 440))


# Another frame rate


@pytest.mark.parametrize("frame_rate", [50, 86.1328125, 100, 172.265625, 250, 1000])
def test_a_glide_even_in_octaves_stays_one(frame_rate: float) -> None:
    controls = glide(int(frame_rate) + 1, frame_rate).resample(200)
    expected = glide(len(controls))
    assert cents(controls.f0_hz, expected.f0_hz).max() < 0.01
    np.testing.assert_allclose(controls.loudness_db, expected.loudness_db, atol=1e-4)
    assert 1 - controls.seconds < 1 / frame_rate + 1 / 200


def test_pitch_never_glides_across_a_gap() -> None:
    periodicity = np.array([1, 1, 0, 0, 1, 1])
    f0_hz = np.array([100, 100, 0, 0, 800, 800])
    controls = Controls(f0_hz, periodicity, np.zeros(6), frame_rate=50).resample(200)
    assert set(np.round(controls.f0_hz, 3)) <= {0, 100, 800}
    assert (controls.f0_hz[controls.periodicity >= 0.5] > 0).all()  # beside the gap too


# Tables

curve = arrays(np.float32, 30, elements=st.floats(0, 1, width=32))


@given(pitch=curve, voicing=curve, level=curve)
def test_a_table_keeps_pitch_to_a_hundredth_of_a_cent_and_level_to_a_thousandth_of_a_db(
    tmp_path_factory: pytest.TempPathFactory, pitch: np.ndarray, voicing: np.ndarray, level: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    controls = Controls(20 * 2 ** (9 * pitch), voicing, -100 + 100 * level)
    controls.save_csv(path)
    loaded = Controls.load_csv(path)
    assert len(loaded) == 30 and loaded.frame_rate == 200
    assert cents(loaded.f0_hz, controls.f0_hz).max() < 0.01
    np.testing.assert_allclose(loaded.loudness_db, controls.loudness_db, atol=1e-3)
    np.testing.assert_allclose(loaded.periodicity, controls.periodicity, atol=1e-3)


def test_a_long_table_keeps_its_time(tmp_path: Path) -> None:
    n_frames = 300 * 200 + 1  # five minutes
    Controls(np.full(n_frames, 440), np.ones(n_frames), np.zeros(n_frames)).save_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[-1].startswith("300.000,")
    assert Controls.load_csv(tmp_path / "a.csv").seconds == 300


def test_the_table_is_what_the_header_says(tmp_path: Path) -> None:
    Controls([440, 0], [1, 0], [-20, -100]).save_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == (
        "time_s,f0_hz,periodicity,loudness_db\n0.000,440,1.0000,-20.0000\n0.005,0,0.0000,-100.0000\n"
    )


def test_a_table_edited_by_hand_is_not_overwritten(tmp_path: Path) -> None:
    glide().save_csv(tmp_path / "a.csv")
    with pytest.raises(RetimbreError, match="exists already"):
        glide().save_csv(tmp_path / "a.csv")
    glide(3).save_csv(tmp_path / "a.csv", overwrite=True)
    assert len(Controls.load_csv(tmp_path / "a.csv")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "time_s,f0_hz,periodicity,loudness_db\n0,440.5,1,-20\n0.005,220,0,-30\n",
        "\ufefftime_s;f0_hz;periodicity;loudness_db\r\n0;440,5;1;-20\r\n0,005;220;0;-30\r\n\r\n",
        "loudness_db\tf0_hz\ttime_s\tperiodicity\n-20\t440.5\t0\t1\n-30\t220\t0.005\t0",
        '"time_s","f0_hz","periodicity","loudness_db"\n"0","440.5","1","-20"\n\n"0.005","220","0","-30"\n,,,\n',
        " Time_s , F0_Hz , Periodicity , Loudness_dB \n 7.000 , 440.5 , 1 , -20 \n 7.005 , 220 , 0 , -30 \n",
    ],
    ids=[
        "commas",
        "semicolons, decimal commas, CRLF, BOM",
        "tabs, other order",
        "quotes, blank rows",
        "capitals, late",
    ],
)
def test_spreadsheets_may_write_as_they_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    controls = Controls.load_csv(tmp_path / "a.csv")
    np.testing.assert_array_equal(controls.f0_hz, [440.5, 220])
    np.testing.assert_array_equal(controls.periodicity, [1, 0])
    np.testing.assert_array_equal(controls.loudness_db, [-20, -30])


def test_a_table_at_another_rate_with_rounded_times_is_resampled(tmp_path: Path) -> None:
    controls = glide(259, 22_050 / 256)  # 86.13 frames a second, three digits of time
    controls.save_csv(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    rounded = [f"{float(line.split(',')[0]):.3f},{line.split(',', 1)[1]}" for line in lines[1:]]
    (tmp_path / "a.csv").write_text("\n".join([lines[0], *rounded]))
    loaded = Controls.load_csv(tmp_path / "a.csv")
    assert loaded.frame_rate == 200 and math.isclose(loaded.seconds, controls.seconds, abs_tol=0.006)
    assert cents(loaded.f0_hz, glide(len(loaded)).f0_hz).max() < 1


HEADER = "time_s,f0_hz,periodicity,loudness_db\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: is empty"),
        (HEADER, "line 1: no rows"),
        ("time_s,f0_hz,periodicity\n", "line 1: missing column 'loudness_db'"),
        ("time_s,f0_hz,periodicity,loudness_db,colour\n", "line 1: unknown column 'colour'"),
        ("time_s,f0_hz,f0_hz,periodicity,loudness_db\n", "line 1: repeated column 'f0_hz'"),
        (HEADER + "0,440,1,-20\n0.005,loud,1,-20\n", "line 3: f0_hz is 'loud'"),
        (HEADER + "0,440,1,-20\n0.005,nan,1,-20\n", "line 3: f0_hz is 'nan'"),
        (HEADER + "0,440,1,\n", "line 2: loudness_db is ''"),
        (HEADER + "0,440,1\n", "line 2: has 3 cells"),
        (HEADER + "0,-440,1,-20\n", "line 2: f0_hz is negative"),
        (HEADER + "0,440,1,-20\n0,440,1,-20\n", "line 3: time_s does not increase"),
        (HEADER + "0,1,1,0\n0.005,1,1,0\n0.01,1,1,0\n0.03,1,1,0\n0.035,1,1,0\n", "line 5: .* not evenly spaced"),
        (HEADER + "0,440,1,-20\n\0\n", "line 3: "),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(RetimbreError, match=says) as caught:
        Controls.load_csv(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(RetimbreError, match="not plain text"):
        Controls.load_csv(tmp_path / "a.csv")
    with pytest.raises(RetimbreError, match="cannot be read"):
        Controls.load_csv(tmp_path / "none.csv")


# Pictures


def test_silence_is_drawn_as_paper():
    level_db, _, _ = picture.spectrogram(np.zeros(4800, np.float32), 48_000)
    assert level_db.max() < -picture.LEVEL_RANGE_DB


@pytest.mark.parametrize("hz", [55, 440, 7040])
def test_a_sine_stands_at_its_frequency_and_instant(hz: float) -> None:
    time_s = np.arange(48_000) / 48_000
    sound = np.sin(2 * np.pi * hz * time_s) * (time_s >= 0.5)
    level_db, low_hz, high_hz = picture.spectrogram(sound, 48_000)
    row, column = np.unravel_index(int(np.argmax(level_db)), level_db.shape)
    peak_hz = low_hz * (high_hz / low_hz) ** ((row + 0.5) / len(level_db))
    # A band is two bins wide at least (23 Hz here).
    assert abs(peak_hz - hz) < max(12, 0.03 * hz)
    assert column / level_db.shape[1] > 0.5
    assert level_db[:, : level_db.shape[1] // 3].max() < -60


def test_silence_and_single_samples_can_be_drawn(tmp_path: Path) -> None:
    quiet = Controls([0], [0], [-100])
    rows = [
        ("silence", np.zeros(4800), 48_000, quiet),
        ("click", np.ones(1), 8_000, None),
        ("curves", None, None, glide()),
    ]
    picture.compare(tmp_path / "a.png", rows)
    from matplotlib.image import imread

    pixels = imread(tmp_path / "a.png")
    assert pixels.shape[1] == 1600 and np.isfinite(pixels).all()


def test_the_pitch_line_is_drawn_where_it_belongs() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    controls = glide().replace(periodicity=np.where(np.arange(201) < 100, 1, 0))
    controls.draw(axes, np.zeros(48_000), 48_000)
    time_s, octaves = axes.lines[-1].get_data()
    np.testing.assert_allclose(2 ** np.asarray(octaves)[:100], controls.f0_hz[:100], rtol=1e-5)
    assert np.isnan(np.asarray(octaves)[100:]).all()
    np.testing.assert_allclose(time_s, controls.time_s)


def test_pictures_are_not_written_over_sounds(tmp_path: Path) -> None:
    with pytest.raises(RetimbreError, match="change the suffix"):
        glide().draw(tmp_path / "a.wav")
