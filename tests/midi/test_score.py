"""MIDI files are read as they are meant, and whatever is wrong with them is said."""

import struct
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retimbre.errors import RetimbreError
from retimbre.midi.notes import Note
from retimbre.midi.score import MAX_FILE, Part, choose_part, read_parts
from tests.midi.files import TUNE, message, save


def only(path: Path) -> Part:
    (part,) = read_parts(path)
    return part


def part(*notes: Note) -> Part:
    return Part(1, 1, "", notes, ())


def test_notes_come_back_as_they_were_written(tmp_path: Path):
    found = only(save(tmp_path / "a.mid", TUNE)).notes
    assert [(note.key, note.velocity) for note in found] == [(note.key, note.velocity) for note in TUNE]
    for note, true in zip(found, TUNE, strict=True):
        assert (note.start_s, note.end_s) == pytest.approx((true.start_s, true.end_s), abs=6e-4)


def test_tempo_changes_of_one_track_move_the_notes_of_another(tmp_path: Path):
    tempo = [(0.0, mido.MetaMessage("set_tempo", tempo=1_000_000)), (1.0, mido.MetaMessage("set_tempo", tempo=250_000))]
    note = only(save(tmp_path / "a.mid", tempo, [Note(0.5, 3.0, 60, 64)])).notes[0]
    # Half a second of ticks at half the tempo; the end lies two seconds of ticks into double tempo.
    assert (note.start_s, note.end_s) == pytest.approx((1.0, 2.0 + 1.0))


def test_smpte_time_is_read(tmp_path: Path):
    track = b"\x00\x90\x3c\x40\x64\x80\x3c\x00\x00\xff\x2f\x00"  # 100 ticks
    header = b"MThd" + struct.pack(">IHHbB", 6, 0, 1, -25, 40)  # of 1/1000 s
    path = tmp_path / "a.mid"
    path.write_bytes(header + b"MTrk" + struct.pack(">I", len(track)) + track)
    assert only(path).notes[0].end_s == pytest.approx(0.1)


def test_a_file_in_a_riff_envelope_is_read(tmp_path: Path):
    data = save(tmp_path / "a.mid", TUNE).read_bytes()
    (tmp_path / "a.rmi").write_bytes(
        b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data)) + data
    )
    assert only(tmp_path / "a.rmi").notes == only(tmp_path / "a.mid").notes


def test_what_never_ends_lasts_as_long_as_the_file_and_a_key_struck_again_ends_its_note(tmp_path: Path):
    struck = [message("note_on", t, note=60, velocity=50) for t in (0.0, 1.0)]
    notes = only(save(tmp_path / "a.mid", [*struck, message("control_change", 3.0, control=1)])).notes
    assert [(note.start_s, note.end_s) for note in notes] == [(0, 1), (1, 3)]


def test_the_part_with_the_most_notes_is_chosen_but_not_drums(tmp_path: Path):
    drums = [Note(t / 20, t / 20 + 0.02, 38, 90, channel=9) for t in range(50)]
    bass = [Note(t / 2, t / 2 + 0.3, 40, 90, channel=2) for t in range(4)]
    name = (0.0, mido.MetaMessage("track_name", name="Lead"))
    path = save(tmp_path / "a.mid", bass, [name, *TUNE], drums)
    parts = read_parts(path)
    assert [(p.track, p.channel, p.name, len(p.notes)) for p in parts] == [
        (2, 1, "Lead", 11),
        (1, 3, "", 4),
        (3, 10, "", 50),
    ]
    assert choose_part(path, parts) is parts[0]
    assert choose_part(path, parts, track=1).channel == 3 and choose_part(path, parts, channel=10).track == 3
    with pytest.raises(
        RetimbreError, match=r"no notes at --track 1 --channel 1; there are track 2, channel 1 \(Lead\): 11"
    ):
        choose_part(path, parts, 1, 1)


def test_one_track_of_many_channels_falls_into_parts(tmp_path: Path):
    path = save(tmp_path / "a.mid", [*TUNE, Note(0, 1, 40, 64, channel=4)], kind=0)
    assert [(p.track, p.channel) for p in read_parts(path)] == [(1, 1), (1, 5)]


def test_controllers_of_a_channel_count_whatever_track_they_stand_in(tmp_path: Path):
    path = save(tmp_path / "a.mid", [message("control_change", 0.1, control=11, value=50, channel=0)], TUNE)
    assert only(path).controllers == ((0.1, 0xB0, 11, 50),)


