/* A piano on the screen, for fingers, mice and the computer's own keys. It is one stop for the Tab key; arrows walk along
   it, Space and Enter play. */

import { here, home, make } from "./dom.js";
import { isBlack, noteName } from "./notes.js";

const KEYS = 25, LOWEST = 12, HIGHEST = 96;
const CODES = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO",
  "KeyL", "KeyP", "Semicolon", "Quote"]; // by place, whatever is printed on them
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

export class Piano {
  /** play(key, down): a key, as a MIDI number, goes down or up. moved(first, last): the keys that are shown. */
  constructor(element, { play, moved }) {
    Object.assign(this, { element, play, moved, first: 48, holders: new Map(), awake: false });
    element.addEventListener("pointerdown", (event) => this.touch(event));
    element.addEventListener("pointermove", (event) => event.buttons && this.touch(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(end, (event) => this.release(`pointer ${event.pointerId}`));
    }
    element.addEventListener("keydown", (event) => this.walk(event));
    document.addEventListener("keydown", (event) => this.type(event), here());
    document.addEventListener("keyup", (event) => this.release(event.code), here());
    addEventListener("blur", () => this.releaseAll(), here());
    this.draw();
  }

  /** Whether the computer's keys play. */
  wake(awake) {
    this.awake = awake;
    if (!awake) this.releaseAll();
  }

  /** So many octaves up; at the ends it stays. */
  shift(octaves) {
    this.moveTo(this.first + 12 * octaves);
  }

  /** Show the octaves from about C3 on that an instrument plays, lowest to highest note. */
  suit(low, high) {
    let first = 48;
    while (first < low - 2 && first + KEYS - 1 < high) first += 12;
    while (first + KEYS - 1 > high + 2 && first - 12 > low - 2) first -= 12;
    if (first !== this.first) this.moveTo(first);
  }

  moveTo(first) {
    this.releaseAll();
    this.first = Math.min(Math.max(first, LOWEST), HIGHEST);
    this.draw();
  }

  draw() {
    const buttons = Array.from({ length: KEYS }, (_, step) => {
      const key = this.first + step;
      return make("button", {
        type: "button", className: isBlack(key) ? "black" : "white", tabIndex: step ? -1 : 0,
        data: { key, far: step > 12 }, aria: { label: noteName(key), pressed: "false" },
      }, ...(key % 12 ? [] : [make("span", { aria: { hidden: "true" } }, noteName(key))]));
    });
    this.element.replaceChildren(...buttons);
    this.moved(this.first, this.first + KEYS - 1);
  }

  button(key) {
    return this.element.querySelector(`[data-key="${key}"]`);
  }

  /** Show that a key is down, whoever plays it. */
  show(key, down) {
    this.button(key)?.setAttribute("aria-pressed", String(down));
  }

  /** One finger, or one key of the computer, holds one key of the piano. */
  hold(holder, key) {
    if (this.holders.get(holder) === key) return;
    this.release(holder);
    this.holders.set(holder, key);
    this.show(key, true);
    this.play(key, true);
  }

  release(holder) {
    const key = this.holders.get(holder);
    if (key === undefined) return;
    this.holders.delete(holder);
    if (this.isHeld(key)) return; // by another finger
    this.show(key, false);
    this.play(key, false);
  }

  releaseAll() {
    for (const holder of [...this.holders.keys()]) this.release(holder);
  }

  isHeld(key) {
    return [...this.holders.values()].includes(key);
  }

  touch(event) {
    const under = home.elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-key]");
    if (!under || !this.element.contains(under)) return;
    if (event.type === "pointerdown") this.element.setPointerCapture(event.pointerId);
    this.hold(`pointer ${event.pointerId}`, Number(under.dataset.key));
  }

  /** Arrows move the focus along the keys; Space and Enter play the one that has it. */
  walk(event) {
    const button = event.target.closest("[data-key]"), step = STEPS[event.key];
    if (step) {
      const next = this.button(Number(button.dataset.key) + step);
      if (next && next.offsetParent) {
        button.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
    } else if (event.key === " " || event.key === "Enter") {
      if (!event.repeat) this.hold(event.code, Number(button.dataset.key));
    } else return;
    event.preventDefault();
  }

  /** The computer's keys, where no field wants them. */
  type(event) {
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.composedPath()[0].matches?.("select, textarea, [type=text]");
    if (!this.awake || busy || event.repeat) return;
    const step = CODES.indexOf(event.code);
    if (step >= 0) this.hold(event.code, this.first + step);
    else if (event.code === "KeyZ") this.shift(-1);
    else if (event.code === "KeyX") this.shift(1);
    else return;
    event.preventDefault();
  }
}
