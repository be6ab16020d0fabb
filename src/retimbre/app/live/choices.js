/* A list to choose one thing from, with room for what the user brings. */

import { make } from "./dom.js";

export class Choices {
  /** name: of the radio buttons; chosen(item): the user chose one. */
  constructor(element, name, chosen) {
    Object.assign(this, { element, name, chosen, items: [] });
  }

  /** Add { name, hint, harmonics_db } and whatever else belongs to it; returns it. */
  add(item, checked = false) {
    const radio = make("input", { type: "radio", name: this.name, checked });
    radio.addEventListener("change", () => this.chosen(item));
    const picture = item.harmonics_db ? [timbre(item.harmonics_db)] : [];
    const hint = item.hint ? [make("small", {}, item.hint)] : [];
    item.label = make("label", { className: "choice", title: item.description ?? "" }, radio,
      make("span", { className: "face" }, ...picture, make("span", { className: "name" }, item.name), ...hint));
    item.radio = radio;
    this.items.push(item);
    this.element.append(item.label);
    return item;
  }

  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    item.label.remove();
  }

  check(item) {
    item.radio.checked = true;
  }
}

/** The levels of the first harmonics as a row of lines: what an instrument's timbre looks like. */
function timbre(levels_db) {
  const space = "http://www.w3.org/2000/svg", picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", `0 0 ${4 * levels_db.length} 40`);
  picture.setAttribute("aria-hidden", "true");
  const lines = levels_db.map((level, k) => `M${4 * k + 2} 39V${38 - 36 * Math.max(0, 1 + level / 60)}`);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", lines.join(""));
  picture.append(path);
  return picture;
}
