/* Pitch as musicians say it. */

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** MIDI number of a frequency: 69 is A4, 440 Hz. */
export const midiOf = (hz) => 69 + 12 * Math.log2(hz / 440);

/** Such as "E♭4", of the nearest note. */
export function noteName(midi) {
  const key = Math.round(midi);
  return NAMES[((key % 12) + 12) % 12] + (Math.floor(key / 12) - 1);
}

/** How far from the nearest note, "+4 ¢". */
export function centsText(midi) {
  const cents = Math.round(100 * (midi - Math.round(midi)));
  return `${cents < 0 ? "−" : "+"}${Math.abs(cents)} ¢`;
}

/** Whether a key is a black one. */
export const isBlack = (key) => [1, 3, 6, 8, 10].includes(key % 12);
