/* What went wrong, and what to do about it, in words. */

/** Why this browser cannot play at all, or null. wasm: bytes of the engine. */
export function missing(wasm) {
  if (!globalThis.isSecureContext) {
    return "Browsers give sound and microphone to secure pages only. Open this one over https://, or on this computer "
      + "with `retimbre serve`.";
  }
  if (!globalThis.AudioWorkletNode) return "This browser has no AudioWorklet. Use a current Firefox, Chrome, Edge or Safari.";
  if (typeof WebAssembly === "undefined") {
    return "WebAssembly is switched off here (perhaps by a lockdown mode). Allow it for this page, then load it again.";
  }
  if (!WebAssembly.validate(wasm)) {
    return "This browser is too old for the engine (WebAssembly SIMD). Update it, or use a current Firefox or Chrome.";
  }
  return null;
}

const MICROPHONE = {
  NotAllowedError: "The microphone is not allowed. Click the sign beside the address, allow the microphone, then press "
    + "Start; or choose File or Keyboard.",
  NotFoundError: "There is no microphone. Plug one in and press Start; or choose File or Keyboard.",
  NotReadableError: "The microphone does not answer; another program may hold it. Close that one, then press Start.",
  OverconstrainedError: "That microphone is gone. Choose another one, then press Start.",
};

/** What getUserMedia's error means. */
export function microphoneProblem(error) {
  return MICROPHONE[error.name] ?? `The microphone cannot be opened (${error.message}). Choose another one, then press Start.`;
}

export const UNPLUGGED = "The microphone was unplugged or taken away. Plug it in or choose another one, and play on.";
export const MUTED = "The system has muted the microphone. Unmute it, and play on.";
export const HELD_BACK = "The browser holds the sound back. Press Stop, then Start.";
export const INTERRUPTED = "Another program took over the sound. It comes back when you return here, or press Stop, then Start.";
export const ENGINE_FAILED = "The engine stopped, so there is silence: this instrument may be damaged. Choose another one.";
export const HOWL = "It began to howl: the microphone hears the loudspeaker. The sound is turned down by 12 dB; put on headphones, "
  + "then move Volume.";
