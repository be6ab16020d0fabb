/* The audio thread: an AudioWorkletProcessor around a Stream.

   processorOptions: { wasm: bytes of engine.wasm, seed, instrument, room, settings, keyboard }, so that a stream begins as
   it shall, even one that is rendered offline before any message could arrive. Messages in: { set }, { keyboard },
   { midi: [status, data1, data2] }, { instrument }, { room: response or null }, { record: true or false }, { end: true }.
   Messages out: { latency } once, { report } about 60 times a second, { recorded: samples }, { failed: why }.
   process() allocates nothing but the messages that it posts. */

import { METER, METERS, Stream } from "./stream.js";

const REPORTS_S = 1 / 60;
const MOST_FRAMES = 64; // in one report
const FRAME_FIELDS = ["input_f0_hz", "f0_hz", "periodicity", "loudness_db"].map((name) => METER[name]);
const INPUT_PEAK = METER.input_peak, OUTPUT_PEAK = METER.output_peak;
const CHUNK = 8192; // recorded samples in one message
const RECOVERY_S = 1; // a stream that fails again sooner than this stays silent

class Worklet extends AudioWorkletProcessor {
  constructor({ processorOptions: options }) {
    super();
    this.options = options;
    this.settings = { ...options.settings };
    this.keyboard = { ...options.keyboard };
    this.instrument = options.instrument ?? null;
    this.room = options.room ?? null;
    this.ended = false;
    this.recording = false;
    this.chunk = new Float32Array(CHUNK);
    this.filled = 0;
    this.silence = new Float32Array(128);
    this.frames = new Float32Array(MOST_FRAMES * FRAME_FIELDS.length);
    this.meters = new Float32Array(METERS.length);
    this.report = { frames: this.frames, count: 0, meters: this.meters, parameters: null, harmonics: 0, load: 0 };
    this.message = { report: this.report };
    this.lastFrame = this.lastReport = this.lastFailure = -1;
    this.spent = this.loadFrom = 0;
    this.clock = globalThis.performance?.now ? globalThis.performance : Date; // many browsers have only Date here
    this.begin();
    this.port.onmessage = ({ data }) => this.hear(data);
  }

  /** A fresh stream with all that was wished for. */
  begin() {
    try {
      this.stream = new Stream(this.options.wasm, sampleRate, { seed: this.options.seed });
      this.stream.set(this.settings);
      this.stream.setKeyboard(this.keyboard);
      this.nextInstrument = this.instrument;
      this.nextRoom = this.room ?? undefined;
      this.change();
      this.lastFrame = -1;
      this.port.postMessage({ latency: this.stream.latency });
    } catch (error) {
      this.stream = null;
      this.port.postMessage({ failed: String(error) });
    }
  }

  hear(message) {
    if (message.set) {
      Object.assign(this.settings, message.set);
      this.stream?.set(message.set);
    }
    if (message.keyboard) {
      Object.assign(this.keyboard, message.keyboard);
      this.stream?.setKeyboard(message.keyboard);
    }
    if (message.midi) this.stream?.midi(...message.midi);
    if (message.instrument) this.instrument = this.nextInstrument = message.instrument;
    if (message.room !== undefined) this.room = this.nextRoom = message.room;
    if (message.record !== undefined) this.record(message.record);
    if (message.end) {
      this.ended = true;
      this.stream = null; // and its memory
    } else if (message.instrument && !this.stream) this.begin(); // the last one broke it
    else this.change();
  }

  /** What waits for a change under way to end is tried again with every block. */
  change() {
    if (!this.stream) return;
    if (this.nextInstrument && this.stream.changeInstrument(this.nextInstrument)) this.nextInstrument = null;
    if (this.nextRoom !== undefined && this.stream.changeRoom(this.nextRoom)) this.nextRoom = undefined;
    if (this.stream.parameters?.length !== this.report.parameters?.length) {
      this.report.parameters = this.stream.parameters ? new Float32Array(this.stream.parameters.length) : null;
    }
    this.report.harmonics = this.stream.harmonics;
  }

  process(inputs, outputs) {
    const output = outputs[0][0], input = inputs[0]?.[0];
    if (!this.stream || !output) return !this.ended; // the output is zeros
    const began = this.clock.now();
    if (this.silence.length !== output.length) this.silence = new Float32Array(output.length);
    try {
      if (this.nextInstrument || this.nextRoom !== undefined) this.change();
      this.stream.process(input ?? this.silence, output);
      if (this.stream.meters[METER.broken_samples] || !sane(output)) throw new RangeError("the instrument's output is not a number");
    } catch (error) {
      output.fill(0);
      this.recover(error);
      return !this.ended;
    }
    if (this.recording) this.keep(output);
    this.watch();
    this.spent += this.clock.now() - began;
    if (currentTime - this.lastReport >= REPORTS_S) this.tell();
    return !this.ended;
  }

  /** Silence rather than noise: begin anew, but not again and again. */
  recover(error) {
    const again = this.lastFailure >= 0 && currentTime - this.lastFailure < RECOVERY_S;
    this.lastFailure = currentTime;
    if (again) {
      this.stream = null;
      this.port.postMessage({ failed: String(error) });
    } else {
      this.begin();
    }
  }

  /** Every frame goes into the report, although the page asks only once in a while. */
  watch() {
    const { meters } = this.stream, { report } = this;
    this.meters[INPUT_PEAK] = Math.max(this.meters[INPUT_PEAK], meters[INPUT_PEAK]);
    this.meters[OUTPUT_PEAK] = Math.max(this.meters[OUTPUT_PEAK], meters[OUTPUT_PEAK]);
    if (meters[METER.frame] === this.lastFrame || report.count === MOST_FRAMES) return;
    this.lastFrame = meters[METER.frame];
    const at = report.count++ * FRAME_FIELDS.length;
    for (let i = 0; i < FRAME_FIELDS.length; i++) this.frames[at + i] = meters[FRAME_FIELDS[i]];
  }

  tell() {
    const { meters, parameters } = this.stream, { report } = this;
    const inputPeak = this.meters[INPUT_PEAK], outputPeak = this.meters[OUTPUT_PEAK];
    this.meters.set(meters);
    this.meters[INPUT_PEAK] = inputPeak; // the highest since the last report
    this.meters[OUTPUT_PEAK] = outputPeak;
    if (parameters && report.parameters) report.parameters.set(parameters);
    if (currentTime - this.loadFrom >= 1) { // a clock of whole milliseconds is right on average
      report.load += 0.4 * (this.spent / 1000 / (currentTime - this.loadFrom) - report.load);
      this.loadFrom = currentTime;
      this.spent = 0;
    }
    this.port.postMessage(this.message);
    this.lastReport = currentTime;
    report.count = 0;
    this.meters[INPUT_PEAK] = this.meters[OUTPUT_PEAK] = 0;
  }

  record(on) {
    if (this.recording && !on) {
      this.port.postMessage({ recorded: this.chunk.slice(0, this.filled), last: true });
    }
    this.recording = on;
    this.filled = 0;
  }

  keep(output) {
    for (let i = 0; i < output.length; i++) {
      this.chunk[this.filled++] = output[i];
      if (this.filled === CHUNK) {
        this.port.postMessage({ recorded: this.chunk });
        this.filled = 0;
      }
    }
  }
}

function sane(samples) {
  for (let i = 0; i < samples.length; i++) if (!(Math.abs(samples[i]) <= 1)) return false;
  return true;
}

registerProcessor("retimbre", Worklet);
