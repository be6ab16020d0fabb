/* The audio graph of the page: input -> worklet -> loudspeaker, and the messages to and from the worklet.

   Events: "report" (detail: the worklet's report), "recorded" ({ samples, last }), "failed", "state" (of the context). */

const BLOCK = 128; // samples in which browsers render
const FADE_S = 0.15; // in which the sound leaves
const END_S = 0.03; // for the worklet to let go of the engine

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export class Player extends EventTarget {
  /** wasm: bytes of engine.wasm. */
  constructor(wasm) {
    super();
    this.wasm = wasm;
    this.context = this.node = this.source = null;
    this.engineLatency = 0;
  }

  get running() {
    return this.node !== null;
  }

  /** Load the worklet, so that starting needs the server no more. The sound itself waits for a gesture. */
  async prepare() {
    const context = new AudioContext({ latencyHint: "interactive" });
    context.onstatechange = () => this.running && this.emit("state", context.state);
    try {
      await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    } catch (error) {
      await context.close();
      throw error;
    }
    this.context = context;
  }

  /** Open the sound. begin: { settings, keyboard, instrument, room } as the worklet takes them; room: from room.js. */
  async start({ room, ...begin }) {
    if (!this.context) await this.prepare();
    const { context } = this;
    context.resume(); // waits where there was no gesture; the page watches the state
    const response = room ? await room.at(context.sampleRate) : null;
    this.node = new AudioWorkletNode(context, "retimbre", {
      numberOfInputs: 1,
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { wasm: this.wasm, seed: 0, room: response, ...begin },
    });
    this.node.port.onmessage = ({ data }) => this.hear(data);
    this.node.onprocessorerror = () => this.emit("failed");
    this.node.connect(context.destination);
  }

  /** Fade out and rest. */
  async stop() {
    const { context, node } = this;
    if (!node) return;
    node.port.postMessage({ set: { gain: 0 }, record: false });
    await pause(FADE_S);
    this.connect(null);
    this.node = null;
    node.port.postMessage({ end: true });
    await pause(END_S);
    node.port.onmessage = null;
    node.disconnect();
    await context.suspend();
  }

  /** Play from this source from now on; null is silence. */
  connect(source) {
    this.source?.disconnect();
    this.source = source;
    source?.connect(this.node);
  }

  send(message) {
    this.node?.port.postMessage(message);
  }

  async changeRoom(room) {
    if (this.node) this.send({ room: room ? await room.at(this.context.sampleRate) : null });
  }

  /** Delay in ms and what it is made of; the browser does not tell all of its own. */
  latency() {
    const { sampleRate, baseLatency = 0, outputLatency = 0 } = this.context;
    const engine = 1000 * this.engineLatency / sampleRate, block = 1000 * BLOCK / sampleRate;
    const output = 1000 * (baseLatency + outputLatency);
    return { engine, block, output, total: engine + block + output };
  }

  hear(message) {
    if (message.report) this.emit("report", message.report);
    if (message.latency) this.engineLatency = message.latency;
    if (message.recorded) this.emit("recorded", { samples: message.recorded, last: Boolean(message.last) });
    if (message.failed) this.emit("failed", message.failed);
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
