/* Feedback: a microphone that hears the loudspeaker lets the instrument play itself, a tone that rises or never ends. A
   player's may not end either. Cause tells them apart: the output is turned down for a moment, and what comes in follows
   only if it is the output itself. */

const LOUD_DB = -35; // quieter sounds are left alone
const STEADY_S = 2, SPREAD_CENTS = 60, FALLING_DB = 4; // a narrow tone that does not fade
const ENDLESS_S = 6; // of any sound without a pause
const TEST_S = 0.7, SETTLE_S = 0.5; // how long the output is turned down; when the input must have followed (Bluetooth is slow)
const FALL_DB = 6;
const REST_S = 6, MOST_REST_S = 48; // after a test that cleared the player; each is twice as long as the last

/** Output while howling is tested for, and after it was found: 12 dB down. */
export const DOWN = 0.25;

export class HowlWatch {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { heard: [], test: null, rest: REST_S, restUntil: -Infinity, found: false });
  }

  /** One reading of the meters: time in s, what comes in (f0_hz, periodicity, loudness_db). Returns the factor for the
      output; `found` tells whether it howls. */
  step(time, f0_hz, periodicity, loudness_db) {
    if (this.found) return DOWN;
    if (this.test) return this.judge(time, loudness_db);
    if (loudness_db < LOUD_DB) this.heard.length = 0;
    else this.heard.push({ time, cents: periodicity < 0.5 ? NaN : 1200 * Math.log2(f0_hz), loudness_db });
    while (this.heard.length && time - this.heard[0].time > ENDLESS_S) this.heard.shift();
    if (time < this.restUntil || !(this.steady(time) || this.endless(time))) return 1;
    this.test = { began: time, before: loudness_db, fell: [] };
    return DOWN;
  }

  steady(time) {
    const { heard } = this;
    if (!lasts(heard, time, STEADY_S)) return false;
    const tone = heard.filter((reading) => time - reading.time <= STEADY_S), cents = tone.map((reading) => reading.cents);
    const spread = Math.max(...cents) - Math.min(...cents); // NaN where any was without pitch
    return spread <= SPREAD_CENTS && tone.at(-1).loudness_db > Math.max(...tone.map((reading) => reading.loudness_db)) - FALLING_DB;
  }

  endless(time) {
    return lasts(this.heard, time, 0.98 * ENDLESS_S);
  }

  judge(time, loudness_db) {
    const since = time - this.test.began;
    if (since > SETTLE_S) this.test.fell.push(this.test.before - loudness_db);
    if (since < TEST_S) return DOWN;
    const fell = this.test.fell.sort((a, b) => a - b);
    this.found = fell[fell.length >> 1] > FALL_DB;
    this.test = null;
    this.heard.length = 0;
    this.restUntil = time + this.rest;
    this.rest = Math.min(2 * this.rest, MOST_REST_S);
    return this.found ? DOWN : 1;
  }
}

function lasts(heard, time, seconds) {
  return heard.length > 8 && time - heard[0].time >= seconds;
}
