/* What hands and keys do to the curves, between two frames (both included). */

import { FRAME_RATE } from "./layer.js";

const SMOOTH_S = 0.06; // either side
const NOTE_SEMITONES = 0.8, STEP_SEMITONES = 0.5; // how far one note strays, and how much it moves within a frame
const FADE = 6; // frames
const SOUNDING_DB = 30, DRAWN_DB = 6; // below the loud frames: what still sounds, and how loud a drawn note is

/** A straight line, or a point; `snap` rounds to semitones. */
export function line(layer, from, to, snap) {
  const [[a, first], [b, last]] = from[0] <= to[0] ? [from, to] : [to, from];
  for (let frame = Math.max(0, a); frame <= Math.min(b, layer.length - 1); frame++) {
    const value = b === a ? to[1] : first + ((last - first) * (frame - a)) / (b - a);
    layer.put(frame, snap && layer.pitched ? Math.round(value) : value);
  }
}

export function erase(layer, first, last) {
  for (let frame = Math.max(0, first); frame <= Math.min(last, layer.length - 1); frame++) layer.put(frame, NaN);
}

export function restore(layer, first, last) {
  for (let frame = first; frame <= last; frame++) layer.restore(frame);
}

/** Up or down by so much; frames without a pitch stay so. `from` holds the values to start from. */
export function move(layer, first, last, amount, from = (frame) => layer.at(frame)) {
  for (let frame = first; frame <= last; frame++) {
    const value = from(frame);
    if (!Number.isNaN(value)) layer.put(frame, value + amount);
  }
}

export function snap(layer, first, last) {
  for (let frame = first; frame <= last; frame++) {
    const value = layer.at(frame);
    if (!Number.isNaN(value)) layer.put(frame, Math.round(value));
  }
}

/** A weighted mean over what sounds around each frame; no note runs into the silence beside it. */
export function smooth(layer, first, last) {
  const reach = Math.round(SMOOTH_S * FRAME_RATE), old = Array.from({ length: layer.length }, (_, frame) => layer.at(frame));
  for (let frame = first; frame <= last; frame++) {
    if (Number.isNaN(old[frame])) continue;
    let sum = 0, whole = 0;
    for (const way of [-1, 1]) {
      for (let far = way < 0 ? 0 : 1; far <= reach; far++) {
        const value = old[frame + way * far];
        if (value === undefined || Number.isNaN(value)) break;
        const weight = 1 + Math.cos((Math.PI * far) / (reach + 1));
        sum += weight * value;
        whole += weight;
      }
    }
    layer.put(frame, sum / whole);
  }
}

/** Where the drawn pitch could not be heard, loudness is drawn as well. */
export function sound(pitch, loudness, first, last) {
  const silent = (frame) => !(loudness.at(frame) > loudness.offset - SOUNDING_DB), level = loudness.offset - DRAWN_DB;
  for (let frame = Math.max(0, first); frame <= Math.min(last, pitch.length - 1); frame++) {
    if (Number.isNaN(pitch.at(frame)) || !pitch.isDrawn(frame) || !silent(frame)) continue;
    let end = frame;
    while (end < last && end + 1 < pitch.length && silent(end + 1) && !Number.isNaN(pitch.at(end + 1))) end++;
    const opens = frame === 0 || silent(frame - 1), closes = end + 1 >= pitch.length || silent(end + 1);
    for (let place = frame; place <= end; place++) {
      const fade = Math.min(opens ? place - frame + 1 : FADE, closes ? end - place + 1 : FADE, FADE) / FADE;
      loudness.put(place, level - 40 * (1 - fade));
    }
    frame = end;
  }
}

/** The note around a frame: [first, last]; null where there is none. */
export function noteAt(pitch, frame) {
  const own = pitch.at(frame);
  if (Number.isNaN(own) || own === undefined) return null;
  const ends = [-1, 1].map((way) => {
    let at = frame;
    for (;;) {
      const next = pitch.at(at + way);
      if (!(Math.abs(next - own) < NOTE_SEMITONES && Math.abs(next - pitch.at(at)) < STEP_SEMITONES)) return at;
      at += way;
    }
  });
  return [ends[0], ends[1]];
}

/** The next note after a frame, or the last one before it. */
export function nextNote(pitch, frame, way) {
  const here = noteAt(pitch, frame);
  let at = (here ? here[way > 0 ? 1 : 0] : frame) + way;
  while (at >= 0 && at < pitch.length) {
    const found = noteAt(pitch, at);
    if (found && found[1] - found[0] >= 8) return found;
    at = (found ? found[way > 0 ? 1 : 0] : at) + way;
  }
  return null;
}
