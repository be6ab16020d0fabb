/* Pitch by the normalised square difference function (McLeod and Wyvill, ICMC 2005), in four windows at once.

   The signal is halved in rate three times, and at each rate the same window of 256 samples is analysed: 16, 32, 64 and
   128 ms for pitches down to 104, 52 and (the last two) 36 Hz. The shortest window that shows a clear period wins, so high notes
   are followed quickly and low ones at all. Peaks are searched on a grid four times finer than the samples: at the
   sample grid a 3 kHz period of 5.3 samples is missed and a multiple of it wins. */
#include "internal.h"

#define LAST_LAG 153        /* 0.6 of the window: 40 % of it overlaps its shifted copy */
#define FIRST_LAG 4         /* 4 kHz in the first window */
#define LOWEST_HZ 36.0f     /* what is slower is rumble */
#define REACH 8             /* taps of the interpolator on each side */
#define N_LAGS (LAST_LAG + REACH + 2) /* lags the interpolator may look at */
#define LAGS_AT_ONCE 16
#define MAX_LAGS ROUND_UP(N_LAGS, LAGS_AT_ONCE)
#define FIRST_PEAK 0.92f    /* the first peak this close to the highest is the period */
#define MULTIPLE 0.95f      /* a longer window's multiple of a shorter one's period counts for so much: every multiple fits */
#define BLIND 0.8f          /* and all it shows for so much where its rate cannot show that period */
#define CLEAR 0.91f         /* a window this clear ends the search */
#define FLOOR_ENERGY 1e-9f  /* mean square below which a window is silent (-90 dB) */
#define HALFBAND_REACH 15
#define RING 2048           /* samples kept of each rate; a power of two */

typedef struct {
  float ring[2 * RING]; /* written twice, so that any window is contiguous */
  long long n;          /* samples so far */
} Rate;

struct Pitch {
  int centred;
  double rumble[2][2]; /* state of the two sections of the high-pass */
  long long frame;
  Rate rates[PITCH_LEVELS];
  float halfband[2 * HALFBAND_REACH + 2]; /* and a zero */
  float sinc[4][2 * REACH];           /* interpolators at quarter lags */
  /* scratch */
  float window[PITCH_WINDOW + 2 * LAGS_AT_ONCE]; /* and zeros */
  float strided[PITCH_WINDOW];                   /* its samples in the order 0 4 8 12 1 5 9 13 2 ... */
  float correlation[REACH + MAX_LAGS];           /* from lag -REACH on */
  float power[PITCH_WINDOW + 4], nsdf[MAX_LAGS];
};

Pitch *pitch_new(int centred) {
  Pitch *p = engine_alloc(sizeof *p);
  p->centred = centred;
  double sum = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k <= HALFBAND_REACH; k++) { /* Hann-windowed sinc at half the rate */
      double window = 0.5 + 0.5 * sine(k / (2.0 * (HALFBAND_REACH + 1)) + 0.25);
      double h = k == 0 ? 0.5 : sine(k / 4.0) / (PI * k) * window;
      if (pass) p->halfband[HALFBAND_REACH + k] = p->halfband[HALFBAND_REACH - k] = (float)(h / sum);
      else sum += k ? 2 * h : h;
    }
  for (int q = 0; q < 4; q++)
    for (int k = 0; k < 2 * REACH; k++) {
      double x = k - (REACH - 1) - q / 4.0;
      double sinc = x == 0 ? 1 : sine(x / 2) / (PI * x);
      double window = 0.5 + 0.5 * sine(x / (2.0 * (REACH + 0.25)) + 0.25);
      p->sinc[q][k] = (float)(sinc * window);
    }
  return p;
}

/* Samples (at the rate of the level) that the halving filters hold back, in 16 kHz samples. */
static int held_back(int level) { return HALFBAND_REACH * ((1 << level) - 1); }

int pitch_lookahead(const Pitch *p) {
  int last = PITCH_LEVELS - 1;
  return p->centred ? ROUND_UP((PITCH_WINDOW / 2 << last) + held_back(last), HOP) : 0;
}

static void rate_push(Rate *rate, float x) {
  int at = (int)(rate->n++ & (RING - 1));
  rate->ring[at] = rate->ring[at + RING] = x;
}

