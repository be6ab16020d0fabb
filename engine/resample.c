/* Resampling by a Kaiser-windowed sinc, one row of taps for each phase between input samples
   (Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/). */
#include "internal.h"

#define CHUNK 4096
#define MAX_PHASES 1024 /* rates without a short ratio read between two of 1024 phases, in a straight line */
#define KAISER_BETA 8.0 /* stop band -80 dB */

struct Resampler {
  int step_in, step_out; /* rate_in / rate_out, reduced */
  int half, taps, phases, between;
  float *table, *buffer;
  int filled;         /* samples in the buffer */
  long long next_num; /* position of the next output in the buffer, times step_out */
  int started;
};

static double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; k < 40; k++) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

/* Input samples after the place of an output that it depends on. */
int resampler_reach(int rate_in, int rate_out, int zero_crossings) {
  double stretch = rate_in > rate_out ? (double)rate_in / rate_out : 1;
  return rate_in == rate_out ? 0 : (int)(zero_crossings * stretch) + 1;
}

Resampler *resampler_design(int rate_in, int rate_out, int zero_crossings, double cutoff) {
  Resampler *r = engine_alloc(sizeof *r);
  int a = rate_in, b = rate_out;
  while (b) {
    int t = a % b;
    a = b, b = t;
  }
  r->step_in = rate_in / a, r->step_out = rate_out / a;
  double stretch = rate_in > rate_out ? (double)rate_in / rate_out : 1;
  r->half = (int)(zero_crossings * stretch) + 1;
  r->taps = ROUND_UP(2 * r->half, 4);
  r->phases = mini(r->step_out, MAX_PHASES);
  r->between = r->phases < r->step_out;
  r->table = engine_alloc((r->phases + r->between) * r->taps * (int)sizeof(float));
  r->buffer = engine_alloc((CHUNK + r->taps + 4) * (int)sizeof(float));
  cutoff /= stretch;
  for (int p = 0; p < r->phases + r->between; p++) {
    float *row = r->table + p * r->taps;
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int k = 0; k < 2 * r->half; k++) {
        double x = k - (r->half - 1) - (double)p / r->phases, edge = x / r->half, turns = 0.5 * cutoff * x;
        double sinc = x == 0 ? 1 : sine(turns) / (2 * PI * turns);
        double window = edge * edge < 1 ? bessel_i0(KAISER_BETA * __builtin_sqrt(1 - edge * edge)) : 0;
        if (pass) row[k] = (float)(sinc * window / sum);
        else sum += sinc * window;
      }
  }
  return r;
}

EXPORT(resampler_new) Resampler *resampler_new(int rate_in, int rate_out, int zero_crossings) {
  /* The transition band of a Kaiser window of 2 zero_crossings lobes, kept below Nyquist. */
  return resampler_design(rate_in, rate_out, zero_crossings, 1 - 2.5 / zero_crossings);
}

EXPORT(resampler_process) int resampler_process(Resampler *r, const float *in, int n, float *out) {
  int written = 0;
  if (!r->started) { /* the input is preceded by silence */
    r->filled = r->half - 1;
    r->next_num = (long long)(r->half - 1) * r->step_out;
    r->started = 1;
  }
  if (r->step_in == r->step_out) { /* equal rates: a wire */
    memcpy(out, in, (unsigned long)n * sizeof(float));
    return n;
  }
  while (n > 0) {
    int take = mini(n, CHUNK + r->taps - r->filled);
    memcpy(r->buffer + r->filled, in, (unsigned long)take * sizeof(float));
    r->filled += take, in += take, n -= take;
    for (;;) {
      int at = (int)(r->next_num / r->step_out), remainder = (int)(r->next_num % r->step_out);
      if (at + r->half >= r->filled) break;
      long long place = (long long)remainder * r->phases;
      const float *x = r->buffer + at - (r->half - 1), *h = r->table + (int)(place / r->step_out) * r->taps;
      float y = dot(x, h, r->taps);
      if (r->between) {
        float part = (float)(place % r->step_out) / (float)r->step_out;
        y += part * (dot(x, h + r->taps, r->taps) - y);
      }
      out[written++] = y;
      r->next_num += r->step_in;
    }
    int drop = mini((int)(r->next_num / r->step_out) - (r->half - 1), r->filled);
    memmove(r->buffer, r->buffer + drop, (unsigned long)(r->filled - drop) * sizeof(float));
    r->filled -= drop;
    r->next_num -= (long long)drop * r->step_out;
  }
  return written;
}
