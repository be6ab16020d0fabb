/* A room: the impulse response in a .wav file or of the numbers in a room.json, at the sample rate of the stream. */

import { powerSpectrum } from "./fft.js";
import { readModel } from "./modelled.js";
import { FileError } from "./safetensors.js";

const MAX_BYTES = 64 << 20, MAX_S = 10, LONGEST_S = 30; // what is longer than that is a recording
const START = 0.1; // the response starts where it first comes within 20 dB of its maximum (ISO 3382-1)
const LEAD_S = 0.001; // that is kept before it
const OCTAVES_HZ = [125, 250, 500, 1000, 2000, 4000];

/** Read a response: { at(sampleRate) } gives its taps. own: a user's, whose direct sound is brought to the beginning, and
    whose gain to 1. Throws FileError. */
export async function readRoom(buffer, { own = false } = {}) {
  if (new Uint8Array(buffer)[0] === 0x7b) return readModel(buffer); // {
  const fileRate = wavRate(buffer);
  const { duration } = await decode(buffer, 48_000);
  if (duration > LONGEST_S) throw new FileError(`it lasts ${Math.round(duration)} s: too long for an impulse response`);
  return {
    async at(sampleRate) {
      const audio = await decode(buffer, sampleRate), taps = audio.getChannelData(0);
      // Fewer samples a second must add up to the same gain (docs/definitions.md, Room).
      for (let i = 0; i < taps.length; i++) taps[i] *= fileRate / sampleRate;
      return (own ? placed(taps, sampleRate) : taps).subarray(0, MAX_S * sampleRate);
    },
  };
}

async function decode(buffer, sampleRate) {
  if (buffer.byteLength > MAX_BYTES) throw new FileError("it is larger than 64 MB, so it is hardly an impulse response");
  try {
    return await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(buffer.slice(0));
  } catch {
    throw new FileError("it cannot be read as sound; export it as a WAV file again");
  }
}

function wavRate(buffer) {
  const view = new DataView(buffer), name = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 44 || name(0) !== "RIFF" || name(8) !== "WAVE") throw new FileError("it is not a WAV file");
  for (let at = 12; at + 16 <= buffer.byteLength; at += 8 + view.getUint32(at + 4, true)) {
    if (name(at) === "fmt ") return view.getUint32(at + 12, true);
  }
  throw new FileError("it is not a whole WAV file");
}

/** A measured response from its direct sound on, as loud as the dry sound in equal octaves (rooms/measured.py). */
function placed(taps, sampleRate) {
  let peak = 0;
  for (const tap of taps) peak = Math.max(peak, Math.abs(tap));
  if (!(peak > 0 && peak < Infinity)) throw new FileError("it is silent; choose another file");
  const start = taps.findIndex((tap) => Math.abs(tap) >= START * peak);
  const rest = taps.slice(Math.max(0, start - Math.round(LEAD_S * sampleRate)));
  const power = powerSpectrum(rest), bin = (hz) => Math.round(hz * 2 * (power.length - 1) / sampleRate);
  const octaves = OCTAVES_HZ.map((hz) => mean(power.subarray(bin(hz * Math.SQRT1_2) + 1, bin(hz * Math.SQRT2) + 1)));
  const gain = 1 / Math.sqrt(mean(octaves));
  return rest.map((tap) => gain * tap);
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