def test_an_mpe_zone_is_one_player(tmp_path: Path):
    zone = [message("control_change", control=c, value=v) for c, v in ((101, 0), (100, 6), (6, 15))]
    spread = [Note(n.start_s, n.end_s, n.key, n.velocity, 1 + place % 15) for place, n in enumerate(TUNE)]
    part = only(save(tmp_path / "a.mid", [*zone, *spread]))
    assert part.mpe and len(part.notes) == len(TUNE)
    unsaid = save(tmp_path / "b.mid", spread)
    assert len(read_parts(unsaid)) == len(TUNE) and read_parts(unsaid, mpe=True)[0].notes == part.notes


def test_at_one_instant_ends_come_before_beginnings_and_the_highest_last():
    chord = part(*(Note(1.0, 2.0, key, 64) for key in (67, 60, 64)), Note(0.0, 1.0, 72, 64))
    assert [event[1:3] for event in chord.events() if event[0] == 1.0] == [
        (0x80, 72),
        (0x90, 60),
        (0x90, 64),
        (0x90, 67),
    ]


def test_a_melody_loses_nothing_a_chord_all_but_one_and_a_held_bass_itself():
    assert part(*TUNE).lost_share() == 0
    assert part(Note(0, 1.05, 60, 64), Note(1, 2, 62, 64)).lost_share() == 0  # a slur
    assert part(*(Note(0, 1, key, 64) for key in (60, 64, 67))).lost_share() == pytest.approx(2 / 3)
    assert part(Note(0, 4, 40, 64), *(Note(t, t + 1, 70, 64) for t in range(1, 4))).lost_share() == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is not a MIDI file"),
        (b"RIFF....WAVE", "is not a MIDI file"),
        (b"MThd", "damaged"),
        (b"MThd" + struct.pack(">IHHh", 6, 0, 1, 480), "damaged"),
        (b"MThd" + struct.pack(">IHHh", 6, 0, 0, 480), "holds no notes"),
        (b"MThd" + struct.pack(">IHHh", 6, 0, 0, 0), "no time base"),
        (b"MThd" + struct.pack(">IHHh", 6, 1, 32767, 480) + b"MTrk\xff\xff\xff\xff", "damaged"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, data: bytes, what: str):
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    with pytest.raises(RetimbreError, match=what) as error:
        read_parts(path)
    assert str(error.value).startswith(str(path))


def test_an_endless_or_huge_file_is_refused(tmp_path: Path):
    slow = [(0.0, mido.MetaMessage("set_tempo", tempo=0xFFFFFF)), Note(0, 3600.0, 60, 64)]
    with pytest.raises(RetimbreError, match="lasts 34 hours"):
        read_parts(save(tmp_path / "slow.mid", slow))
    with (tmp_path / "huge.mid").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(RetimbreError, match="larger than a MIDI file may be"):
        read_parts(tmp_path / "huge.mid")
    with pytest.raises(RetimbreError, match=r"missing.mid: cannot be read"):
        read_parts(tmp_path / "missing.mid")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A header that promises something, and tracks of noise with as much truth in it as gets a parser going."""
    division, kind, count = draw(st.integers(-32768, 32767)), draw(st.integers(0, 3)), draw(st.integers(0, 4))
    pieces = st.one_of(
        st.binary(max_size=6),
        st.builds(lambda t, s, k, v: bytes([t, s, k, v]), *[st.integers(0, 255)] * 4),
        st.builds(lambda k, b: bytes([0, 0xFF, k, len(b)]) + b, st.integers(0, 255), st.binary(max_size=8)),
        st.just(b"\x00\x90\x3c\x40\x10\x80\x3c\x00"),
        st.just(b"\xff\xff\xff\x7f\x90\x3c\x40"),
    )
    data = b"MThd" + struct.pack(">IHHh", 6, kind, count, division)
    for _ in range(count):
        body = b"".join(draw(st.lists(pieces, max_size=6))) + draw(st.sampled_from([b"", b"\x00\xff\x2f\x00"]))
        data += b"MTrk" + struct.pack(">I", len(body) + draw(st.sampled_from([0, 0, 0, 9, 1 << 30]))) + body
    return data


@given(st.one_of(damaged(), st.binary(max_size=60).map(lambda data: b"MThd" + data)))
def test_whatever_the_bytes_there_are_notes_or_an_error_that_says_why(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
):
    path = tmp_path_factory.getbasetemp() / "noise.mid"
    path.write_bytes(data)
    try:
        parts = read_parts(path)
    except RetimbreError as error:
        assert str(error).startswith(str(path))
        return
    for found in parts:
        assert all(0 <= note.start_s < note.end_s < 5 * 3600 and 1 <= note.velocity <= 127 for note in found.notes)
        assert 0 <= found.lost_share() < 1
