/* Playing as it sounds: blocks of audio in, the instrument's sound out a few milliseconds later.

   The same host as src/retimbre/live/stream.py, with the same names: the same blocks give the same samples. It runs in
   the worklet, so what is called for every block allocates nothing. */

import { Sandbox } from "./engine.js";

/** In the order of the engine (live_settings in engine.h). */
export const SETTINGS = [
  "keys", "octave", "semitones", "fit", "loudness_db", "gate_db", "harmonic_gain", "noise_gain", "wet", "dry", "gain",
];

/** In the order of the engine (live_meters in engine.h). */
export const METERS = [
  "input_peak", "input_loudness_db", "input_f0_hz", "input_periodicity", "f0_hz", "periodicity", "loudness_db",
  "output_peak", "octave", "fit_db", "gate_db", "floor_db", "gate_open", "limiter_gain", "frame", "bad_samples",
  "broken_samples",
];

/** Place of a meter, by name. */
export const METER = Object.fromEntries(METERS.map((name, place) => [name, place]));

/** In the order of the engine (keyboard_settings in engine.h). */
export const KEYBOARD_SETTINGS = [
  "loudness_soft_db", "loudness_middle_db", "loudness_loud_db", "attack_s", "release_s", "glide_s", "vibrato_hz",
  "vibrato_cents", "vibrato_delay_s", "modulation_cents", "bend_semitones", "mpe", "irregularity", "seed",
];

const FADE_S = 0.1; // in which rooms cross-fade
const BLOCK = 1024; // samples that move in one call

export class Stream {
  /** Silent until an instrument comes. maxRoomS: of the responses of rooms; what is longer is cut.
      Throws RangeError for a sample rate outside 16 to 192 kHz. */
  constructor(wasm, sampleRate, { seed = 0, maxRoomS = 10 } = {}) {
    if (!(sampleRate >= 16_000 && sampleRate <= 192_000)) {
      throw new RangeError(`sample rate ${sampleRate} Hz is outside 16000 to 192000 Hz`);
    }
    this.sampleRate = sampleRate;
    this.engine = new Sandbox(wasm);
    this.maxTaps = Math.max(1, Math.round(maxRoomS * sampleRate));
    this.live = this.engine.make("live_new", sampleRate, seed, this.maxTaps);
    this.io = this.engine.make("engine_alloc", 4 * BLOCK);
    const { live_room, live_keyboard, live_latency, live_process } = this.engine.exports;
    this.room = live_room(this.live);
    this.keyboard = live_keyboard(this.live);
    this.latency = live_latency(this.live);
    this.run = live_process;
    this.harmonics = this.bands = 0;
    this.look();
  }

  /** Look at the engine's memory, which may have moved when an instrument was made. */
  look() {
    const { engine, live } = this, of = engine.exports;
    this.audio = engine.view(this.io, BLOCK);
    this.settings = engine.view(of.live_settings(live), SETTINGS.length);
    this.meters = engine.view(of.live_meters(live), METERS.length);
    this.taps = engine.view(of.convolver_response(this.room), this.maxTaps);
    this.keyboardSettings = engine.view(of.keyboard_settings(this.keyboard), KEYBOARD_SETTINGS.length);
    const parameters = of.live_parameters(live);
    this.parameters = parameters ? engine.view(parameters, 1 + this.harmonics + this.bands) : null;
  }

  /** The next block in, as many samples out; what is not a number counts as silence. At most 1024 at a time. */
  process(input, output) {
    const n = output.length;
    this.audio.set(input);
    this.run(this.live, this.io, n, this.io);
    for (let i = 0; i < n; i++) output[i] = this.audio[i];
  }

  /** Change settings from the next frame on; null is automatic. Throws RangeError for an unknown name. */
  set(settings) {
    write(this.settings, SETTINGS, settings);
  }

  /** How the player of the keyboard plays. */
  setKeyboard(settings) {
    write(this.keyboardSettings, KEYBOARD_SETTINGS, settings);
  }

  /** A channel message for the keyboard, which holds from the next frame on. */
  midi(status, data1 = 0, data2 = 0) {
    this.engine.exports.keyboard_event(this.keyboard, status, data1, data2);
  }

  /** Cross-fade to an instrument (instrument.js); false while the last change is still under way (60 ms). */
  changeInstrument({ channels, layers, harmonics, bands, pitches, given }) {
    const { live_instrument, live_change } = this.engine.exports;
    const pointer = live_instrument(this.live, channels, layers, harmonics, bands, pitches);
    if (!pointer) return false;
    this.engine.view(pointer, given.length).set(given);
    live_change(this.live);
    Object.assign(this, { harmonics, bands });
    this.look();
    return true;
  }

  /** Cross-fade to a room, an impulse response, or none (null); false while the last change is under way. */
  changeRoom(response) {
    const { convolver_busy, convolver_change } = this.engine.exports;
    if (convolver_busy(this.room)) return false;
    const count = response ? Math.min(response.length, this.maxTaps) : 1;
    if (response) this.taps.set(response.subarray(0, count));
    else this.taps[0] = 1;
    const fade = this.meters[METER.frame] > 1 ? Math.round(FADE_S * this.sampleRate) : 0;
    return Boolean(convolver_change(this.room, count, fade));
  }
}

function write(numbers, names, settings) {
  for (const [name, value] of Object.entries(settings)) {
    const place = names.indexOf(name);
    if (place < 0) throw new RangeError(`there is no setting ${name}; there are ${names.join(", ")}`);
    numbers[place] = value ?? NaN;
  }
}
