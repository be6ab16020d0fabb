"""Bases that are damaged or asked for what they do not have; the shipped one."""

import json

import numpy as np
import pytest
import safetensors.numpy

from retimbre.base import choose, load_base
from retimbre.errors import RetimbreError
from retimbre.instrument import shipped


def test_the_shipped_base_knows_the_shipped_instruments():
    assert set(shipped()) <= set(load_base().voices)


def test_blends_sound_and_move_from_one_instrument_to_the_other():
    from retimbre.controls import Controls

    n = 100
    controls = Controls(np.full(n, 220.0, np.float32), np.ones(n, np.float32), np.full(n, -25.0, np.float32))

    def spectrum(text):
        amplitudes = choose(text).decode(controls).harmonic_amplitudes[-1]
        return 20 * np.log10(np.maximum(amplitudes[:12], 1e-4))

    one, half, other = (spectrum(text) for text in ("cello:1", "cello:0.5,trombone:0.5", "trombone:1"))
    apart = np.abs(one - other).mean()
    assert apart > 3
    assert np.abs(half - one).mean() < apart and np.abs(half - other).mean() < apart


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cello:0.5,kazoo:0.5", "kazoo: not among the instruments that blend: .*cello"),
        ("cello:0,trombone:0", "shares of a blend must be positive"),
        ("cello:1.2.3", "is no share"),
        ("kazoo", "no instrument of this name"),
    ],
)
def test_what_cannot_be_chosen_is_said(text, message):
    with pytest.raises(RetimbreError, match=message):
        choose(text)


@pytest.mark.parametrize("damage", ["instrument", "weight", "voices", "size", "nan", "header"])
def test_damaged_and_hostile_files_are_refused(tmp_path, damage):
    base = load_base()
    card, weights = json.loads(json.dumps(base.card)), dict(base.weights)
    if damage == "instrument":
        card["format"] = "retimbre instrument"
    if damage == "weight":
        del weights["condition.output"]
    if damage == "voices":
        card["voices"] = card["voices"][:2]
    if damage == "size":
        card["network"]["condition"] = 10**9
    if damage == "nan":
        weights["embedding"] = weights["embedding"] * np.float32("nan")
    path = tmp_path / "base.safetensors"
    data = safetensors.numpy.save(weights, {"card": json.dumps(card)})
    path.write_bytes(data[:1000] if damage == "header" else data)
    with pytest.raises(RetimbreError, match=r"base\.safetensors: is (damaged|not an instrument file)"):
        load_base(path)
