/* Inverse real FFT: Stockham's self-sorting radix-2 and radix-4 passes on separate real and imaginary arrays, whose
   inner loops vectorise, and one pass that packs a real signal into a complex one of half the length. */
#include "internal.h"

struct RealFft {
  int length, half;
  float *cos, *sin;       /* e^{+2 pi j k / length}, k < length / 2 */
  float *a_re, *a_im, *b_re, *b_im;
};

RealFft *real_fft_new(int length) {
  RealFft *fft = engine_alloc(sizeof *fft);
  int half = length / 2;
  fft->length = length, fft->half = half;
  float *memory = engine_alloc((6 * half) * (int)sizeof(float));
  fft->cos = memory, fft->sin = memory + half;
  fft->a_re = memory + 2 * half, fft->a_im = memory + 3 * half;
  fft->b_re = memory + 4 * half, fft->b_im = memory + 5 * half;
  for (int k = 0; k < half; k++) {
    fft->cos[k] = (float)sine((double)k / length + 0.25);
    fft->sin[k] = (float)sine((double)k / length);
  }
  return fft;
}

/* One radix-4 pass: n points left in each of s interleaved transforms. Twiddles e^{+2 pi j p / n}. */
static void pass4(const RealFft *fft, int n, int s, const float *restrict xr, const float *restrict xi,
                  float *restrict yr, float *restrict yi) {
  int quarter = n / 4, step = fft->length / n;
  for (int p = 0; p < quarter; p++) {
    int k = p * step; /* 3 k < length: the upper half of the circle by symmetry */
    float w1r = fft->cos[k], w1i = fft->sin[k];
    float w2r = w1r * w1r - w1i * w1i, w2i = 2 * w1r * w1i;
    float w3r = w1r * w2r - w1i * w2i, w3i = w1r * w2i + w1i * w2r;
    const float *ar = xr + s * p, *ai = xi + s * p;
    int leg = s * quarter;
    float *zr = yr + 4 * s * p, *zi = yi + 4 * s * p;
    for (int q = 0; q < s; q++) {
      float r0 = ar[q], r1 = ar[q + leg], r2 = ar[q + 2 * leg], r3 = ar[q + 3 * leg];
      float i0 = ai[q], i1 = ai[q + leg], i2 = ai[q + 2 * leg], i3 = ai[q + 3 * leg];
      float sr = r0 + r2, si = i0 + i2, dr = r0 - r2, di = i0 - i2;
      float tr = r1 + r3, ti = i1 + i3, er = r1 - r3, ei = i1 - i3; /* times j for the inverse transform */
      zr[q] = sr + tr, zi[q] = si + ti;
      float ur = dr - ei, ui = di + er, vr = sr - tr, vi = si - ti, wr = dr + ei, wi = di - er;
      zr[q + s] = ur * w1r - ui * w1i, zi[q + s] = ur * w1i + ui * w1r;
      zr[q + 2 * s] = vr * w2r - vi * w2i, zi[q + 2 * s] = vr * w2i + vi * w2r;
      zr[q + 3 * s] = wr * w3r - wi * w3i, zi[q + 3 * s] = wr * w3i + wi * w3r;
    }
  }
}

static void pass2(int s, const float *restrict xr, const float *restrict xi, float *restrict yr, float *restrict yi) {
  for (int q = 0; q < s; q++) {
    float r0 = xr[q], r1 = xr[q + s], i0 = xi[q], i1 = xi[q + s];
    yr[q] = r0 + r1, yi[q] = i0 + i1;
    yr[q + s] = r0 - r1, yi[q + s] = i0 - i1;
  }
}

void real_fft_inverse(RealFft *fft, float *re, float *im, float *out) {
  int half = fft->half;
  float *xr = fft->a_re, *xi = fft->a_im, *yr = fft->b_re, *yi = fft->b_im;
  /* Z[k] = (X[k] + X*[half - k]) + j e^{2 pi j k / length} (X[k] - X*[half - k]): even samples real, odd imaginary. */
  float scale = 1.0f / (float)fft->length;
  im[0] = im[half] = 0;
  for (int k = 0; k < half; k++) {
    float ar = re[k], ai = im[k], br = re[half - k], bi = -im[half - k];
    float sr = ar + br, si = ai + bi, dr = ar - br, di = ai - bi;
    float c = fft->cos[k], s = fft->sin[k];
    xr[k] = (sr - (c * di + s * dr)) * scale;
    xi[k] = (si + (c * dr - s * di)) * scale;
  }
  int n = half, s = 1;
  while (n > 1) {
    if (n >= 4) {
      pass4(fft, n, s, xr, xi, yr, yi);
      n /= 4, s *= 4;
    } else {
      pass2(s, xr, xi, yr, yi);
      n /= 2, s *= 2;
    }
    float *t = xr;
    xr = yr, yr = t;
    t = xi, xi = yi, yi = t;
  }
  for (int k = 0; k < half; k++) out[2 * k] = xr[k], out[2 * k + 1] = xi[k];
}
