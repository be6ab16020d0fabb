/* Mouse, pen and finger on a panel. */

import * as tools from "./tools.js";

const DRAG_PX = 4; // less is a click

export function hand(editor, panel) {
  const { canvas, layer } = panel;
  const place = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect(), x = clientX - left;
    const y = Math.max(0, Math.min(panel.height, clientY - top));
    return [Math.max(0, Math.min(layer.length - 1, panel.frame(x))), panel.value(y), x, y];
  };
  let stroke = null;

  canvas.onpointerdown = (event) => {
    if (event.button || stroke || !layer.length) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    editor.active = panel;
    editor.history.begin();
    stroke = begin(editor, panel, place(event));
    event.preventDefault();
  };

  canvas.onpointermove = (event) => {
    if (!stroke) return;
    const seen = event.getCoalescedEvents?.() ?? [];
    for (const one of seen.length ? seen : [event]) stroke.move(place(one));
    editor.draw();
  };

  const end = () => {
    const last = stroke;
    stroke = null;
    if (!last) return;
    last.end?.();
    editor.done();
    editor.tellPlace();
  };
  canvas.onpointerup = end;
  canvas.onpointercancel = end;

  canvas.onfocus = () => {
    editor.active = panel;
    editor.draw();
  };
  canvas.onblur = () => editor.draw();

  canvas.addEventListener("wheel", (event) => {
    const along = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) editor.zoom(2 ** (-event.deltaY / 200), place(event)[0]);
    else if (along && !editor.window.whole) editor.window.scroll((along / panel.width) * editor.window.span);
    else return;
    event.preventDefault();
    editor.draw();
  }, { passive: false });
}

/** What a press begins: {move(place), end()}. */
function begin(editor, panel, start) {
  const { layer } = panel, snap = editor.snapped;
  editor.cursor = start[0];
  if (editor.tool === "select") return selecting(editor, panel, start);
  if (editor.tool === "line") {
    const before = layer.drawn.slice();
    const move = (to) => {
      layer.drawn.set(before);
      tools.line(layer, start, to, snap);
    };
    move(start);
    return { move };
  }
  let last = start;
  const move = (to) => {
    if (editor.tool === "erase") tools.erase(layer, Math.min(last[0], to[0]), Math.max(last[0], to[0]));
    else tools.line(layer, last, to, snap);
    last = to;
  };
  move(start);
  return { move };
}

/** In the selection: it goes up or down with the hand. Elsewhere: a new one; a click takes the note. */
function selecting(editor, panel, start) {
  const { layer } = panel, old = editor.selection;
  if (old && start[0] >= old[0] && start[0] <= old[1]) {
    const before = layer.drawn.slice(), [first, last] = old;
    return {
      move: (to) => {
        const amount = to[1] - start[1];
        layer.drawn.set(before);
        if (Math.abs(to[3] - start[3]) >= DRAG_PX) tools.move(layer, first, last, editor.snapped && layer.pitched ? Math.round(amount) : amount);
      },
    };
  }
  let dragged = false;
  editor.select(null, null, start[0]);
  return {
    move: (to) => {
      dragged ||= Math.abs(to[2] - start[2]) >= DRAG_PX;
      if (dragged) editor.select(start[0], to[0]);
    },
    end: () => {
      const note = dragged ? null : tools.noteAt(editor.layers.pitch, start[0]);
      if (note) editor.select(...note, start[0]);
    },
  };
}
