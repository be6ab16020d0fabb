/* A canvas as sharp as the screen, and the colours of the style sheet. */

export class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.fit();
    new ResizeObserver(() => {
      this.fit();
      this.refitted?.(); // what was drawn is gone
    }).observe(canvas);
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
      matchMedia(query).addEventListener("change", () => this.fit());
    }
  }

  fit() {
    const { canvas } = this, scale = Math.min(devicePixelRatio || 1, 2), style = getComputedStyle(canvas);
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    canvas.width = Math.round(this.width * scale);
    canvas.height = Math.round(this.height * scale);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.colours = Object.fromEntries(["ink", "faint", "grid", "row", "accent", "second", "panel"]
      .map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.context.font = `11px ${style.fontFamily}`;
    this.changed = true;
  }

  clear() {
    this.context.clearRect(0, 0, this.width, this.height);
  }
}
