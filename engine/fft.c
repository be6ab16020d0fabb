/* Real FFT and its inverse: Stockham's self-sorting radix-4 passes (the last may be radix-2) on separate real and imaginary
   arrays, four columns at once, after packing the real signal into a complex one of half the length. */
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

/* A radix-4 butterfly on four columns: z0 .. z3 and their twiddles, in place. */
typedef struct {
  f4 re[4], im[4];
} Four;

static inline void butterfly(Four *z, int turned, f4 w1r, f4 w1i) {
  f4 sr = z->re[0] + z->re[2], si = z->im[0] + z->im[2], dr = z->re[0] - z->re[2], di = z->im[0] - z->im[2];
  f4 tr = z->re[1] + z->re[3], ti = z->im[1] + z->im[3], er = z->re[1] - z->re[3], ei = z->im[1] - z->im[3];
  z->re[0] = sr + tr, z->im[0] = si + ti;
  z->re[1] = dr - ei, z->im[1] = di + er;
  z->re[2] = sr - tr, z->im[2] = si - ti;
  z->re[3] = dr + ei, z->im[3] = di - er;
  if (!turned) return;
  f4 w2r = w1r * w1r - w1i * w1i, w2i = w1r * w1i + w1r * w1i;
  f4 wr[4] = {w1r, w1r, w2r, w1r * w2r - w1i * w2i}, wi[4] = {w1i, w1i, w2i, w1r * w2i + w1i * w2r};
  for (int k = 1; k < 4; k++) {
    f4 re = z->re[k] * wr[k] - z->im[k] * wi[k];
    z->im[k] = z->re[k] * wi[k] + z->im[k] * wr[k], z->re[k] = re;
  }
}

/* One radix-4 pass: n points left in each of s interleaved transforms, n / 4 and s not both below 4. */
static void pass4(const RealFft *fft, int n, int s, const float *xr, const float *xi, float *yr, float *yi) {
  int quarter = n / 4, step = fft->length / n, leg = s * quarter;
  Four z;
  if (s == 1) { /* four neighbouring p at once, stored crosswise */
    for (int p = 0; p < quarter; p += 4) {
      for (int k = 0; k < 4; k++) z.re[k] = LOAD(xr + p + k * leg), z.im[k] = LOAD(xi + p + k * leg);
      int k = p * step;
      f4 c = {fft->cos[k], fft->cos[k + step], fft->cos[k + 2 * step], fft->cos[k + 3 * step]};
      f4 d = {fft->sin[k], fft->sin[k + step], fft->sin[k + 2 * step], fft->sin[k + 3 * step]};
      butterfly(&z, 1, c, d);
      transpose4(z.re), transpose4(z.im);
      for (int k = 0; k < 4; k++) STORE(yr + 4 * (p + k), z.re[k]), STORE(yi + 4 * (p + k), z.im[k]);
    }
    return;
  }
  for (int p = 0; p < quarter; p++) {
    f4 c = SPLAT(fft->cos[p * step]), d = SPLAT(fft->sin[p * step]);
    for (int q = 0; q < s; q += 4) {
      const float *ar = xr + s * p + q, *ai = xi + s * p + q;
      float *zr = yr + 4 * s * p + q, *zi = yi + 4 * s * p + q;
      for (int k = 0; k < 4; k++) z.re[k] = LOAD(ar + k * leg), z.im[k] = LOAD(ai + k * leg);
      butterfly(&z, p > 0, c, d);
      for (int k = 0; k < 4; k++) STORE(zr + k * s, z.re[k]), STORE(zi + k * s, z.im[k]);
    }
  }
}

static void pass2(int s, const float *xr, const float *xi, float *yr, float *yi) {
  for (int q = 0; q < s; q++) {
    float r0 = xr[q], r1 = xr[q + s], i0 = xi[q], i1 = xi[q + s];
    yr[q] = r0 + r1, yi[q] = i0 + i1;
    yr[q + s] = r0 - r1, yi[q + s] = i0 - i1;
  }
}

/* Inverse transform of the complex a, without scaling; where it ends up comes back in *re and *im. */
static void transform(RealFft *fft, const float **re, const float **im) {
  float *xr = fft->a_re, *xi = fft->a_im, *yr = fft->b_re, *yi = fft->b_im;
  int n = fft->half, s = 1;
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
  *re = xr, *im = xi;
}

void real_fft_inverse(RealFft *fft, const float *re, const float *im, float *out) {
  int half = fft->half;
  /* Z[k] = (X[k] + X*[half - k]) + j e^{2 pi j k / length} (X[k] - X*[half - k]): even samples real, odd imaginary. */
  float scale = 1.0f / (float)fft->length;
  for (int k = 0; k < half; k += 4) {
    f4 ar = LOAD(re + k), ai = LOAD(im + k), br = LOAD(re + half - k - 3), bi = LOAD(im + half - k - 3);
    br = __builtin_shufflevector(br, br, 3, 2, 1, 0), bi = -__builtin_shufflevector(bi, bi, 3, 2, 1, 0);
    f4 c = LOAD(fft->cos + k), s = LOAD(fft->sin + k), dr = ar - br, di = ai - bi;
    STORE(fft->a_re + k, (ar + br - (c * di + s * dr)) * SPLAT(scale));
    STORE(fft->a_im + k, (ai + bi + (c * dr - s * di)) * SPLAT(scale));
  }
  const float *zr, *zi;
  transform(fft, &zr, &zi);
  for (int k = 0; k < half; k++) out[2 * k] = zr[k], out[2 * k + 1] = zi[k];
}

void real_fft(RealFft *fft, const float *in, float *re, float *im) {
  int half = fft->half;
  /* The forward transform is the inverse of the conjugate, conjugated. */
  for (int k = 0; k < half; k++) fft->a_re[k] = in[2 * k], fft->a_im[k] = -in[2 * k + 1];
  const float *zr, *zi;
  transform(fft, &zr, &zi);
  /* X[k] = (Z[k] + Z*[half - k]) / 2 + e^{-2 pi j k / length} (Z[k] - Z*[half - k]) / 2j */
  for (int k = 1; k < half; k++) {
    float ar = zr[k], ai = -zi[k], br = zr[half - k], bi = zi[half - k], c = fft->cos[k], s = fft->sin[k];
    float dr = 0.5f * (ai - bi), di = 0.5f * (br - ar);
    re[k] = 0.5f * (ar + br) + c * dr + s * di, im[k] = 0.5f * (ai + bi) + c * di - s * dr;
  }
  re[0] = zr[0] - zi[0], re[half] = zr[0] + zi[0];
  im[0] = im[half] = 0;
}
