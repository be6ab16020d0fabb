/* A level meter: a bar that falls slowly, a mark for the last peak, and a number for those who cannot see it. */

const LOWEST_DB = -60, FALL_DB_S = 30, HOLD_S = 1.5, TOLD_S = 1;

export class Level {
  /** bar: the element with role=meter; text: where the number goes. */
  constructor(bar, text) {
    Object.assign(this, { bar, text, fill: bar.querySelector("i"), mark: bar.querySelector("b") });
    this.clear();
  }

  clear() {
    Object.assign(this, { level: LOWEST_DB, peak: LOWEST_DB, time: 0, held: 0, told: 0 });
    this.show(0);
  }

  /** A new peak, linear, at a time in s. */
  set(peak, time) {
    const db = Math.max(LOWEST_DB, 20 * Math.log10(peak + 1e-9));
    this.level = Math.max(db, this.level - FALL_DB_S * Math.max(0, time - this.time));
    if (db >= this.peak || time - this.held > HOLD_S) {
      this.peak = db;
      this.held = time;
    }
    this.time = time;
    this.show(time);
  }

  show(time) {
    const share = (db) => `${100 * (1 - Math.min(db, 0) / LOWEST_DB)}%`;
    this.fill.style.width = share(this.level);
    this.mark.style.left = share(this.peak);
    this.bar.classList.toggle("over", this.peak > -0.3);
    if (time && time - this.told < TOLD_S) return;
    this.told = time;
    const silent = this.peak <= LOWEST_DB, words = silent ? "silent" : `${Math.round(this.peak)} dB`;
    this.bar.setAttribute("aria-valuenow", Math.round(this.peak));
    this.bar.setAttribute("aria-valuetext", words);
    this.text.textContent = silent ? "–" : words.replace("-", "−");
  }
}
