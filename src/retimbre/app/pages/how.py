"""How it works: every step from sound to sound, with the signals of the sound that was transformed last."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

import streamlit as st

from retimbre.app import session
from retimbre.app.examples import examples
from retimbre.app.steps import Order
from retimbre.errors import RetimbreError

INTRODUCTION = """
retimbre does not change your sound: it listens to it, as a musician would, and plays what it heard.
These are the six steps, for the sound that you transformed last; each of them can be heard.
"""


class Step(NamedTuple):
    """A title, words, the picture, and the sounds with what they are called."""

    title: str
    text: str
    picture: str
    sounds: dict[str, str]


STEPS = (
    Step(
        "Your sound",
        "One note at a time. The stronger the ink, the louder; the lines are the harmonics of the notes.",
        "source",
        {"source": ""},
    ),
    Step(
        "Analyse",
        "200 times a second, {frames:,} times here: **which pitch** it has, **how sure** that is, and **how loud** "
        "it is to an ear. Nothing else is kept of your sound. As a plain tone it sounds like this.",
        "heard",
        {"heard": ""},
    ),
    Step(
        "Adjust",
        "The pitch moves by whole octaves into the instrument's range, and the dynamics are matched to those that it "
        "was recorded with; what lies below the gate becomes silence. {moved}",
        "adjusted",
        {"adjusted": ""},
    ),
    Step(
        "Decode",
        "A small network, which learned from recordings, says how strong each of {harmonics} harmonics is at this "
        "pitch and loudness, and how strong the noise of breath or bow is in {bands} bands.",
        "decoded",
        {"harmonics": "Harmonics alone", "noise": "Noise alone"},
    ),
    Step(
        "Synthesise",
        "An oscillator plays the harmonics, white noise is filtered into the bands, and both are added. Nothing of "
        "your recording is in this sound.",
        "dry",
        {"dry": ""},
    ),
    Step(
        "Place in a room",
        "A room answers each frequency in its own way, and rings on after the last note.",
        "placed",
        {"placed": ""},
    ),
)

DRY = Step(
    "Place in a room", "Here there is none, so it stays dry. Choose one under *Transform*, then come back.", "", {}
)


def page() -> None:
    """The six steps, each to see and to hear."""
    st.title("From your sound to the instrument's", anchor=False)
    here = session.current()
    try:
        order = st.session_state.get("last order") or Order(here.keep_sound(*next(iter(examples().values()))).path)
        with st.spinner("Rendering every step …"):
            made = here.ask("explain", [], folder=here.folder, order=asdict(order))
    except RetimbreError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(INTRODUCTION)
    steps = STEPS if order.room != "none" else (*STEPS[:-1], DRY)
    for number, step in enumerate(steps, 1):
        st.header(f"{number}. {step.title}", anchor=False)
        _show(step, made)


def _show(step: Step, made: dict[str, Any]) -> None:
    text = step.text.format(**made, moved=_moved(made["octave"]))
    if not step.picture:
        st.markdown(text)
        return
    said, shown = st.columns([5, 8], gap="large")
    said.markdown(text)
    for sound, name in step.sounds.items():
        if name:
            said.caption(name)
        said.audio(made["sounds"][sound])
    shown.html(made["pictures"][step.picture])


def _moved(octave: int) -> str:
    if not octave:
        return "Here the pitch lies in the range already, and stays where it is."
    return f"Here it moved {abs(octave)} octave{'s' * (abs(octave) > 1)} {'up' if octave > 0 else 'down'}."
