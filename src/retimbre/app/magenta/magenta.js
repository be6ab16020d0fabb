/* Magenta.js itself: loaded when it is first needed, from where bundle.json says, only if its bytes are the expected. */

import { HOP, STEP, SAMPLE_RATE } from "./features.js";

/** Magenta's own instruments. */
export const HOSTED = ["violin", "tenor_saxophone", "trumpet", "flute"].map((name) => ({
  name, folder: `https://storage.googleapis.com/magentadata/js/checkpoints/ddsp/${name}`,
}));

let loading = null;

/** The library, `mm`. Rejects where it cannot be fetched, or is not what was expected. */
export function library({ src, integrity }) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src, integrity, crossOrigin: "anonymous" });
    script.onload = () => resolve(window.mm);
    script.onerror = () => {
      loading = null; // the next try may do better
      script.remove();
      reject(new Error("Magenta.js could not be fetched; are you online?"));
    };
    document.head.append(script);
  });
  return loading;
}

/** An instrument in a folder, ready to play. */
export async function open(mm, folder) {
  const instrument = new mm.DDSP(folder);
  try {
    await instrument.initialize();
  } catch (error) {
    throw new Error(`the instrument could not be fetched from ${new URL(folder, location.href).host}`, { cause: error });
  }
  return instrument;
}

/** Samples that the instrument can take at once: Magenta.js cuts pitch to as many values as the graph has frames. */
export const longest = (instrument) => instrument.settings.modelMaxFrameLength * STEP * HOP;

/** Play features (features.js): { samples, sampleRate, seconds of sound, seconds spent }. Magenta.js moves pitch by the
    octaves that bring its mean nearest to the instrument's; octave: as many instead, or null. */
export async function play(instrument, { f0_hz, confidences, ...rest }, octave = null) {
  const began = performance.now(), settings = {};
  if (octave !== null) settings.meanPitch = mean(f0_hz.map((hz) => 69 + 12 * Math.log2(hz / 440))) + 12 * octave;
  const features = { f0_hz: [...f0_hz], confidences: [...confidences], ...rest }; // Magenta.js changes its arrays
  const samples = await instrument.synthesize(features, settings);
  const spent = (performance.now() - began) / 1000;
  const context = new AudioContext(), sampleRate = context.sampleRate; // which is the rate that Magenta.js renders at
  await context.close();
  return { samples, sampleRate, seconds: rest.originalRecordedBufferLength / SAMPLE_RATE, spent };
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
