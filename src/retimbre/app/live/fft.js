/* The power spectrum of a whole sound (Cooley and Tukey 1965, radix 2). */

/** Power in the bins from 0 Hz to Nyquist of a sound, filled up with zeros to a power of two. */
export function powerSpectrum(sound) {
  const n = 2 ** Math.ceil(Math.log2(Math.max(2, sound.length))), re = new Float64Array(n), im = new Float64Array(n);
  for (let i = 0, j = 0; i < sound.length; i++) { // j: i with its bits reversed
    re[j] = sound[i];
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const turn = -Math.PI * k / half, c = Math.cos(turn), s = Math.sin(turn);
      for (let a = k; a < n; a += 2 * half) {
        const b = a + half, x = c * re[b] - s * im[b], y = c * im[b] + s * re[b];
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
  return Float64Array.from({ length: n / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
}
