/* Feedback: a microphone that hears the loudspeaker makes a narrow tone that rises, or stays at the limiter. So can a
   player. Cause tells them apart: the output is turned down for a moment, and what comes in follows only if it is the
   output itself. */

const WATCH_S = 1.2; // of a steady tone before it is suspected
const SPREAD_CENTS = 60; // a steadier tone than this is narrow
const LOUD_DB = -35, RISE_DB = 6, NEAR_LIMIT = 0.7;
const TEST_S = 0.35, SETTLE_S = 0.2; // how long the output is turned down; after which the input must have followed
const FALL_DB = 6;
const REST_S = 6; // after a test that cleared the player
/** Output while howling is tested for, and after it was found: 12 dB down. */
export const DOWN = 0.25;

export class HowlWatch {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { tone: [], test: null, restUntil: -Infinity, found: false });
  }

  /** One reading of the meters: time in s, what comes in (f0_hz, periodicity, loudness_db), peak of the output.
      Returns the factor for the output; `found` tells whether it howls. */
  step(time, f0_hz, periodicity, loudness_db, outputPeak) {
    if (this.found) return DOWN;
    if (this.test) return this.judge(time, loudness_db);
    if (periodicity < 0.5 || !(f0_hz > 0) || loudness_db < LOUD_DB) this.tone.length = 0;
    else this.tone.push({ time, cents: 1200 * Math.log2(f0_hz), loudness_db, outputPeak });
    while (this.tone.length && time - this.tone[0].time > WATCH_S) this.tone.shift();
    if (time < this.restUntil || !this.suspect(time)) return 1;
    this.test = { began: time, before: loudness_db, fell: [] };
    return DOWN;
  }

  suspect(time) {
    const { tone } = this;
    if (tone.length < 8 || time - tone[0].time < 0.9 * WATCH_S) return false;
    const cents = tone.map((reading) => reading.cents), levels = tone.map((reading) => reading.loudness_db);
    if (Math.max(...cents) - Math.min(...cents) > SPREAD_CENTS) return false;
    const now = levels.at(-1);
    if (now < Math.max(...levels) - 1.5) return false;
    return now - levels[0] > RISE_DB || tone.every((reading) => reading.outputPeak > NEAR_LIMIT);
  }

  judge(time, loudness_db) {
    const since = time - this.test.began;
    if (since > SETTLE_S) this.test.fell.push(this.test.before - loudness_db);
    if (since < TEST_S) return DOWN;
    const fell = this.test.fell.sort((a, b) => a - b), middle = fell[fell.length >> 1] ?? 0;
    this.found = middle > FALL_DB;
    this.test = null;
    this.tone.length = 0;
    this.restUntil = time + REST_S;
    return this.found ? DOWN : 1;
  }
}
