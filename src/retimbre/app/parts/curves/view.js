/* The picture: two panels over one time axis, as much of the clip as is zoomed into. */

import { FRAME_RATE } from "./layer.js";

const NAMES = ["C", "C\u266f", "D", "E\u266d", "E", "F", "F\u266f", "G", "A\u266d", "A", "B\u266d", "B"];
const BLACK = [1, 3, 6, 8, 10];
const MARGIN_SEMITONES = 5, LEAST_SEMITONES = 20;
const LOUDEST_DB = 0, SOFTEST_DB = -80;
const STEPS_S = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];

export const noteName = (midi) => `${NAMES[((midi % 12) + 12) % 12]}${Math.floor(midi / 12) - 1}`;

/** What is seen of the time: in frames. */
export class Window {
  constructor() {
    this.length = this.first = this.span = 1;
  }

  /** Show a clip of so many frames; a clip of the same length stays as it was zoomed. */
  fit(length) {
    if (length !== this.length) [this.first, this.span] = [0, Math.max(1, length - 1)];
    this.length = length;
  }

  /** Magnify around a frame. */
  zoom(factor, around) {
    const whole = Math.max(1, this.length - 1), span = Math.min(whole, Math.max(Math.min(40, whole), this.span / factor));
    this.first = around - ((around - this.first) * span) / this.span;
    this.span = span;
    this.scroll(0);
  }

  scroll(frames) {
    this.first = Math.max(0, Math.min(this.length - 1 - this.span, this.first + frames));
  }

  /** Bring a frame into sight. */
  reveal(frame) {
    if (frame < this.first) this.scroll(frame - this.first - 0.1 * this.span);
    else if (frame > this.first + this.span) this.scroll(frame - this.first - 0.9 * this.span);
  }

  get whole() {
    return this.span >= this.length - 1;
  }
}

/** One panel: a canvas with a curve. */
export class Panel {
  constructor(canvas, layer, window) {
    Object.assign(this, { canvas, layer, window, low: 0, high: 1 });
    this.pen = canvas.getContext("2d");
    this.range();
  }

  /** The values that are shown: all that is played, and some room to draw in. */
  range() {
    if (!this.layer.pitched) {
      [this.low, this.high] = [SOFTEST_DB, LOUDEST_DB];
      return;
    }
    const played = [];
    for (let frame = 0; frame < this.layer.length; frame++) {
      const value = this.layer.at(frame);
      if (!Number.isNaN(value)) played.push(value);
    }
    const low = played.length ? played.reduce((a, b) => Math.min(a, b)) : 57;
    const high = played.length ? played.reduce((a, b) => Math.max(a, b)) : 69;
    const wider = Math.max(MARGIN_SEMITONES, (LEAST_SEMITONES - (high - low)) / 2);
    [this.low, this.high] = [Math.floor(low - wider), Math.ceil(high + wider)];
  }

  get width() {
    return this.canvas.clientWidth;
  }

  get height() {
    return this.canvas.clientHeight;
  }

  x(frame) {
    return ((frame - this.window.first) / this.window.span) * this.width;
  }

  y(value) {
    return ((this.high - value) / (this.high - this.low)) * this.height;
  }

  frame(x) {
    return Math.round(this.window.first + (x / this.width) * this.window.span);
  }

  value(y) {
    return this.high - (y / this.height) * (this.high - this.low);
  }

