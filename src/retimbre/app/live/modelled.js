/* A room from its numbers: the twin of Room.to_rir (docs/definitions.md, Room). */

import { engineBytes, Sandbox } from "./engine.js";
import { transform } from "./fft.js";
import { FileError } from "./safetensors.js";

const RATE = 48_000; // at which the noise of a room is drawn
const LOBES = 64; // of the resampler to other rates
const CLICK_S = 0.2; // of the spectrum that a coloured click is made with
const MAX_BYTES = 1_000_000; // a room is a few kB

/** Read a room.json: { name, at(sampleRate) } whose at() gives its taps. Throws FileError. */
export function readModel(buffer) {
  if (buffer.byteLength > MAX_BYTES) throw new FileError("it is too large for a room");
  let room;
  try {
    room = checked(JSON.parse(new TextDecoder().decode(buffer)));
  } catch (error) {
    throw new FileError(`it is no room (${error.message}); write one with: retimbre room save`);
  }
  return { name: room.name || undefined, at: async (sampleRate) => render(room, sampleRate, await engineBytes()) };
}

/** The numbers of a room; throws Error where no room has such numbers. */
function checked(data) {
  const numbers = (key, low, high) => {
    const found = data[key] ?? [];
    if (!Array.isArray(found) || !found.every((x) => typeof x === "number" && x >= low && x <= high)) {
      throw new Error(`${key} must be numbers from ${low} to ${high}`);
    }
    return found;
  };
  const number = (key, low, high, missing) => {
    const found = data[key] ?? missing;
    if (!(typeof found === "number" && found >= low && found <= high)) throw new Error(`${key} must lie between ${low} and ${high}`);
    return found;
  };
  if (typeof data !== "object" || data === null) throw new Error("it holds no names and numbers");
  const bands = numbers("band_hz", 1e-9, 96_000);
  if (!bands.length || bands.length > 64 || bands.some((hz, b) => b && hz <= bands[b - 1])) {
    throw new Error("band_hz must hold 1 to 64 numbers that rise");
  }
  const length = number("length_s", 0.01, 10);
  const room = {
    name: String(data.name ?? "").slice(0, 64), bands, length,
    seed: number("seed", 0, 2 ** 31 - 1),
    predelay: number("predelay_s", 0, Math.min(1, length - 0.005), 0),
    gain_db: number("gain_db", -60, 30, 0),
    colour_db: numbers("colour_db", -80, 80),
    parts: [["decay_s", "level_db"], ["second_decay_s", "second_level_db"]].map(([decay, level]) =>
      [numbers(decay, 0.01, 30), numbers(level, -120, 30)]).filter(([decays, levels], i) => !i || decays.length || levels.length),
  };
  const each = [...room.parts.flat(), ...(room.colour_db.length ? [room.colour_db] : [])];
  if (each.some((values) => values.length !== bands.length)) throw new Error("it needs a number for each band");
  return room;
}

function render(room, sampleRate, wasm) {
  const engine = new Sandbox(wasm), taps = toRate(engine, answer(room, engine), sampleRate);
  const gain = 10 ** (room.gain_db / 20);
  const click = room.colour_db.length ? colouredClick(room, sampleRate) : [1];
  for (let i = 0; i < Math.min(click.length, taps.length); i++) taps[i] += Math.fround(gain * click[i]);
  return taps;
}

