/* An instrument: a small network and a card, in one .safetensors file (docs/instrument-file.md). The checks are those of
   src/retimbre/instrument.py; what passes is what the engine can run. */

import { FileError, readSafetensors } from "./safetensors.js";

const FORMAT_VERSION = 1, FRAME_RATE = 200;
const RETRY = "train or download it again";

/** Open an ArrayBuffer: { name, description, license, low, high, channels ... pitches, given, keyboard }, where `given`
    is what the engine takes (stream.js) and `keyboard` how keys play it. Throws FileError. */
export function readInstrument(buffer) {
  let metadata, tensors;
  try {
    ({ metadata, tensors } = readSafetensors(buffer));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(`it is not an instrument file, or damaged (${error.message}); ${RETRY}`);
  }
  if (!metadata.has("card")) {
    throw new FileError("it holds weights but no retimbre card; give a file that `retimbre train` wrote");
  }
  const card = readCard(metadata.get("card"));
  const shape = readShape(card);
  const loud = [0.8, 0.96].map((share) => quantile(card.loudness.quantiles, share));
  const weights = shapes(shape).map(([name, size]) => readWeight(tensors.get(name), name, size));
  const given = join([shape.noiseBandHz, loud, shape.scales, ...weights]);
  const { channels, layers, harmonics, bands, pitches } = shape;
  return {
    name: plainName(card.name),
    description: typeof card.description === "string" ? card.description.slice(0, 300) : "",
    license: typeof card.license === "string" ? card.license.slice(0, 60) : "",
    low: card.pitch.low,
    high: card.pitch.high,
    channels, layers, harmonics, bands, pitches, given,
    noiseBandHz: shape.noiseBandHz,
    keyboard: manner(card),
  };
}

/** The card's name, as far as it can be part of a file's name. */
function plainName(name) {
  return [...String(name)].map((c) => (/[\p{L}\p{N} \-_.#]/u.test(c) ? c : "_")).join("").slice(0, 64);
}

function damaged(reason) {
  return new FileError(`it is damaged (${reason}); ${RETRY}`);
}

function readCard(text) {
  let card;
  try {
    card = JSON.parse(text);
  } catch {
    throw damaged("its card cannot be read");
  }
  const version = card?.format_version;
  if (Number.isInteger(version) && version > FORMAT_VERSION) {
    throw new FileError(`it has format version ${version}, this page reads ${FORMAT_VERSION}; use a newer retimbre`);
  }
  if (version !== FORMAT_VERSION) throw damaged("its format version is unknown");
  if (card.name === undefined) throw damaged("its card has no name");
  return card;
}

function readShape(card) {
  const { synthesis, network } = card;
  if (synthesis?.frame_rate !== FRAME_RATE || network?.kind !== "causal convolution") {
    throw damaged("the network is of an unknown kind");
  }
  const { channels, layers, pitches } = network, { harmonics, noise_band_hz: noiseBandHz } = synthesis;
  const ranges = [["pitch", -40, 200], ["loudness", -200, 100]].map((limits) => readRange(card, ...limits));
  const within = (n, low, high) => Number.isInteger(n) && low <= n && n <= high;
  const bands = Array.isArray(noiseBandHz) ? noiseBandHz.length : 0;
  const runs = within(channels, 8, 512) && channels % 8 === 0 && within(layers, 1, 10) && within(harmonics, 1, 512)
    && within(bands, 2, 512) && within(pitches, 2, 512);
  if (!runs) throw damaged("the network's shape is outside what the engine can run");
  const hz = Float32Array.from(noiseBandHz, Number);
  const rising = noiseBandHz.every((band, i) => typeof band === "number" && band >= 0 && band < 1e6
    && (i === 0 || hz[i] > hz[i - 1]));
  if (!rising) throw damaged("the noise bands must rise");
  return { channels, layers, harmonics, bands, pitches, noiseBandHz: hz, scales: ranges.flat() };
}

function readRange(card, key, least, most) {
  const { centre, low, high, quantiles } = card[key] ?? {};
  const ordered = [centre, low, high].every((n) => typeof n === "number")
    && least <= low && low <= centre && centre <= high && high <= most && low < high;
  if (!ordered) throw damaged("the ranges of pitch and loudness must lie in order and within reason");
  if (key === "loudness") {
    const rising = Array.isArray(quantiles) && quantiles.length >= 9
      && quantiles.every((n, i) => Number.isFinite(n) && (i === 0 || n >= quantiles[i - 1]));
    if (!rising) throw damaged("the loudness quantiles must be 9 or more rising numbers");
  }
  return [centre, low, high];
}

/** Names and shapes of the weights, in the order in which the engine takes them. */
function shapes({ channels: width, layers, harmonics, bands, pitches }) {
  const out = harmonics + bands, list = [["input.weight", [2, width]], ["input.bias", [width]]];
  list.push(["input.pitches", [pitches, width]]);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layers.${layer}`;
    list.push([`${name}.taps`, [3, width]], [`${name}.weight`, [width, width]], [`${name}.bias`, [width]]);
  }
  return [...list, ["output.weight", [width, out]], ["output.bias", [out]]];
}

function readWeight(tensor, name, shape) {
  if (!tensor || tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i])) {
    const found = tensor ? `[${tensor.shape.slice(0, 4)}]` : "missing";
    throw damaged(`weight ${name} should be [${shape}], is ${found}`);
  }
  if (tensor.dtype !== "F32") throw damaged(`weight ${name} should be float32, is ${tensor.dtype}`);
  const numbers = new Float32Array(tensor.bytes);
  if (!numbers.every(Number.isFinite)) throw damaged(`weight ${name} holds NaN or infinite numbers`);
  return numbers;
}

/** Of numbers that rise, evenly spaced in probability: linear between two. */
function quantile(numbers, share) {
  const last = numbers.length - 1, place = Math.min(Math.floor(share * last), last - 1);
  const from = place / last, slope = (numbers[place + 1] - numbers[place]) / ((place + 1) / last - from);
  return slope * (share - from) + numbers[place];
}

/** How keys play this instrument: its dynamics, and the articulation on its card. */
function manner(card) {
  const told = card.articulation ?? {}, levels = told.loudness_db;
  const heard = Array.isArray(levels) && levels.length === 3 && levels.every(Number.isFinite);
  const [soft, middle, loud] = heard ? levels : [0.2, 0.65, 0.96].map((share) => quantile(card.loudness.quantiles, share));
  const settings = {
    loudness_soft_db: Math.min(soft, middle - 8), loudness_middle_db: middle, loudness_loud_db: Math.max(loud, middle + 3),
  };
  const limits = { attack_s: [0.01, 0.4], release_s: [0.02, 1], vibrato_hz: [3, 9], vibrato_cents: [0, 100] };
  for (const [name, [low, high]] of Object.entries(limits)) {
    if (Number.isFinite(told[name])) settings[name] = Math.min(Math.max(told[name], low), high);
  }
  return settings;
}

function join(parts) {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
