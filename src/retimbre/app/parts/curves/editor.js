/* The editor: curves, hands, keys and picture, put together. It tells what was drawn by `tell(text)`. */

import { hand } from "./hand.js";
import { History } from "./history.js";
import { keyboard } from "./keys.js";
import { FRAME_RATE, Layer } from "./layer.js";
import * as tools from "./tools.js";
import { noteName, Panel, Window } from "./view.js";

const TELL_MS = 350; // after the last key

export class Editor {
  constructor(root, tell) {
    Object.assign(this, { root, tell, clip: null, cursor: 0, anchor: null, selection: null, playing: null, told: "" });
    this.window = new Window();
    this.layers = { pitch: new Layer(true), loudness: new Layer(false) };
    this.history = new History(Object.values(this.layers));
    this.panels = Object.entries(this.layers).map(([name, layer]) => new Panel(this.$(name), layer, this.window));
    this.active = this.panels[0];
    this.#wire();
  }

  $(id) {
    return this.root.getElementById(id);
  }

  /** New curves from the server; what was drawn stays, unless the clip is another one. */
  lay({ clip, heard, played, cents, loud_db: loud, drawn }) {
    this.layers.pitch.lay(heard.pitch, played.pitch, cents / 100);
    this.layers.loudness.lay(heard.loudness, played.loudness, loud);
    this.window.fit(this.layers.pitch.length);
    if (clip !== this.clip) {
      this.clip = clip;
      Object.assign(this, { cursor: 0, anchor: null, selection: null, told: drawn });
      const { pitch, loudness } = drawn ? JSON.parse(drawn) : { pitch: [], loudness: [] };
      this.layers.pitch.load(pitch);
      this.layers.loudness.load(loudness);
      this.history.forget();
    }
    this.panels.forEach((panel) => panel.range());
    this.draw();
  }

  /** The end of a step: undone as one, and told to the server after `wait` ms without another. */
  done(wait = 0) {
    const pitch = this.layers.pitch, changed = this.history.before[0];
    const drawn = [...pitch.drawn.keys()].filter((frame) => !Object.is(changed[frame], pitch.drawn[frame]));
    if (drawn.length) tools.sound(pitch, this.layers.loudness, drawn[0], drawn.at(-1));
    if (this.history.end()) this.#report(wait);
    this.panels.forEach((panel) => panel.range());
    this.draw();
  }