/* The n samples that end before sample `end`. */
static const float *rate_window(const Rate *rate, long long end, int n) {
  return rate->ring + ((end - n) & (RING - 1));
}

const float *pitch_samples(const Pitch *p, int level, int n) {
  long long frame = p->frame - pitch_lookahead(p) / HOP;
  return rate_window(&p->rates[level], p->centred ? (frame * HOP >> level) + n / 2 : p->rates[level].n, n);
}

/* Butterworth high-pass of fourth order at 36 Hz: rumble, which decaying strings sink into, would pass for very low
   notes. A note of 40 Hz only gets softer by it. */
static float without_rumble(Pitch *p, double x) {
  static const double GAIN = 0.9816982695764583;
  static const double FEEDBACK[2][2] = {{-1.9740182726413276, 0.9742155522114528}, {-1.9890396791289175, 0.9892384599093688}};
  x *= GAIN;
  for (int s = 0; s < 2; s++) { /* 1 - 2 z^-1 + z^-2 over 1 + a z^-1 + b z^-2, transposed */
    double *state = p->rumble[s], y = x + state[0];
    state[0] = -2 * x - FEEDBACK[s][0] * y + state[1];
    state[1] = x - FEEDBACK[s][1] * y;
    x = y;
  }
  return (float)x;
}

void pitch_push(Pitch *p, const float *hop) {
  for (int i = 0; i < HOP; i++) rate_push(&p->rates[0], without_rumble(p, hop[i]));
  for (int s = 0; s < 2; s++)
    for (int k = 0; k < 2; k++) /* a decaying filter must not end in denormal numbers, which are slow */
      if (p->rumble[s][k] < 1e-30 && p->rumble[s][k] > -1e-30) p->rumble[s][k] = 0;
  for (int level = 1; level < PITCH_LEVELS; level++) {
    Rate *from = &p->rates[level - 1], *to = &p->rates[level];
    while (2 * to->n + HALFBAND_REACH < from->n) {
      const float *x = rate_window(from, 2 * to->n + HALFBAND_REACH + 1, 2 * HALFBAND_REACH + 1);
      rate_push(to, dot(x, p->halfband, 2 * HALFBAND_REACH + 2));
    }
  }
  p->frame++;
}

/* The correlation of the window with itself at 16 lags. A square of 4 samples, 4 apart, by 4 vectors of lags shares 7
   loads: sample i and lags l .. l + 3 meet the same part of the window as sample i + 4 and lags l - 4 .. l - 1. */
static void correlate16(const Pitch *p, int lag, float *r) {
  f4 a = SPLAT(0.0f), b = a, c = a, d = a;
  for (int i = 0; i < PITCH_WINDOW - lag; i += 16) {
    const float *w = p->window + lag + i, *strided = p->strided + i;
#pragma GCC unroll 1
    for (int k = 0; k < 4; k++, w++, strided += 4) {
      f4 s = LOAD(strided), w0 = LOAD(w), w4 = LOAD(w + 4), w8 = LOAD(w + 8), w12 = LOAD(w + 12);
      f4 w16 = LOAD(w + 16), w20 = LOAD(w + 20), w24 = LOAD(w + 24);
      a += LANE(s, 0) * w0, b += LANE(s, 0) * w4, c += LANE(s, 0) * w8, d += LANE(s, 0) * w12;
      a += LANE(s, 1) * w4, b += LANE(s, 1) * w8, c += LANE(s, 1) * w12, d += LANE(s, 1) * w16;
      a += LANE(s, 2) * w8, b += LANE(s, 2) * w12, c += LANE(s, 2) * w16, d += LANE(s, 2) * w20;
      a += LANE(s, 3) * w12, b += LANE(s, 3) * w16, c += LANE(s, 3) * w20, d += LANE(s, 3) * w24;
    }
  }
  STORE(r, a), STORE(r + 4, b), STORE(r + 8, c), STORE(r + 12, d);
}