/** What the room answers to a click, at RATE. */
function answer(room, engine) {
  const taps = new Float64Array(Math.round(room.length * RATE)), gap = 1 + Math.round(room.predelay * RATE);
  const n = taps.length - gap, size = 2 ** Math.ceil(Math.log2(n)), pointer = engine.make("engine_alloc", 4 * size);
  engine.exports.noise_fill(room.seed, 0, 1, size, pointer);
  const noise = new Float64Array(engine.view(pointer, size)), quiet = new Float64Array(size);
  transform(noise, quiet);
  // Two bands at once: one is the real part of what comes back, the other the imaginary part.
  for (let band = 0; band < room.bands.length; band += 2) {
    const re = new Float64Array(size), im = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      const hz = Math.min(k, size - k) * RATE / size, a = weight(room.bands, band, hz), b = weight(room.bands, band + 1, hz);
      re[k] = a * noise[k] - b * quiet[k];
      im[k] = a * quiet[k] + b * noise[k];
    }
    transform(re, im, 1);
    decay(room, band, re, taps.subarray(gap));
    if (band + 1 < room.bands.length) decay(room, band + 1, im, taps.subarray(gap));
  }
  return Float32Array.from(taps);
}

/** Adds a band of noise (times its length) that dies away as the room's does. */
function decay(room, band, noise, taps) {
  const gain = 10 ** ((room.gain_db + (room.colour_db[band] ?? 0)) / 20) / noise.length;
  const parts = room.parts.map(([decays, levels]) => {
    const rate = 6 * Math.LN10 / (decays[band] * RATE); // an exponential that falls 60 dB in T has the energy T RATE / (6 ln 10)
    return [10 ** (levels[band] / 10) * rate, rate];
  });
  for (let i = 0; i < taps.length; i++) {
    let power = 0;
    for (const [start, rate] of parts) power += start * Math.exp(-rate * (i + 1));
    taps[i] += gain * Math.sqrt(power) * noise[i];
  }
}

/** Of a band at a frequency: triangles over octaves that add up to 1, the first and the last held. */
function weight(bands, band, hz) {
  if (band >= bands.length) return 0;
  const octave = Math.log2(Math.max(hz, 0.5 * bands[0])), at = Math.log2(bands[band]);
  const toward = (other) => {
    if (other < 0 || other >= bands.length) return 1;
    const there = Math.log2(bands[other]);
    return Math.min(1, Math.max(0, (octave - there) / (at - there)));
  };
  return octave < at ? toward(band - 1) : octave > at ? toward(band + 1) : 1;
}

/** A click with the colour of the room, as soon after its beginning as can be (minimum phase, by its cepstrum). */
function colouredClick(room, sampleRate) {
  const n = 2 ** Math.ceil(Math.log2(CLICK_S * sampleRate)), re = new Float64Array(n), im = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const hz = Math.min(k, n - k) * sampleRate / n;
    let gain = 0;
    room.colour_db.forEach((db, band) => (gain += 10 ** (db / 20) * weight(room.bands, band, hz)));
    re[k] = Math.log(gain);
  }
  transform(re, im, 1);
  for (let i = 0; i < n; i++) {
    re[i] *= (i === 0 || i === n / 2 ? 1 : i < n / 2 ? 2 : 0) / n;
    im[i] = 0;
  }
  transform(re, im);
  for (let k = 0; k < n; k++) {
    const size = Math.exp(re[k]), angle = im[k];
    re[k] = size * Math.cos(angle);
    im[k] = size * Math.sin(angle);
  }
  transform(re, im, 1);
  return re.subarray(0, n / 2).map((x) => x / n);
}

/** At another rate; fewer samples a second must add up to the same gain. */
function toRate(engine, taps, sampleRate) {
  if (sampleRate === RATE) return taps;
  const wanted = Math.ceil(taps.length * sampleRate / RATE), reach = Math.ceil(LOBES * Math.max(1, RATE / sampleRate)) + 2;
  const resampler = engine.make("resampler_new", RATE, sampleRate, LOBES), n = taps.length + reach + 8;
  const from = engine.make("engine_alloc", 4 * n), to = engine.make("engine_alloc", 4 * (Math.ceil(n * sampleRate / RATE) + 8));
  engine.view(from, taps.length).set(taps);
  engine.exports.resampler_process(resampler, from, n, to);
  return engine.view(to, wanted).map((x) => x * Math.fround(RATE / sampleRate));
}
