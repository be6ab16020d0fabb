/* The Fourier transform of a whole sound (Cooley and Tukey 1965, radix 2). */

/** Of the complex numbers re + i im, in place; their count is a power of two. sign: -1 forwards, 1 back (not divided). */
export function transform(re, im, sign = -1) {
  const n = re.length, cos = new Float64Array(n / 2), sin = new Float64Array(n / 2);
  for (let k = 0; k < n / 2; k++) cos[k] = Math.cos(2 * Math.PI * k / n), sin[k] = sign * Math.sin(2 * Math.PI * k / n);
  for (let i = 0, j = 0; i < n; i++) { // j: i with its bits reversed
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
  }
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k, b = a + half, c = cos[k * stride], s = sin[k * stride];
        const x = c * re[b] - s * im[b], y = c * im[b] + s * re[b];
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** Power in the bins from 0 Hz to Nyquist of a sound, filled up with zeros to a power of two. */
export function powerSpectrum(sound) {
  const n = 2 ** Math.ceil(Math.log2(Math.max(2, sound.length))), re = new Float64Array(n), im = new Float64Array(n);
  re.set(sound);
  transform(re, im);
  return Float64Array.from({ length: n / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
}
