/* The sliders and what they mean to the engine: each knows its settings, and how its value reads. */

import { make } from "./dom.js";

const decibels = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value)} dB`;
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value)}`;
const percent = (value) => `${value} %`;
const least = (automatic) => (value) => (value === automatic ? null : value);

/** settings: what a value means (null: automatic); text: how it reads. The mix keeps the power. */
const SLIDERS = [
  { id: "octave", name: "Octave", min: -4, max: 3, value: -4, settings: (v) => ({ octave: least(-4)(v) }),
    text: (v) => (v === -4 ? "automatic" : signed(v)) },
  { id: "semitones", name: "Semitones", min: -12, max: 12, value: 0, rest: 0, settings: (v) => ({ semitones: v }), text: signed },
  { id: "loudness", name: "Loudness", min: -24, max: 24, value: 0, rest: 0, settings: (v) => ({ loudness_db: v }), text: decibels },
  { id: "gate", name: "Gate", min: -91, max: -20, value: -91, settings: (v) => ({ gate_db: least(-91)(v) }),
    text: (v) => (v === -91 ? "automatic" : decibels(v)) },
  { id: "tone", name: "Harmonics", min: 0, max: 200, value: 100, settings: (v) => ({ harmonic_gain: v / 100 }), text: percent },
  { id: "breath", name: "Noise: breath, bow", min: 0, max: 200, value: 100, settings: (v) => ({ noise_gain: v / 100 }), text: percent },
  { id: "mix", name: "Dry / wet", min: 0, max: 100, value: 100,
    settings: (v) => ({ wet: Math.sqrt(v / 100), dry: Math.sqrt(1 - v / 100) }), text: percent },
  { id: "volume", name: "Volume", min: 0, max: 100, value: 100, settings: (v) => ({ gain: (v / 100) ** 2 }), text: percent },
];

export class Sliders {
  /** changed(settings): the user moved one, by its id in the second argument. */
  constructor(element, changed) {
    this.changed = changed;
    this.inputs = new Map();
    for (const slider of SLIDERS) element.append(this.build(slider));
  }

  build(slider) {
    const { id, name, min, max, value } = slider;
    const input = make("input", { type: "range", id, min, max, step: 1, value }), shown = make("output", { htmlFor: id });
    input.addEventListener("input", () => {
      this.show(slider, input, shown);
      this.changed(slider.settings(input.valueAsNumber), id);
    });
    this.inputs.set(id, { slider, input, shown });
    this.show(slider, input, shown);
    return make("div", { className: "slider" }, make("label", { htmlFor: id }, name), shown, input);
  }

  show({ min, max, text, rest = min }, input, shown, now = "") {
    const value = input.valueAsNumber;
    shown.textContent = text(value) + now;
    input.setAttribute("aria-valuetext", text(value));
    const share = (place) => `${100 * (place - min) / (max - min)}%`, [from, to] = [rest, value].sort((a, b) => a - b);
    input.style.setProperty("--from", share(from)); // what differs from where it rests is filled
    input.style.setProperty("--to", share(to));
  }

  /** What the automatic ones do now: numbers by id. */
  tell(now) {
    for (const [id, value] of Object.entries(now)) {
      const { slider, input, shown } = this.inputs.get(id);
      if (input.valueAsNumber === slider.min) this.show(slider, input, shown, value);
    }
  }

  /** All settings, by the engine's names. */
  settings() {
    return Object.assign({}, ...[...this.inputs.values()].map(({ slider, input }) => slider.settings(input.valueAsNumber)));
  }

  reset() {
    for (const { slider, input, shown } of this.inputs.values()) {
      input.value = slider.value;
      this.show(slider, input, shown);
    }
    this.changed(this.settings(), "");
  }
}