/* Autocorrelation r and NSDF of a window, lags 0 .. n_lags - 1. Returns the mean square, 0 when silent. */
static float correlate(Pitch *p, const float *x, int n_lags) {
  f4 sum = SPLAT(0.0f);
  for (int i = 0; i < PITCH_WINDOW; i += 4) sum += LOAD(x + i);
  float mean = (sum[0] + sum[1] + sum[2] + sum[3]) / PITCH_WINDOW, energy = 0;
  for (int i = 0; i < PITCH_WINDOW; i += 16) {
    f4 w[4];
    for (int k = 0; k < 4; k++) {
      w[k] = LOAD(x + i + 4 * k) - SPLAT(mean);
      STORE(p->window + i + 4 * k, w[k]);
      f4 power = w[k] * w[k]; /* running sums of four, then of all */
      power += __builtin_shufflevector(power, SPLAT(0.0f), 4, 0, 1, 2);
      power += __builtin_shufflevector(power, SPLAT(0.0f), 4, 4, 0, 1);
      STORE(p->power + 1 + i + 4 * k, SPLAT(energy) + power);
      energy += power[3];
    }
    transpose4(w);
    for (int k = 0; k < 4; k++) STORE(p->strided + i + 4 * k, w[k]);
  }
  if (!(energy > FLOOR_ENERGY * PITCH_WINDOW)) return 0;
  float *r = p->correlation + REACH;
  for (int lag = 0; lag < n_lags; lag += LAGS_AT_ONCE) correlate16(p, lag, r + lag);
  for (int lag = 0; lag < n_lags; lag += 4) {
    f4 tail = LOAD(p->power + PITCH_WINDOW - lag - 3);
    f4 m = __builtin_shufflevector(tail, tail, 3, 2, 1, 0) + SPLAT(energy) - LOAD(p->power + lag);
    STORE(p->nsdf + lag, SPLAT(2.0f) * LOAD(r + lag) / (m + SPLAT(1e-9f * energy)));
  }
  for (int k = 1; k <= REACH; k++) r[-k] = r[k];
  return energy / PITCH_WINDOW;
}

/* NSDF at lag + quarters / 4. */
static float nsdf_between(const Pitch *p, int lag, int quarters) {
  lag += quarters >> 2, quarters &= 3;
  if (!quarters) return p->nsdf[lag];
  float r = dot(p->correlation + lag + 1, p->sinc[quarters], 2 * REACH);
  float f = (float)quarters / 4, energy = p->power[PITCH_WINDOW];
  float m0 = p->power[PITCH_WINDOW - lag] + energy - p->power[lag];
  float m1 = p->power[PITCH_WINDOW - lag - 1] + energy - p->power[lag + 1];
  return 2 * r / (m0 + f * (m1 - m0) + 1e-9f * energy);
}

/* The summit near an integer lag: the best quarter, then a parabola through its neighbours. */
static Candidate summit(const Pitch *p, int lag, float rate) {
  float y[7];
  int best = 0;
  for (int q = 0; q < 7; q++) {
    y[q] = nsdf_between(p, lag, q - 3);
    if (y[q] > y[best]) best = q;
  }
  float a = best > 0 ? y[best - 1] : nsdf_between(p, lag, -4), b = y[best];
  float c = best < 6 ? y[best + 1] : nsdf_between(p, lag, 4);
  float curve = a - 2 * b + c, offset = curve < 0 ? clampf(0.5f * (a - c) / curve, -0.5f, 0.5f) : 0;
  Candidate found = {rate / ((float)lag + 0.25f * ((float)(best - 3) + offset)), b - 0.25f * (a - c) * offset};
  return found;
}

