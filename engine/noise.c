/* Filtered noise: white numbers are the spectrum of a frame, the magnitudes of the bands weigh it, one inverse FFT makes
   it sound, and neighbouring frames are cross-faded at constant power. Circular, so no filter tail is ever cut off. */
#include "internal.h"
#include "synth.h"

struct Noise {
  int sample_rate, length;
  int step;      /* to the next band: 1, or 0 where there is only one */
  int *band;     /* of each bin: the band below it */
  float *weight; /* and how far it is towards the next */
  float *white, *re, *im, *now, *before;
  RealFft *fft;
};

EXPORT(synth_noise_length) int synth_noise_length(int sample_rate) {
  int need = 2 * ((sample_rate + FRAME_RATE - 1) / FRAME_RATE) + 1, length = 64;
  while (length < need) length *= 2;
  return length;
}

Noise *noise_new(int sample_rate, int bands, const float *band_hz) {
  Noise *s = engine_alloc(sizeof *s);
  int floats = (int)sizeof(float);
  s->sample_rate = sample_rate, s->step = bands > 1, s->length = synth_noise_length(sample_rate);
  int bins = s->length / 2 + 1;
  s->band = engine_alloc(bins * (int)sizeof(int));
  s->weight = engine_alloc(bins * floats);
  s->white = engine_alloc(s->length * floats);
  s->re = engine_alloc(bins * floats), s->im = engine_alloc(bins * floats);
  s->now = engine_alloc(s->length * floats), s->before = engine_alloc(s->length * floats);
  s->fft = real_fft_new(s->length);
  for (int k = 0, b = 0; k < bins; k++) {
    float hz = (float)((double)k * sample_rate / s->length);
    while (b + 2 < bands && band_hz[b + 1] <= hz) b++;
    s->band[k] = b;
    s->weight[k] = bands < 2 ? 0 : clampf((hz - band_hz[b]) / (band_hz[b + 1] - band_hz[b]), 0, 1);
  }
  return s;
}

static void shape(Noise *s, const float *magnitudes, const float *white) {
  int half = s->length / 2, step = s->step;
  f4 part = SPLAT((float)__builtin_sqrt(0.5 * s->length));
  float *re = s->re, *im = s->im, root2 = 1.41421356f;
  for (int k = 0; k < half; k += 4, white += 8) {
    const int *b = s->band + k;
    const float *m0 = magnitudes + b[0], *m1 = magnitudes + b[1], *m2 = magnitudes + b[2], *m3 = magnitudes + b[3];
    f4 low = {*m0, *m1, *m2, *m3}, high = {m0[step], m1[step], m2[step], m3[step]};
    f4 m = part * (low + LOAD(s->weight + k) * (high - low)), x = LOAD(white), y = LOAD(white + 4);
    STORE(re + k, m * __builtin_shufflevector(x, y, 0, 2, 4, 6));
    STORE(im + k, m * __builtin_shufflevector(x, y, 1, 3, 5, 7));
  }
  /* The ends are real: both from the first pair of numbers, at full size. */
  const float *last = magnitudes + s->band[half];
  re[0] *= root2, re[half] = root2 * part[0] * (*last + s->weight[half] * (last[step] - *last)) * (white - 2 * half)[1];
  im[0] = im[half] = 0;
  real_fft_inverse(s->fft, re, im, s->now);
}

/* audio += gain (cos(pi w / 2) before + sin(pi w / 2) now), four samples at once by rotation. */
static void fade_over(const float *before, const float *now, int n, double w0, double dw, float gain, float *audio) {
  f4 c, d;
  double turn_c = sine(0.25 * dw + 0.25), turn_d = sine(0.25 * dw), x = sine(0.25 * w0 + 0.25), y = sine(0.25 * w0);
  for (int i = 0; i < 4; i++) {
    c[i] = gain * (float)x, d[i] = gain * (float)y;
    double next = x * turn_c - y * turn_d;
    y = y * turn_c + x * turn_d, x = next;
  }
  f4 step_c = SPLAT((float)sine(dw + 0.25)), step_d = SPLAT((float)sine(dw));
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    STORE(audio + i, LOAD(audio + i) + c * LOAD(before + i) + d * LOAD(now + i));
    f4 next = c * step_c - d * step_d;
    d = d * step_c + c * step_d, c = next;
  }
  for (int k = 0; i < n; i++, k++) audio[i] += c[k] * before[i] + d[k] * now[i];
}

void noise_process(Noise *s, Clock clock, const float *magnitudes, int stride, const float *white, unsigned seed,
                   int n_frames, float gain, float *audio) {
  for (int t = 0; t < n_frames; t++, clock.frame++) {
    if (!white) noise_fill(seed, (unsigned)clock.frame, 1, s->length, s->white);
    shape(s, magnitudes + (long)t * stride, white ? white + (long)t * s->length : s->white);
    if (clock.frame > 0) {
      double w0, dw;
      int n = clock_interval(&clock, &w0, &dw);
      const float *before = s->before + clock_start(s->sample_rate, clock.frame - 1) - clock_start(s->sample_rate, clock.frame - 2);
      fade_over(before, s->now, n, w0, dw, gain, audio);
      audio += n;
    }
    float *swap = s->now;
    s->now = s->before, s->before = swap;
  }
}

/* A well-mixed hash of 32 bits (Chris Wellons, "lowbias32"), so that noise is a pure function of seed, frame and place. */
static inline u4 hash4(u4 x) {
  x ^= x >> 16;
  x *= (u4){0x7feb352dU, 0x7feb352dU, 0x7feb352dU, 0x7feb352dU};
  x ^= x >> 15;
  x *= (u4){0x846ca68bU, 0x846ca68bU, 0x846ca68bU, 0x846ca68bU};
  return x ^ (x >> 16);
}

EXPORT(noise_fill) void noise_fill(unsigned seed, unsigned first_frame, int n_frames, int length, float *noise) {
  u4 key = hash4((u4){seed, seed, seed, seed} + (u4){0x9e3779b9U, 0x9e3779b9U, 0x9e3779b9U, 0x9e3779b9U});
  for (int t = 0; t < n_frames; t++) {
    unsigned frame = first_frame + (unsigned)t;
    u4 row = hash4(key ^ (u4){frame, frame, frame, frame});
    for (int k = 0; k < length; k += 4) {
      unsigned place = (unsigned)k;
      u4 bits = hash4(row + (u4){place, place + 1, place + 2, place + 3});
      f4 unit = __builtin_convertvector((i4)(bits >> 8), f4) * SPLAT(2.0f / 16777216) - SPLAT(1.0f);
      STORE(noise, unit * SPLAT(1.7320508f)); /* uniform with unit variance */
      noise += 4;
    }
  }
}
