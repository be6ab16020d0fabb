"""The engine's convolution against SciPy's, for responses that need each of its three parts."""

import numpy as np
import pytest
import scipy.signal
from contract import check_contract
from hypothesis import given, settings

from retimbre.engine import Convolver, Floats
from retimbre.live.stream import FADE_S, Stream
from tests.engine.signals import block_cuts

RNG = np.random.default_rng(0)
TAPS = (1, 127, 128, 129, 4096, 4097, 20_001)
SOUND = RNG.standard_normal(30_000).astype(np.float32)


def response(taps: int) -> Floats:
    return (RNG.standard_normal(taps) * np.exp(-3 * np.arange(taps) / taps)).astype(np.float32)


def convolved(sound: Floats, taps: Floats) -> Floats:
    return scipy.signal.oaconvolve(sound.astype(np.float64), taps)[: len(sound)].astype(np.float32)


@pytest.mark.parametrize("taps", TAPS)
def test_it_is_a_convolution_without_delay(taps):
    room = response(taps)
    found, expected = Convolver(room).process(SOUND), convolved(SOUND, room)
    assert np.abs(found - expected).max() < 2e-6 * np.abs(expected).max()


@pytest.mark.parametrize("taps", (129, 4097))
def test_blocks_of_any_size_make_the_same_samples(taps):
    room = response(taps)

    def process(start, stop, state):
        state = state or Convolver(room)
        return state.process(SOUND[start:stop]), state

    @given(cuts=block_cuts(len(SOUND)))
    @settings(max_examples=5, deadline=None)
    def check(cuts):
        check_contract(process, len(SOUND), cuts, tolerance=0)

    check()


def test_an_empty_response_is_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        Convolver(np.zeros(0, np.float32))


class Room(Stream):
    """A stream's room alone."""

    def through(self, sound: Floats) -> Floats:
        pointer, out = self._engine.allocate(4096), []
        for at in range(0, len(sound), 4096):
            view = self._engine.view(pointer, len(sound[at : at + 4096]))
            view[:] = sound[at : at + 4096]
            self._engine.call("convolver_process", self._room, pointer, len(view), pointer)
            out.append(view.copy())
        self._see()
        return np.concatenate(out)


@pytest.mark.parametrize("taps", ((300, 9000), (9000, 300), (1, 20_001)))
def test_a_change_of_room_ends_in_the_new_room_without_a_step(taps):
    before, after = response(taps[0]), response(taps[1])
    low = scipy.signal.firwin(101, 300, fs=48_000)
    sound = scipy.signal.oaconvolve(RNG.standard_normal(96_000), low)[:96_000].astype(np.float32)
    room = Room(48_000, max_room_s=1.0)
    assert room.change_room(before)
    while room._engine.call("convolver_busy", room._room):
        room.through(np.zeros(4096, np.float32))
    room.through(np.zeros(40_000, np.float32))
    head = room.through(sound[:24_000])
    room._meters[14] = 100  # a stream that has begun: with a fade
    assert room.change_room(after)
    assert not room.change_room(before), "busy until the fade is over"
    tail = room.through(sound[24_000:])
    found = np.concatenate([head, tail])
    old, new = convolved(sound, before), convolved(sound, after)
    scale = max(np.abs(old).max(), np.abs(new).max())
    assert np.abs(found - old)[:24_000].max() < 1e-5 * scale
    settled = 24_000 + 3 * 2048 + 170 * 128 + round(FADE_S * 48_000)
    assert np.abs(found - new)[settled:].max() < 1e-5 * scale
    # In between, a mixture of the two: no step larger than either takes.
    steps = np.abs(np.diff(found)).max()
    assert steps < 1.2 * max(np.abs(np.diff(old)).max(), np.abs(np.diff(new)).max())
