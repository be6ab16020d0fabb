/* One sitting: what plays, from which input, with which settings; it survives stopping and starting. */

import { HowlWatch } from "./howl.js";
import { hummedTune } from "./example.js";
import { openMicrophone } from "./input.js";
import { METER } from "./stream.js";
import { microphoneProblem, MUTED, UNPLUGGED } from "./problems.js";

/** A problem that the user can cure, in words for them. */
export class Problem extends Error {}

export class Session {
  /** said(text, kind): what the user should know; howled(): the output was turned down. */
  constructor(player, { said, howled }) {
    Object.assign(this, { player, said, howled, input: "microphone", device: "", sound: null, loop: true });
    this.wishes = { settings: {}, keyboard: {}, instrument: null, room: null };
    this.stream = null;
    this.volume = 1;
    this.howl = new HowlWatch();
    this.turned = 1; // what the howl watch lets through
  }

  get running() {
    return this.player.running;
  }

  async start() {
    const stream = this.input === "microphone" ? await this.microphone() : null;
    try {
      this.forgive();
      await this.player.start(this.wishes);
      await this.plug(stream);
    } catch (error) {
      stream?.getTracks().forEach((track) => track.stop());
      throw error;
    }
  }

  async stop() {
    await this.player.stop();
    this.unplug();
  }

  /** Another input: "microphone", "file" or "keyboard". */
  async choose(input) {
    this.input = input;
    this.set({ keys: input === "keyboard" ? 1 : 0 });
    if (!this.running) return;
    this.unplug();
    this.player.connect(null);
    await this.plug(input === "microphone" ? await this.microphone() : null);
  }

  async microphone() {
    try {
      return await openMicrophone(this.device);
    } catch (error) {
      throw new Problem(microphoneProblem(error));
    }
  }

  unplug() {
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.stream = null;
  }

  /** Connect the input that is chosen. */
  async plug(stream) {
    const { player } = this, { context } = player;
    if (!context || (stream && this.input !== "microphone")) { // the user was faster
      stream?.getTracks().forEach((track) => track.stop());
      return;
    }
    if (stream) {
      this.stream = stream;
      const [track] = stream.getAudioTracks();
      track.onended = () => this.said(UNPLUGGED, "problem");
      track.onmute = () => this.said(MUTED, "problem");
      track.onunmute = () => this.said("The microphone is back.", "good");
      player.connect(context.createMediaStreamSource(stream));
    } else if (this.input === "file") {
      this.sound ??= hummedTune(context.sampleRate);
      const source = new AudioBufferSourceNode(context, { buffer: this.sound, loop: this.loop });
      source.onended = () => player.source === source && this.said("The file has ended. Press Stop, then Start, to hear it again.");
      player.connect(source);
      source.start();
    } else {
      player.connect(null);
    }
  }

  /** Whether a file is played again and again. */
  repeat(loop) {
    this.loop = loop;
    if (this.input === "file" && this.player.source) this.player.source.loop = loop;
  }

  /** Settings by the engine's names; they hold now and at the next start. */
  set(settings) {
    if ("gain" in settings) {
      this.volume = settings.gain;
      this.forgive();
    }
    Object.assign(this.wishes.settings, settings, { gain: this.volume * this.turned });
    this.player.send({ set: { ...settings, gain: this.volume * this.turned } });
  }

  setInstrument(instrument) {
    Object.assign(this.wishes, { instrument, keyboard: instrument.keyboard });
    this.player.send({ instrument, keyboard: instrument.keyboard });
  }

  async setRoom(room) {
    this.wishes.room = room;
    await this.player.changeRoom(room);
  }

  midi(status, data1, data2) {
    this.player.send({ midi: [status, data1, data2] });
  }

  /** The howl is over, or so the user says. */
  forgive() {
    this.howl.reset();
    this.turned = 1;
    this.wishes.settings.gain = this.volume;
  }

  /** Watch for feedback, with the meters of a report at a time in s. */
  watch(meters, time) {
    if (this.input !== "microphone") return;
    const found = this.howl.found;
    const turned = this.howl.step(time, meters[METER.input_f0_hz], meters[METER.input_periodicity],
      meters[METER.input_loudness_db], meters[METER.output_peak]);
    if (turned !== this.turned) {
      this.turned = turned;
      this.set({});
    }
    if (this.howl.found && !found) this.howled();
  }
}
