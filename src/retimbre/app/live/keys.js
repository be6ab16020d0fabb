/* Playing by keys: the piano on the page, the computer's keys, MIDI. */

import { $ } from "./dom.js";
import { openMidi } from "./midi.js";
import { noteName } from "./notes.js";
import { Piano } from "./piano.js";

const NOTE_ON = 0x90, NOTE_OFF = 0x80;

export class Keys {
  /** start(): called when a key is pressed before the sound is open. */
  constructor(session, start) {
    Object.assign(this, { session, start });
    this.piano = new Piano($("piano"), {
      play: (key, down) => this.play(key, down),
      moved: (low, high) => ($("keys-range").textContent = `${noteName(low)} to ${noteName(high)}`),
    });
    $("lower").addEventListener("click", () => this.piano.shift(-1));
    $("higher").addEventListener("click", () => this.piano.shift(1));
    $("connect-midi").addEventListener("click", () => this.connectMidi());
  }

  /** Whether keys are what is played. */
  wake(awake) {
    $("keys").hidden = !awake;
    this.piano.wake(awake);
  }

  async play(key, down) {
    if (down && !this.session.running) {
      await this.start();
      if (!this.piano.isHeld(key)) return; // let go meanwhile
    }
    this.session.midi(down ? NOTE_ON : NOTE_OFF, key, down ? $("touch").valueAsNumber : 0);
  }

  async connectMidi() {
    const tell = (text) => ($("midi").textContent = text), button = $("connect-midi");
    button.disabled = true;
    try {
      const there = await openMidi((...message) => this.hear(...message), (names) => {
        tell(names.length ? `MIDI: ${names.join(", ")}.` : "No MIDI keyboard is plugged in; it will be found when it is.");
      });
      if (!there) tell("This browser has no MIDI; Chrome, Edge and Firefox have.");
    } catch {
      tell("MIDI is not allowed: click the sign beside the address, allow it, and connect again.");
      button.disabled = false;
    }
  }

  hear(status, data1, data2) {
    if (this.session.input !== "keyboard") return;
    this.session.midi(status, data1, data2);
    const kind = status & 0xf0;
    if (kind === NOTE_ON || kind === NOTE_OFF) this.piano.show(data1, kind === NOTE_ON && data2 > 0);
  }
}
