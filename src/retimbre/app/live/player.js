/* The audio graph of the page: input -> worklet -> loudspeaker, and the messages to and from the worklet.

   Events: "report" (detail: the worklet's report), "recorded" ({ samples, last }), "failed", "state" (of the context). */

const BLOCK = 128; // samples in which browsers render
const FADE_S = 0.15; // in which the sound leaves before the context closes

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

  /** Open the sound. begin: { settings, keyboard, instrument, room } as the worklet takes them; room: from room.js. */
  async start({ room, ...begin }) {
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      context.resume(); // waits for a gesture where there was none; the page watches the state
      await context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
      const response = room ? await room.at(context.sampleRate) : null;
      this.node = new AudioWorkletNode(context, "retimbre", {
        numberOfInputs: 1,
        outputChannelCount: [1],
        channelCount: 1,
        channelCountMode: "explicit",
        processorOptions: { wasm: this.wasm, seed: 0, room: response, ...begin },
      });
    } catch (error) {
      await context.close();
      throw error;
    }
    this.context = context;
    this.node.port.onmessage = ({ data }) => this.hear(data);
    this.node.onprocessorerror = () => this.emit("failed");
    this.node.connect(context.destination);
    context.onstatechange = () => this.emit("state", context.state);
  }

  /** Fade out and close the sound. */
  async stop() {
    const { context, node } = this;
    if (!node) return;
    node.port.postMessage({ set: { gain: 0 }, record: false });
    await new Promise((resolve) => setTimeout(resolve, 1000 * FADE_S));
    this.connect(null);
    this.context = this.node = null;
    node.port.postMessage({ end: true });
    node.port.onmessage = context.onstatechange = null;
    node.disconnect();
    await context.close();
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
