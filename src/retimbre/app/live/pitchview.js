/* Pitch over the last seconds: a ribbon for what is played, as thick as it is loud, and a thread for what was heard.

   Where motion is unwelcome, time does not scroll: a cursor sweeps over a picture that stands still. */

import { Surface } from "./canvas.js";
import { isBlack, midiOf, noteName } from "./notes.js";

const SECONDS = 8, FRAME_RATE = 200, COUNT = SECONDS * FRAME_RATE, STEP = 2; // frames to a point that is drawn
const SPAN = 26; // semitones from bottom to top
const LEFT = 34, RIGHT = 26; // room for the names of notes, and for what sounds now
const QUIET_DB = -75, LOUD_DB = -10;

export class PitchView {
  constructor(canvas) {
    this.surface = new Surface(canvas);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.played = new Float32Array(COUNT).fill(NaN); // MIDI, NaN where silent
    this.heard = new Float32Array(COUNT).fill(NaN);
    this.width = new Float32Array(COUNT);
    this.next = 0; // frame
    this.centre = 60;
    this.last = NaN;
  }

  /** Frames of the worklet's report: rows of input_f0_hz, f0_hz, periodicity, loudness_db. */
  add(frames, count) {
    for (let i = 0; i < count; i++, this.next++) {
      const [heard, f0_hz, periodicity, loudness_db] = frames.subarray(4 * i, 4 * i + 4);
      const place = this.next % COUNT, sounds = periodicity >= 0.5 && loudness_db > QUIET_DB && f0_hz > 0;
      this.played[place] = sounds ? midiOf(f0_hz) : NaN;
      this.heard[place] = sounds && heard > 0 ? midiOf(heard) : NaN;
      this.width[place] = 2 + 7 * Math.min(Math.max((loudness_db - QUIET_DB) / (LOUD_DB - QUIET_DB), 0), 1) ** 2;
      this.last = this.played[place];
    }
  }

  /** Look where an instrument plays. */
  look(midi) {
    this.centre = midi;
    this.surface.changed = true;
  }

  clear() {
    this.played.fill(NaN);
    this.heard.fill(NaN);
    this.last = NaN;
  }

  draw() {
    const { surface, last } = this, room = SPAN / 2 - 4;
    if (last > this.centre + room) this.centre += 0.15 * (last - this.centre - room);
    else if (last < this.centre - room) this.centre += 0.15 * (last - this.centre + room);
    surface.clear();
    this.drawNotes();
    this.drawThread();
    this.drawRibbon();
    if (this.still.matches) this.drawCursor();
  }

  y(midi) {
    return this.surface.height * (0.5 - (midi - this.centre) / SPAN);
  }

  /** Place of a frame that is so many frames old. */
  x(age) {
    const wide = this.surface.width - LEFT - RIGHT;
    if (this.still.matches) return LEFT + wide * ((this.next - age) % COUNT) / COUNT;
    return LEFT + wide * (1 - age / COUNT);
  }

  drawNotes() {
    const { context, colours, width, height } = this.surface, row = height / SPAN;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let key = Math.floor(this.centre - SPAN / 2); key <= this.centre + SPAN / 2 + 1; key++) {
      const y = this.y(key);
      if (isBlack(((key % 12) + 12) % 12)) {
        context.fillStyle = colours.row;
        context.fillRect(LEFT, y - row / 2, width - LEFT, row);
      }
      if (key % 12 === 0) {
        context.fillStyle = colours.grid;
        context.fillRect(LEFT, Math.round(y + row / 2), width - LEFT, 1);
      }
      if (key % 12 === 0 || (row > 11 && [4, 7, 9].includes(((key % 12) + 12) % 12))) {
        context.fillStyle = colours.faint;
        context.fillText(noteName(key), LEFT - 7, y);
      }
    }
  }

  /** Runs of frames that sound, oldest first; each a list of ages. */
  *runs(values) {
    let run = [];
    const newest = this.next - 1, oldest = Math.max(0, this.next - COUNT + 8);
    for (let frame = oldest - oldest % STEP; frame <= newest; frame += STEP) {
      const value = values[frame % COUNT], breaks = this.still.matches && frame % COUNT < STEP;
      if (run.length && (Number.isNaN(value) || breaks || Math.abs(value - values[(frame - STEP + COUNT) % COUNT]) > 2)) {
        yield run;
        run = [];
      }
      if (!Number.isNaN(value) && frame >= oldest) run.push(frame);
    }
    if (run.length) yield run;
  }

  drawThread() {
    const { context, colours } = this.surface;
    context.strokeStyle = colours.second;
    context.lineWidth = 1.5;
    context.setLineDash([2, 3]);
    for (const run of this.runs(this.heard)) {
      context.beginPath();
      for (const frame of run) context.lineTo(this.x(this.next - frame), this.y(this.heard[frame % COUNT]));
      context.stroke();
    }
    context.setLineDash([]);
  }

  drawRibbon() {
    const { context, colours } = this.surface;
    context.fillStyle = colours.accent;
    for (const run of this.runs(this.played)) {
      const edge = (frame, side) => {
        const place = frame % COUNT;
        context.lineTo(this.x(this.next - frame), this.y(this.played[place]) + side * this.width[place] / 2);
      };
      context.beginPath();
      for (const frame of run) edge(frame, -1);
      for (const frame of run.reverse()) edge(frame, 1);
      context.closePath();
      context.fill();
    }
    if (Number.isNaN(this.last)) return;
    const x = this.x(1), y = this.y(this.last), size = 2 + this.width[(this.next - 1) % COUNT];
    for (const [radius, alpha] of [[2.2 * size, 0.18], [size, 1]]) {
      context.globalAlpha = alpha;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  drawCursor() {
    const { context, colours, height } = this.surface;
    context.fillStyle = colours.panel;
    context.fillRect(this.x(0), 0, 14, height);
    context.fillStyle = colours.faint;
    context.fillRect(this.x(0), 0, 1, height);
  }
}
