"""Which sound card is meant, and what is said where none can be had."""

import builtins
import sys
from typing import Any

import pytest
from sound_card import SoundCard

from retimbre.errors import RetimbreError
from retimbre.live.devices import (
    BAD_COMBINATION,
    INVALID_CHANNELS,
    INVALID_RATE,
    UNAVAILABLE,
    Wishes,
    choose_devices,
    list_devices,
    open_stream,
    portaudio,
)


def chosen(**wishes: Any) -> tuple[int | None, int]:
    source, sink = choose_devices(Wishes(**wishes), list_devices(SoundCard()))
    return source.number if source else None, sink.number


def refused(**wishes: Any) -> str:
    with pytest.raises(RetimbreError) as error:
        chosen(**wishes)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_defaults_and_names() -> None:
    assert chosen() == (0, 0)
    assert chosen(input="webcam") == (1, 0)  # it cannot play: the default of the same interface does
    assert chosen(output="hdmi") == (0, 2)
    assert chosen(input="3") == (3, 3) and chosen(output="system") == (3, 3)  # one device for both ends where it can
    assert chosen(input="Webcam", output="HDMI") == (1, 2)
    assert chosen(listen=False, output="hdm") == (None, 2)


def test_what_is_meant_must_be_clear() -> None:
    assert "did you mean 1: Webcam (ALSA)?" in refused(input="Wepcam")
    assert "there are" in refused(input="xyz") and "0: Scarlett Solo USB (ALSA)" in refused(input="xyz")
    said = refused(output="s")
    assert "several" in said and "0: Scarlett Solo USB" in said and "3: system" in said
    assert "--input hdmi" in refused(input="hdmi")  # it cannot listen
    assert "--input 17" in refused(input="17")
    assert "different interfaces" in refused(input="webcam", output="system")
    assert "--channel 3" in refused(input="scarlett", channel=2)


def test_no_sound_card_at_all() -> None:
    with pytest.raises(RetimbreError, match=r"no sound output: connect headphones .* aplay -l"):
        choose_devices(Wishes(), [])
    with pytest.raises(RetimbreError, match="no sound input: connect a microphone"):
        choose_devices(Wishes(), [device for device in list_devices(SoundCard()) if not device.inputs])


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (INVALID_RATE, "cannot do 48000 Hz; try --rate 44100"),
        (INVALID_CHANNELS, "no channel 1"),
        (BAD_COMBINATION, "one device for both ends"),
        (UNAVAILABLE, "in use or not connected"),
        (-9999, r"it will not"),
    ],
)
def test_refusals_say_what_to_do(code: int, said: str) -> None:
    card = SoundCard()
    card.refusal = code
    source, sink = choose_devices(Wishes(), list_devices(card))
    with pytest.raises(RetimbreError, match=f"Scarlett.*{said}"):
        open_stream(card, Wishes(), source, sink, print, print)


def test_the_stream_is_opened_as_wished() -> None:
    card = SoundCard()
    wishes = Wishes(output="hdmi", channel=1, sample_rate=44_100, block=64, latency=0.02)
    stream = open_stream(card, wishes, *choose_devices(wishes, list_devices(card)), print, print)
    asked = {"device": (0, 2), "outputs": 2, "samplerate": 44_100, "blocksize": 64, "latency": 0.02, "dtype": "float32"}
    assert stream.inputs == 2 and stream.wishes == asked


@pytest.mark.parametrize(
    ("error", "said"),
    [(ImportError(name="sounddevice"), r"sounddevice.*retimbre\[live\]"), (OSError(), "libportaudio2")],
)
def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    load = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise error
        return load(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(RetimbreError, match=said):
        portaudio()
