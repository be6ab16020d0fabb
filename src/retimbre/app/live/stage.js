/* What is heard and played, while it sounds: pictures, meters, the note, delay and load. */

import { $ } from "./dom.js";
import { Level } from "./levels.js";
import { centsText, midiOf, noteName } from "./notes.js";
import { PitchView } from "./pitchview.js";
import { SpectrumView } from "./spectrumview.js";
import { METER } from "./stream.js";

const PRIVATE = "Your sound stays on this device: nothing is sent anywhere.";
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value)}`;

export class Stage {
  constructor(session, player, sliders) {
    Object.assign(this, { session, player, sliders, newest: null, second: -1 });
    this.pitch = new PitchView($("pitch"));
    this.spectrum = new SpectrumView($("spectrum"));
    this.input = new Level($("in-meter"), $("in-level"));
    this.output = new Level($("out-meter"), $("out-level"));
    this.frame = () => this.draw();
    for (const { surface } of [this.pitch, this.spectrum]) surface.refitted = () => requestAnimationFrame(this.frame);
  }

  /** Another instrument plays. */
  layout(instrument) {
    this.spectrum.layout(instrument.harmonics, instrument.noiseBandHz);
    if (!this.session.running) this.pitch.look(Math.min(Math.max(60, instrument.low + 12), instrument.high - 12));
    this.refresh();
  }

  /** A report of the worklet. */
  hear(report) {
    this.newest = report;
    this.pitch.add(report.frames, report.count);
  }

  /** Show that it runs, or no longer does. */
  refresh() {
    const { running } = this.session;
    $("page").classList.toggle("running", running);
    if (!running) {
      this.newest = null;
      this.input.clear();
      this.output.clear();
      this.spectrum.clear();
      $("load").textContent = "";
    }
    this.tellDelay();
    requestAnimationFrame(this.frame);
  }

  draw() {
    const { running } = this.session;
    if (running && this.newest) this.show(this.newest);
    this.pitch.draw();
    this.spectrum.draw();
    cancelAnimationFrame(this.waiting);
    if (running) this.waiting = requestAnimationFrame(this.frame);
  }

  show({ meters, parameters, load }) {
    const { settings } = this.session.wishes, time = this.player.context.currentTime;
    this.input.set(meters[METER.input_peak], time);
    this.output.set(meters[METER.output_peak], time);
    if (parameters) this.spectrum.set(parameters, settings.harmonic_gain, settings.noise_gain);
    const midi = this.pitch.last, sounds = !Number.isNaN(midi);
    $("note").textContent = sounds ? noteName(midi) : "–";
    $("cents").textContent = sounds ? centsText(midi) : "";
    if (Math.floor(time) !== this.second) {
      this.second = Math.floor(time);
      this.tellDelay();
      this.tellAutomatic(meters);
      $("load").textContent = `Work: ${(100 * load).toFixed(0)} % of the time there is.`;
    }
    this.newest = null;
  }

  /** What the automatic sliders have chosen; keys need no choice. */
  tellAutomatic(meters) {
    const keys = this.session.input === "keyboard", gate = Math.round(meters[METER.gate_db]);
    this.sliders.tell({ octave: keys ? "" : `: ${signed(meters[METER.octave])}`, gate: keys ? "" : `: ${signed(gate)} dB` });
  }

  tellDelay() {
    if (!this.session.running) {
      $("latency").textContent = PRIVATE;
      return;
    }
    const { engine, block, output, total } = this.player.latency(), ms = (value) => value.toFixed(0);
    $("latency").textContent = `Delay ${ms(total)} ms: engine ${ms(engine)}, block ${ms(block)}, output ${ms(output)} (as the browser `
      + "says); the microphone's own comes on top.";
  }
}