  /** Draw it all. `marks`: {cursor, selection, active, playing}. */
  draw(colours, marks) {
    const { canvas, pen } = this, scale = devicePixelRatio || 1;
    const [width, height] = [this.width, this.height].map((size) => Math.round(size * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.#grid(colours);
    if (marks.selection) this.#stretch(marks.selection, colours.selection, 0, this.height);
    this.#drawn(colours);
    pen.globalAlpha = 0.5; // seen on both sides of the other, where they are one
    this.#curve((frame) => this.layer.heard[frame] ?? NaN, colours.heard, 5);
    pen.globalAlpha = 1;
    this.#curve((frame) => this.layer.at(frame), colours.played, 2);
    if (marks.active) this.#upright(marks.cursor, colours.ink, [4, 3]);
    if (marks.playing !== null) this.#upright(marks.playing, colours.ink, []);
  }

  #grid(colours) {
    const { pen } = this;
    if (this.layer.pitched) {
      const row = Math.abs(this.y(0) - this.y(1));
      pen.fillStyle = colours.grid;
      for (let key = Math.ceil(this.low); key <= this.high; key++) {
        if (BLACK.includes(((key % 12) + 12) % 12)) pen.fillRect(0, this.y(key + 0.5), this.width, row);
        if (key % 12 === 0) pen.fillRect(0, this.y(key) - 0.5, this.width, 1);
      }
    } else {
      pen.fillStyle = colours.grid;
      for (let db = -60; db < 0; db += 20) pen.fillRect(0, this.y(db), this.width, 1);
    }
    for (const [frame] of this.times()) {
      pen.fillStyle = colours.grid;
      pen.fillRect(Math.round(this.x(frame)), 0, 1, this.height);
    }
  }

  #stretch([first, last], colour, top, height) {
    this.pen.fillStyle = colour;
    this.pen.fillRect(this.x(first - 0.5), top, Math.max(2, this.x(last + 0.5) - this.x(first - 0.5)), height);
  }

  #drawn(colours) {
    const { first, span } = this.window, last = Math.min(this.layer.length - 1, Math.ceil(first + span));
    for (let frame = Math.max(0, Math.floor(first)), from = -1; frame <= last + 1; frame++) {
      const drawn = frame <= last && this.layer.isDrawn(frame);
      if (drawn && from < 0) from = frame;
      if (!drawn && from >= 0) {
        this.#stretch([from, frame - 1], colours.played, this.height - 4, 4);
        from = -1;
      }
    }
  }

  #curve(value, colour, width) {
    const { pen } = this, { first, span } = this.window;
    const step = Math.max(1, Math.floor(span / (2 * Math.max(1, this.width))));
    const last = Math.min(this.layer.length - 1, Math.ceil(first + span));
    Object.assign(pen, { strokeStyle: colour, lineWidth: width, lineJoin: "round", lineCap: "round" });
    pen.beginPath();
    let before = NaN;
    for (let frame = Math.max(0, Math.floor(first)); frame <= last; frame += step) {
      const now = value(frame), y = this.y(this.layer.pitched ? now : Math.max(now, SOFTEST_DB));
      if (!Number.isNaN(now)) {
        if (Number.isNaN(before)) pen.moveTo(this.x(frame) - 0.01, y);
        pen.lineTo(this.x(frame), y);
      }
      before = now;
    }
    pen.stroke();
  }

  #upright(frame, colour, dash) {
    const { pen } = this, x = this.x(frame);
    Object.assign(pen, { strokeStyle: colour, lineWidth: 1.25 });
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x, this.height);
    pen.stroke();
    pen.setLineDash([]);
  }

  /** [height, text] of the labels of the values. */
  ticks() {
    if (!this.layer.pitched) return [-60, -40, -20].map((db) => [this.y(db), `\u2212${-db} dB`]);
    const keys = Array.from({ length: this.high - this.low + 1 }, (_, place) => this.low + place);
    const room = 15 / Math.abs(this.y(0) - this.y(1)); // semitones that a label is high
    const named = room <= 2 ? [0, 2, 4, 7, 9] : room <= 3 ? [0, 4, 7] : room <= 6 ? [0, 6] : [0];
    const chosen = keys.filter((key) => named.includes(((key % 12) + 12) % 12) && key > this.low && key < this.high);
    return chosen.map((key) => [this.y(key), noteName(key)]);
  }

  /** [frame, text] of the labels of the time. */
  times() {
    const seconds = this.window.span / FRAME_RATE, fits = Math.max(2, this.width / 90);
    const step = STEPS_S.find((step) => seconds / step <= fits) ?? 300;
    const found = [];
    for (let time = Math.ceil(this.window.first / FRAME_RATE / step) * step; time * FRAME_RATE <= this.window.first + this.window.span; time += step)
      found.push([time * FRAME_RATE, step < 1 ? `${time.toFixed(step < 0.1 ? 2 : 1)} s` : time < 60 ? `${time} s` : `${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`]);
    return found;
  }
}
