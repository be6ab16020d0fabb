"""What is drawn on the curves is what is played: there, by so much, and nowhere else."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from retimbre.app import tasks
from retimbre.app.edits import Edits, Standing
from retimbre.app.steps import Order, Shelf, adjusted
from retimbre.controls import Controls
from retimbre.errors import RetimbreError
from retimbre.training.independent import pitch
from tests.browser.sounds import level_db

RATE, HZ, SECONDS = 48_000, 220.0, 3.0
DRAWN = slice(200, 400)  # frames: the second second


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    """A steady tone, in a folder of its own."""
    time_s = np.arange(round(RATE * SECONDS)) / RATE
    fade = np.clip(np.minimum(time_s, SECONDS - time_s) / 0.05, 0, 1)
    path = tmp_path_factory.mktemp("session") / "0123456789ab.wav"
    soundfile.write(path, 0.2 * fade * sum(np.sin(2 * np.pi * k * HZ * time_s) / k for k in range(1, 7)), RATE)
    return Order(str(path))


def drawn(order: Order, pitch: list | None = None, loudness: list | None = None) -> Order:
    """The order with edits: values from the first drawn frame on."""
    runs = {"pitch": pitch, "loudness": loudness}
    text = json.dumps({name: [[DRAWN.start, values]] if values else [] for name, values in runs.items()})
    path = Path(order.source).with_name(f"{abs(hash(text))}.json")
    path.write_text(text)
    return replace(order, edits=str(path))


def base(order: Order) -> tuple[Controls, Standing]:
    found = adjusted(Shelf(Path(order.source).parent), order)
    return found.controls, found.standing


def moved(order: Order, semitones: float) -> Order:
    """The pitch of the drawn frames, moved."""
    controls, standing = base(order)
    cents = 6900 + 1200 * np.log2(controls.f0_hz[DRAWN] / 440) + 100 * semitones - standing.cents
    return drawn(order, pitch=[round(float(one)) for one in cents])


def played(order: Order) -> np.ndarray:
    result = tasks.transform(str(Path(order.source).parent), asdict(order))
    sound, rate = soundfile.read(result["after"], dtype="float32")
    assert rate == RATE
    return sound


def cents_between(one: np.ndarray, other: np.ndarray, start_s: float, stop_s: float) -> float:
    """How much higher the second is there, by an independent tracker."""
    part = slice(round(RATE * start_s), round(RATE * stop_s))
    heard = [pitch(sound[part], RATE) for sound in (one, other)]
    medians = [np.median(found.f0_hz[found.voiced]) for found in heard]
    return float(1200 * np.log2(medians[1] / medians[0]))


def test_a_semitone_that_is_drawn_is_heard_there_and_nowhere_else(order: Order) -> None:
    before, after = played(order), played(moved(order, 1))
    assert len(before) == len(after)
    assert cents_between(before, after, 1.1, 1.9) == pytest.approx(100, abs=5)
    assert abs(cents_between(before, after, 0.1, 0.95)) < 3
    assert abs(cents_between(before, after, 2.1, 2.9)) < 3


def test_the_sound_before_a_drawn_stretch_is_the_same_to_the_bit(order: Order) -> None:
    before, after = played(order), played(moved(order, 1))
    untouched = round(RATE * (DRAWN.start - 1) / 200)
    assert (before[:untouched] == after[:untouched]).all()


def test_what_is_drawn_moves_along_with_the_sliders(order: Order) -> None:
    edited = moved(order, 1)
    for other in (replace(edited, semitones=3.0), replace(edited, octave=-1), replace(edited, instrument="flute")):
        assert cents_between(played(replace(other, edits=None)), played(other), 1.1, 1.9) == pytest.approx(100, abs=6)


def test_erased_pitch_leaves_no_tone(order: Order) -> None:
    sound = played(drawn(order, pitch=[None] * 200))
    inside, outside = (
        pitch(sound[round(RATE * a) : round(RATE * b)], RATE).voiced.mean() for a, b in ((1.1, 1.9), (0.1, 0.9))
    )
    assert inside < 0.1 and outside > 0.9


def test_loudness_that_is_drawn_is_heard(order: Order) -> None:
    softer = played(drawn(order, loudness=[-2000] * 200))
    part, rest = slice(round(1.1 * RATE), round(1.9 * RATE)), slice(round(0.2 * RATE), round(0.9 * RATE))
    assert level_db(played(order)[part]) - level_db(softer[part]) > 10
    assert level_db(played(order)[rest]) == pytest.approx(level_db(softer[rest]), abs=0.1)


def test_a_note_can_be_drawn_where_there_was_none(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(2 * RATE, np.float32), RATE)
    edited = drawn(Order(str(tmp_path / "none.wav")), pitch=[6000] * 120, loudness=[1500] * 120)
    sound = played(edited)
    heard = pitch(sound[round(1.05 * RATE) : round(1.55 * RATE)], RATE)
    assert np.median(heard.f0_hz[heard.voiced]) == pytest.approx(261.6, rel=0.005)


def test_edits_travel_into_the_table_and_the_notes(order: Order) -> None:
    import mido

    folder, edited = str(Path(order.source).parent), moved(order, 2)
    table = Controls.load_csv(tasks.controls_csv(folder, asdict(edited)))
    assert np.median(table.f0_hz[DRAWN]) == pytest.approx(HZ * 2 ** (2 / 12), rel=1e-3)
    file = mido.MidiFile(tasks.midi(folder, asdict(edited)))
    notes = [message.note for message in file.tracks[0] if message.type == "note_on" and message.velocity]
    assert notes == [57, 59, 57]


def test_packed_curves_are_the_controls(order: Order) -> None:
    from base64 import b64decode

    told = tasks.curves(str(Path(order.source).parent), asdict(order))
    controls, _ = base(order)
    cents = np.frombuffer(b64decode(told["played"]["pitch"]), "<i2")
    assert ((cents >= 0) == controls.voiced).all()
    assert np.median(cents[DRAWN]) == pytest.approx(5700, abs=5)
    level = np.frombuffer(b64decode(told["played"]["loudness"]), "<i2") / 100
    assert np.abs(level - controls.loudness_db)[DRAWN].max() < 0.006


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"pitch": []}',
        '{"pitch": [[3, [1]]], "loudness": [[0, [null]]]}',
        '{"pitch": [[9, [1, 2]]], "loudness": []}',
        '{"pitch": [[-1, [1]]], "loudness": []}',
        '{"pitch": [["0", [1]]], "loudness": []}',
        '{"pitch": [[0, "12"]], "loudness": []}',
        '{"pitch": [[0, [1]], [2]], "loudness": []}',
        '{"pitch": [[0, [NaN]]], "loudness": []}',
        '{"pitch": [[0, ["a"]]], "loudness": []}',
        '{"pitch": [[0, [[1]]]], "loudness": []}',
        "[" * 100_000,
    ],
)
def test_what_no_hand_drew_is_refused(text: str) -> None:
    with pytest.raises(RetimbreError, match="drawn"):
        Edits.parse(text, 10)


def test_values_that_no_instrument_plays_are_held_within_bounds() -> None:
    edits = Edits.parse('{"pitch": [[0, [1e30, -1e30]]], "loudness": [[0, [1e30]]]}', 4)
    controls = Controls(*(np.full(4, value, np.float32) for value in (220, 1, -30)))
    changed = edits.applied(controls, Standing(0, -20))
    assert np.isfinite(changed.f0_hz).all() and np.isfinite(changed.loudness_db).all()
