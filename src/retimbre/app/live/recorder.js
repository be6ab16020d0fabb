/* The record button: a take begins, grows and is saved. */

import { $ } from "./dom.js";
import { Take } from "./record.js";

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class Recorder {
  constructor(player) {
    this.player = player;
    this.take = null;
    $("record").addEventListener("click", () => this.toggle());
    player.addEventListener("recorded", ({ detail: { samples, last } }) => {
      this.take?.add(samples);
      this.show();
      if (last) this.finish();
    });
  }

  toggle() {
    if (!this.take) {
      this.take = new Take(this.player.context.sampleRate);
      $("download").hidden = true;
    }
    this.player.send({ record: !this.asked });
    this.asked = !this.asked;
    this.show();
  }

  show() {
    $("record").classList.toggle("on", Boolean(this.take));
    $("record-text").textContent = this.take ? `Stop recording ${clock(this.take.seconds)}` : "Record";
  }

  /** Save what there is. */
  finish() {
    const { take } = this;
    this.take = null;
    this.asked = false;
    this.show();
    if (!take?.samples) return;
    const link = $("download"), stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    if (link.href) URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(take.wav());
    link.download = `retimbre-${stamp}.wav`;
    link.textContent = `Save again (${clock(take.seconds)})`;
    link.hidden = false;
    link.click();
  }
}
