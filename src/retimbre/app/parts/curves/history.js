/* Undo and redo: each step keeps the stretches of the two curves that it changed. */

const KEPT = 200; // steps

export class History {
  constructor(layers) {
    this.layers = layers;
    this.forget();
  }

  forget() {
    this.done = [];
    this.undone = [];
    this.begin();
  }

  /** What comes until `end` is one step. */
  begin() {
    this.before = this.layers.map((layer) => layer.drawn.slice());
  }

  /** Close the step; whether anything has changed. */
  end() {
    const step = this.layers.map((layer, place) => changes(this.before[place], layer.drawn));
    this.begin();
    if (!step.some(Boolean)) return false;
    this.done.push(step);
    if (this.done.length > KEPT) this.done.shift();
    this.undone = [];
    return true;
  }

  undo() {
    return this.#swap(this.done, this.undone, "old");
  }

  redo() {
    return this.#swap(this.undone, this.done, "now");
  }

  #swap(from, to, side) {
    const step = from.pop();
    if (!step) return false;
    to.push(step);
    step.forEach((change, place) => change && this.layers[place].drawn.set(change[side], change.first));
    this.begin();
    return true;
  }
}

function changes(old, now) {
  let first = 0, last = now.length - 1;
  while (first <= last && Object.is(old[first], now[first])) first++;
  while (last > first && Object.is(old[last], now[last])) last--;
  return first > last ? null : { first, old: old.slice(first, last + 1), now: now.slice(first, last + 1) };
}
