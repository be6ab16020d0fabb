/* Keys on a panel: all that a hand can do. */

import { FRAME_RATE } from "./layer.js";
import * as tools from "./tools.js";

const STEP = 0.05 * FRAME_RATE; // frames
const FINE = { pitch: 0.1, loudness: 0.2 };

export function keyboard(editor, panel, wait) {
  const { canvas, layer } = panel;

  /** Move the cursor; with Shift it takes the end of the selection along. */
  const go = (frame, selecting) => {
    const end = layer.length - 1, to = Math.max(0, Math.min(end, frame));
    if (!selecting) editor.anchor = null;
    else editor.anchor ??= editor.cursor;
    editor.select(selecting ? editor.anchor : null, to);
    editor.tellPlace();
  };

  const take = (note) => {
    if (!note) return editor.say("There is no note here.");
    editor.anchor = note[0];
    editor.select(...note);
    editor.tellPlace();
  };

  const nudge = (way, fine) => editor.nudge(way * (fine ? FINE[canvas.id] : 1), wait);
  const { pitch } = editor.layers;
  const plain = {
    ArrowLeft: (shift) => go(editor.cursor - STEP, shift),
    ArrowRight: (shift) => go(editor.cursor + STEP, shift),
    Home: (shift) => go(0, shift),
    End: (shift) => go(layer.length - 1, shift),
    PageDown: () => take(tools.nextNote(pitch, editor.cursor, 1)),
    PageUp: () => take(tools.nextNote(pitch, editor.selection?.[0] ?? editor.cursor, -1)),
    Enter: () => take(tools.noteAt(pitch, editor.cursor)),
    ArrowUp: (shift) => nudge(1, shift),
    ArrowDown: (shift) => nudge(-1, shift),
    Delete: () => editor.apply(tools.erase, "note"),
    Backspace: () => editor.apply(tools.erase, "note"),
    Escape: () => go(editor.cursor, false),
    "+": () => editor.zoom(2),
    "=": () => editor.zoom(2),
    "-": () => editor.zoom(0.5),
    d: () => editor.note(),
    r: () => editor.apply(tools.restore),
    s: () => editor.apply(tools.smooth),
    q: () => layer.pitched && editor.apply(tools.snap),
  };
  const withControl = {
    a: () => editor.select(0, layer.length - 1, editor.cursor),
    y: () => editor.undo("redo"),
    z: (shift) => editor.undo(shift ? "redo" : "undo"),
  };

  canvas.onkeydown = (event) => {
    if (event.altKey || !layer.length) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = (event.ctrlKey || event.metaKey ? withControl : plain)[name];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // the app has keys of its own
    editor.active = panel;
    editor.history.begin();
    act(event.shiftKey);
  };
}
