/* One curve over time: what was heard, what is played, and what was drawn. Pitch is in semitones, loudness in dB. */

export const FRAME_RATE = 200;
export const SILENT_DB = -90;

const UNDRAWN = NaN, NOTHING = -Infinity; // values of `drawn`

/** Read 16-bit numbers from base64. */
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
}

const curve = (text, pitched) => Float32Array.from(unpacked(text), (value) => (pitched && value < 0 ? NaN : value / 100));

export class Layer {
  /** @param {boolean} pitched whether it is the pitch, where a frame may have none */
  constructor(pitched) {
    this.pitched = pitched;
    this.heard = this.base = this.drawn = new Float32Array(0);
    this.offset = 0;
  }

  /** New curves below what was drawn; `offset` is where they lie now, and what was drawn moves along. */
  lay(heard, base, offset) {
    this.heard = curve(heard, this.pitched);
    this.base = curve(base, this.pitched);
    this.offset = offset;
    if (this.drawn.length !== this.base.length) this.clear();
  }

  get length() {
    return this.base.length;
  }

  clear() {
    this.drawn = new Float32Array(this.base.length).fill(UNDRAWN);
  }

  /** What is played at a frame; NaN where there is no pitch. */
  at(frame) {
    const value = this.drawn[frame];
    if (Number.isNaN(value)) return this.base[frame];
    return value === NOTHING ? NaN : value + this.offset;
  }

  /** Draw a value; NaN takes the pitch away. */
  put(frame, value) {
    if (Number.isNaN(value)) this.drawn[frame] = this.pitched ? NOTHING : SILENT_DB - this.offset;
    else this.drawn[frame] = value - this.offset;
  }

  restore(frame) {
    this.drawn[frame] = UNDRAWN;
  }

  isDrawn(frame) {
    return !Number.isNaN(this.drawn[frame]);
  }

  /** As `retimbre.app.edits` reads it: [first frame, [hundredths, null where there is no pitch]] of each stretch. */
  runs() {
    const found = [];
    for (let frame = 0; frame < this.length; frame++) {
      if (!this.isDrawn(frame)) continue;
      const value = this.drawn[frame], written = value === NOTHING ? null : Math.round(100 * value);
      if (frame && this.isDrawn(frame - 1)) found.at(-1)[1].push(written);
      else found.push([frame, [written]]);
    }
    return found;
  }

  /** Draw what `runs` gave. */
  load(runs) {
    this.clear();
    for (const [first, values] of runs)
      values.forEach((value, place) => (this.drawn[first + place] = value === null ? NOTHING : value / 100));
  }
}