void pitch_frame(Pitch *p, PitchFrame *out) {
  enum { MAX_PEAKS = 64 };
  out->n = out->levels = 0;
  for (int k = 0; k < 4; k++) out->tilt[k] = 0;
  out->best.f0_hz = out->best.clarity = 0;
  long long frame = p->frame - pitch_lookahead(p) / HOP;
  float now = 0; /* power in the shortest window */
  for (int level = 0; level < PITCH_LEVELS; level++) {
    Rate *rate = &p->rates[level];
    long long end = p->centred ? (frame * HOP >> level) + PITCH_WINDOW / 2 : rate->n;
    float hz = (float)(ANALYSIS_RATE >> level);
    int last = mini(LAST_LAG, (int)(hz / LOWEST_HZ));
    float power = correlate(p, rate_window(rate, end, PITCH_WINDOW), last + REACH + 2);
    out->levels = level + 1, out->top[level] = 0;
    if (level == 0 && power)
      for (int k = 0; k < 4; k++) out->tilt[k] = p->correlation[REACH + (1 << k)] / p->correlation[REACH];
    if (level == 0) now = power;
    if (!power) continue;
    /* A long window still holds a note that is over by now: no clearer than the sound of the moment is loud. */
    float present = minf(1, now / (0.02f * power));
    int lag = 1;
    while (lag < last && p->nsdf[lag] >= 0) lag++;
    float highest = 0;
    for (int i = maxi(lag, FIRST_LAG); i <= last; i++) highest = maxf(highest, p->nsdf[i]);
    Candidate peaks[MAX_PEAKS];
    int n = 0;
    for (lag = maxi(lag, FIRST_LAG); lag <= last && n < MAX_PEAKS; lag++) {
      /* A short period may fall between two samples: its peak shows less there. */
      float y = p->nsdf[lag], least = (lag < 12 ? 0.3f : 0.6f) * highest;
      if (y > least && y > 0.2f && y > p->nsdf[lag - 1] && y >= p->nsdf[lag + 1]) peaks[n++] = summit(p, lag, hz);
    }
    if (!n) continue;
    float top = 0;
    for (int i = 0; i < n; i++) top = maxf(top, peaks[i].clarity);
    out->top[level] = top;
    for (int i = 0; i < n; i++) peaks[i].clarity *= present;
    top *= present;
    int first = 0;
    while (peaks[first].clarity < FIRST_PEAK * top) first++;
    Candidate chosen = peaks[first];
    float ratio = out->best.f0_hz / chosen.f0_hz, multiple = __builtin_floorf(ratio + 0.5f);
    int below = multiple >= 2 && ratio - multiple < 0.1f && multiple - ratio < 0.1f;
    if (below && out->best.f0_hz * FIRST_LAG > hz) {
      for (int i = 0; i < n; i++) peaks[i].clarity *= BLIND;
      chosen = peaks[first], below = 0;
    }
    if (chosen.clarity * (below ? MULTIPLE : 1) > out->best.clarity) out->best = chosen;
    /* The chosen peak and the two highest others. */
    out->candidates[out->n++] = chosen;
    peaks[first].clarity = -1;
    for (int more = 0; more < 2; more++) {
      int high = 0;
      for (int i = 1; i < n; i++)
        if (peaks[i].clarity > peaks[high].clarity) high = i;
      if (peaks[high].clarity > 0.1f) out->candidates[out->n++] = peaks[high];
      peaks[high].clarity = -1;
    }
    if (chosen.clarity > CLEAR) break;
  }
}

/* The clearest period in the newest 8 ms, from 250 Hz up: too short to be trusted alone, but the first to hear a new note. */
Candidate pitch_newest(const Pitch *p) {
  enum { SIZE = 128, FIRST = 10, LAST = 64 };
  const float *x = rate_window(&p->rates[0], p->rates[0].n, SIZE);
  Candidate found = {0, 0};
  float y[LAST + 2], energy = dot(x, x, SIZE), left = energy, right = energy, top = 0;
  if (!(energy > FLOOR_ENERGY * SIZE)) return found;
  int negative = 0, first = LAST + 1;
  for (int lag = 1; lag <= LAST + 1; lag++) {
    int n = SIZE - lag;
    right -= x[lag - 1] * x[lag - 1], left -= x[n] * x[n];
    float r = dot(x, x + lag, n & ~3);
    for (int i = n & ~3; i < n; i++) r += x[i] * x[i + lag];
    y[lag] = 2 * r / (left + right + 1e-9f * energy);
    if (!negative && y[lag] < 0) negative = 1, first = lag;
    if (negative && lag >= FIRST && lag <= LAST) top = maxf(top, y[lag]);
  }
  for (int lag = maxi(first, FIRST); lag <= LAST; lag++)
    if (y[lag] > FIRST_PEAK * top && y[lag] > y[lag - 1] && y[lag] >= y[lag + 1]) {
      float curve = y[lag - 1] - 2 * y[lag] + y[lag + 1], offset = 0.5f * (y[lag - 1] - y[lag + 1]) / curve;
      found.f0_hz = ANALYSIS_RATE / ((float)lag + clampf(offset, -0.5f, 0.5f)), found.clarity = y[lag];
      break;
    }
  return found;
}
