/* What Magenta.js asks of a clip: pitch, confidence and loudness. Pitch comes from retimbre's engine, so that no model
   of another host is needed. */

import { Sandbox } from "./engine.js";

export const SAMPLE_RATE = 16_000;
export const HOP = 64; // samples a frame of loudness
export const STEP = 8; // frames a value of pitch: Magenta.js expects those of its own tracker, every 32 ms

const FRAME_RATE = 200, LOOKAHEAD_FRAMES = 96, BLOCK = 16_384; // of the engine
const WINDOW = 1024, REFERENCE_DB = 20.7, FLOOR_DB = -120; // of Magenta's loudness
const VOICED = 0.5, UNSURE = 0.5; // periodicity from which there is a pitch; confidence where there is none

/** A sound file as samples at 16 kHz, mono. */
export async function decode(bytes) {
  const sound = await new OfflineAudioContext(1, 1, SAMPLE_RATE).decodeAudioData(bytes);
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const samples = sound.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) mono[i] += samples[i] / sound.numberOfChannels;
  }
  return mono;
}

/** As Magenta's AudioFeatures, of samples at 16 kHz; null where no pitch is heard. */
export function features(wasm, samples) {
  const found = analyze(wasm, samples), loudness_db = loudness(samples);
  let last = found.find(({ voiced }) => voiced)?.f0_hz;
  if (!last) return null;
  const f0_hz = [], confidences = [];
  for (let step = 0; step < Math.ceil(loudness_db.length / STEP); step++) {
    const at = Math.round((step * STEP * HOP * FRAME_RATE) / SAMPLE_RATE);
    const frame = found[Math.min(at, found.length - 1)];
    if (frame.voiced) last = frame.f0_hz;
    f0_hz.push(last);
    confidences.push(frame.voiced ? 1 : UNSURE);
  }
  // Magenta.js stretches loudness so that the softest frame is silence: one frame of silence keeps the others as they are.
  loudness_db[loudness_db.length - 1] = FLOOR_DB;
  return { f0_hz, confidences, loudness_db, originalRecordedBufferLength: samples.length };
}

/** Frames of the engine's analysis with its look-ahead: { f0_hz, voiced }. */
function analyze(wasm, samples) {
  const engine = new Sandbox(wasm), analyzer = engine.make("analyzer_new", SAMPLE_RATE, 1);
  const input = engine.make("engine_alloc", 4 * BLOCK), rows = (BLOCK * FRAME_RATE) / SAMPLE_RATE + 2;
  const output = engine.make("engine_alloc", 4 * 3 * rows);
  const audio = engine.view(input, BLOCK), controls = engine.view(output, 3 * rows), frames = [];
  const end = samples.length + Math.ceil(((LOOKAHEAD_FRAMES + 1) * SAMPLE_RATE) / FRAME_RATE);
  for (let at = 0; at < end; at += BLOCK) {
    audio.fill(0);
    audio.set(samples.subarray(at, at + BLOCK));
    const count = engine.exports.analyzer_process(analyzer, input, BLOCK, output);
    for (let i = 0; i < count; i++) {
      const [f0_hz, periodicity] = controls.subarray(3 * i, 3 * i + 2);
      frames.push({ f0_hz, voiced: periodicity >= VOICED && f0_hz > 0 });
    }
  }
  return frames;
}

/** Power over 64 ms in dB on Magenta's scale, 250 times a second. */
export function loudness(samples) {
  const frames = Math.ceil(samples.length / HOP), energy = new Float64Array(samples.length + 1);
  for (let i = 0; i < samples.length; i++) energy[i + 1] = energy[i] + samples[i] ** 2;
  const before = Math.max(0, (frames - 1) * HOP + WINDOW - samples.length) >> 1;
  const until = (place) => energy[Math.max(0, Math.min(samples.length, place))];
  return Array.from({ length: frames }, (_, frame) => {
    const first = frame * HOP - before, power = (until(first + WINDOW) - until(first)) / WINDOW;
    return Math.max(FLOOR_DB, 10 * Math.log10(Math.max(power, 1e-40)) - REFERENCE_DB);
  });
}
