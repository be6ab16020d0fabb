/* The sound that is played, as a 24-bit WAV file. */

const FLUSH = 64; // chunks that are put together, so that a long take lies on the disk and not in memory

export class Take {
  constructor(sampleRate) {
    this.sampleRate = sampleRate;
    this.samples = 0;
    this.whole = new Blob([]);
    this.parts = [];
  }

  get seconds() {
    return this.samples / this.sampleRate;
  }

  /** Append samples, -1 to 1. */
  add(samples) {
    this.parts.push(codes(samples));
    this.samples += samples.length;
    if (this.parts.length >= FLUSH) {
      this.whole = new Blob([this.whole, ...this.parts]);
      this.parts = [];
    }
  }

  /** The file. */
  wav() {
    return new Blob([header(this.samples, this.sampleRate), this.whole, ...this.parts], { type: "audio/wav" });
  }
}

/** The nearest 24-bit codes, little endian; as there is no code for 1, the largest stands for it. */
function codes(samples) {
  const bytes = new Uint8Array(3 * samples.length);
  for (let i = 0; i < samples.length; i++) {
    const code = Math.max(-8388608, Math.min(8388607, Math.round(samples[i] * 8388608)));
    bytes[3 * i] = code;
    bytes[3 * i + 1] = code >> 8;
    bytes[3 * i + 2] = code >> 16;
  }
  return bytes;
}

function header(samples, sampleRate) {
  const size = 3 * samples, view = new DataView(new ArrayBuffer(44));
  const text = (at, name) => [...name].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channel
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 3 * sampleRate, true);
  view.setUint16(32, 3, true);
  view.setUint16(34, 24, true);
  text(36, "data");
  view.setUint32(40, size, true);
  return view.buffer;
}