  #report(wait) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const text = JSON.stringify({ pitch: this.layers.pitch.runs(), loudness: this.layers.loudness.runs() });
      if (text !== this.told) this.tell((this.told = text));
    }, wait);
  }

  /** Apply a tool to the selection, or where there is none, to what `otherwise` gives: all, or the note at the cursor. */
  apply(tool, otherwise = "all", wait = 0) {
    const layer = this.active.layer, note = tools.noteAt(this.layers.pitch, this.cursor);
    const range = this.selection ?? (otherwise === "all" ? [0, layer.length - 1] : note);
    if (!range) return this.say("There is no note here: select a stretch first.");
    if (otherwise === "note") this.selection = range;
    tool(layer, ...range);
    this.done(wait);
    this.tellPlace();
  }

  /** Up or down: semitones or dB. */
  nudge(amount, wait = 0) {
    this.apply((layer, first, last) => tools.move(layer, first, last, amount), "note", wait);
  }

  /** A note over the selection, at the pitch that is nearest. */
  note() {
    const { pitch } = this.layers, near = tools.noteAt(pitch, this.cursor) ?? tools.nextNote(pitch, this.cursor, -1) ?? tools.nextNote(pitch, this.cursor, 1);
    const value = near ? Math.round(pitch.at(near[0] + ((near[1] - near[0]) >> 1))) : 60;
    this.active = this.panels[0];
    if (!this.selection) return this.say("Select a stretch first, with Shift and the arrows.");
    this.apply((layer, first, last) => tools.line(pitch, [first, value], [last, value], false));
  }

  undo(way) {
    if (this.history[way]()) this.#report(TELL_MS);
    this.panels.forEach((panel) => panel.range());
    this.draw();
    this.say(way === "undo" ? "Undone." : "Done again.");
  }

  reset() {
    this.history.begin();
    Object.values(this.layers).forEach((layer) => layer.clear());
    this.done();
    this.say("All that was drawn is gone; Undo brings it back.");
  }

  select(first, last, cursor = last) {
    const end = this.layers.pitch.length - 1, within = (frame) => Math.max(0, Math.min(end, frame));
    this.selection = first === null ? null : [within(Math.min(first, last)), within(Math.max(first, last))];
    this.cursor = within(cursor);
    this.window.reveal(this.cursor);
    this.draw();
  }

  say(text) {
    this.$("status").textContent = text;
  }

  /** Say where the cursor is, what is selected, and what sounds there. */
  tellPlace() {
    const seconds = (frame) => `${(frame / FRAME_RATE).toFixed(2)} s`;
    const where = this.selection ? `${seconds(this.selection[0])} to ${seconds(this.selection[1])}` : seconds(this.cursor);
    const middle = this.selection ? (this.selection[0] + this.selection[1]) >> 1 : this.cursor;
    const midi = this.layers.pitch.at(middle), level = this.layers.loudness.at(middle);
    const cents = Math.round(100 * (midi - Math.round(midi)));
    const pitch = Number.isNaN(midi) ? "no pitch" : `${noteName(Math.round(midi))}${cents ? ` ${cents > 0 ? "+" : "\u2212"}${Math.abs(cents)} cents` : ""}`;
    this.say(`${where}: ${pitch}, ${level > -100 ? `${Math.round(level)} dB`.replace("-", "\u2212") : "silent"}`);
  }

  #wire() {
    const click = (id, act) => (this.$(id).onclick = act);
    click("smooth", () => this.apply(tools.smooth));
    click("up", () => this.nudge(1, TELL_MS));
    click("down", () => this.nudge(-1, TELL_MS));
    click("undo", () => this.undo("undo"));
    click("redo", () => this.undo("redo"));
    click("reset", () => this.reset());
    click("in", () => this.zoom(2));
    click("out", () => this.zoom(0.5));
    this.$("scroll").oninput = ({ target }) => {
      this.window.scroll((target.value / 1000) * (this.window.length - 1 - this.window.span) - this.window.first);
      this.draw();
    };
    for (const panel of this.panels) {
      hand(this, panel);
      keyboard(this, panel, TELL_MS);
    }
    const redraw = () => this.draw(), time = ({ detail }) => this.play(detail);
    this.resized = new ResizeObserver(redraw);
    this.panels.forEach((panel) => this.resized.observe(panel.canvas));
    this.night = matchMedia("(prefers-color-scheme: dark)");
    this.night.addEventListener("change", redraw);
    addEventListener("retimbre-time", time);
    this.leave = () => {
      clearTimeout(this.waiting);
      this.resized.disconnect();
      this.night.removeEventListener("change", redraw);
      removeEventListener("retimbre-time", time);
    };
  }

  get tool() {
    return this.root.querySelector("[name=tool]:checked").value;
  }

  get snapped() {
    return this.$("snap").checked;
  }

  zoom(factor, around = this.selection ? (this.selection[0] + this.selection[1]) / 2 : this.cursor) {
    this.window.zoom(factor, around);
    this.draw();
  }

  /** Show where a player is; null takes the line away. */
  play(seconds) {
    this.playing = seconds === null ? null : seconds * FRAME_RATE;
    this.draw();
  }

  /** Draw once, with the next picture of the screen. */
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #draw() {
    const style = getComputedStyle(this.root.querySelector(".editor")), ink = style.color;
    const colour = (name) => style.getPropertyValue(name).trim() || ink;
    const mixed = (share) => `color-mix(in srgb, ${ink} ${share}%, transparent)`;
    const colours = { ink, grid: mixed(6), selection: mixed(11), heard: colour("--rt-heard"), played: colour("--rt-played") };
    for (const panel of this.panels) {
      if (!panel.width) continue;
      panel.draw(colours, { ...this, active: panel === this.active && this.root.activeElement === panel.canvas });
      this.#labels(`${panel.canvas.id}-ticks`, panel.ticks(), "top");
    }
    this.#labels("times", this.panels[0].times().map(([frame, text]) => [this.panels[0].x(frame), text]), "left");
    const { window, history } = this, hidden = Math.max(1, window.length - 1 - window.span);
    Object.assign(this.$("scroll"), { hidden: window.whole, value: (1000 * window.first) / hidden });
    this.$("undo").disabled = !history.done.length;
    this.$("redo").disabled = !history.undone.length;
    this.$("reset").disabled = !Object.values(this.layers).some((layer) => layer.drawn.some((value) => !Number.isNaN(value)));
    this.$("out").disabled = window.whole;
  }

  #labels(id, labels, side) {
    const spans = labels.map(([at, text]) => {
      const span = Object.assign(document.createElement("span"), { textContent: text });
      span.style[side] = `${at}px`;
      return span;
    });
    this.$(id).replaceChildren(...spans);
  }
}
