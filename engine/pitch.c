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
#define N_LAGS (LAST_LAG + REACH + 2)
#define FIRST_PEAK 0.92f    /* the first peak this close to the highest is the period */
#define MULTIPLE 0.95f      /* a longer window's multiple of a shorter one's period counts for so much: every multiple fits */
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
  float halfband[HALFBAND_REACH + 1]; /* one side, [0] the centre */
  float sinc[4][2 * REACH];           /* interpolators at quarter lags */
  /* scratch */
  float window[PITCH_WINDOW + 8], r[N_LAGS + 8], mirrored[REACH + N_LAGS], power[PITCH_WINDOW + 1], nsdf[N_LAGS];
};

Pitch *pitch_new(int centred) {
  Pitch *p = engine_alloc(sizeof *p);
  p->centred = centred;
  double sum = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k <= HALFBAND_REACH; k++) { /* Hann-windowed sinc at half the rate */
      double window = 0.5 + 0.5 * sine(k / (2.0 * (HALFBAND_REACH + 1)) + 0.25);
      double h = k == 0 ? 0.5 : sine(k / 4.0) / (PI * k) * window;
      if (pass) p->halfband[k] = (float)(h / sum);
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
      const float *x = rate_window(from, 2 * to->n + HALFBAND_REACH + 1, 2 * HALFBAND_REACH + 1) + HALFBAND_REACH;
      float y = p->halfband[0] * x[0];
      for (int k = 1; k <= HALFBAND_REACH; k += 2) y += p->halfband[k] * (x[k] + x[-k]);
      rate_push(to, y);
    }
  }
  p->frame++;
}

/* Autocorrelation r and NSDF of the window, lags 0 .. N_LAGS - 1. Returns the mean square, 0 when silent. */
static float correlate(Pitch *p, const float *x) {
  float mean = 0, energy = 0;
  for (int i = 0; i < PITCH_WINDOW; i++) mean += x[i];
  mean /= PITCH_WINDOW;
  p->power[0] = 0;
  for (int i = 0; i < PITCH_WINDOW; i++) {
    p->window[i] = x[i] - mean;
    energy += p->window[i] * p->window[i];
    p->power[i + 1] = energy;
  }
  if (!(energy > FLOOR_ENERGY * PITCH_WINDOW)) return 0;
  const float *w = p->window;
  for (int lag = 0; lag < N_LAGS; lag += 4) { /* four lags at once share their loads */
    f4 a = SPLAT(0.0f), b = a, c = a, d = a;
    int i = 0, n = PITCH_WINDOW - lag - 3;
    for (; i + 4 <= n; i += 4) {
      f4 v = LOAD(w + i);
      a += v * LOAD(w + i + lag), b += v * LOAD(w + i + lag + 1);
      c += v * LOAD(w + i + lag + 2), d += v * LOAD(w + i + lag + 3);
    }
    float sums[4] = {a[0] + a[1] + a[2] + a[3], b[0] + b[1] + b[2] + b[3], c[0] + c[1] + c[2] + c[3],
                     d[0] + d[1] + d[2] + d[3]};
    for (int j = 0; j < 4; j++) {
      for (int t = i; t + lag + j < PITCH_WINDOW; t++) sums[j] += w[t] * w[t + lag + j];
      p->r[lag + j] = sums[j];
    }
  }
  for (int lag = 0; lag < N_LAGS; lag++) {
    float m = p->power[PITCH_WINDOW - lag] + energy - p->power[lag];
    p->nsdf[lag] = 2 * p->r[lag] / (m + 1e-9f * energy);
  }
  for (int k = 0; k < REACH + N_LAGS; k++) p->mirrored[k] = p->r[k < REACH ? REACH - k : k - REACH];
  return energy / PITCH_WINDOW;
}

/* NSDF at lag + quarters / 4. */
static float nsdf_between(const Pitch *p, int lag, int quarters) {
  lag += quarters >> 2, quarters &= 3;
  if (!quarters) return p->nsdf[lag];
  const float *r = p->mirrored + REACH + lag - (REACH - 1), *h = p->sinc[quarters];
  f4 sum = LOAD(r) * LOAD(h) + LOAD(r + 4) * LOAD(h + 4) + LOAD(r + 8) * LOAD(h + 8) + LOAD(r + 12) * LOAD(h + 12);
  float f = (float)quarters / 4, energy = p->power[PITCH_WINDOW];
  float m0 = p->power[PITCH_WINDOW - lag] + energy - p->power[lag];
  float m1 = p->power[PITCH_WINDOW - lag - 1] + energy - p->power[lag + 1];
  return 2 * (sum[0] + sum[1] + sum[2] + sum[3]) / (m0 + f * (m1 - m0) + 1e-9f * energy);
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
  out->n = 0;
  out->best.f0_hz = out->best.clarity = 0;
  long long frame = p->frame - pitch_lookahead(p) / HOP;
  float now = 0; /* power in the shortest window */
  for (int level = 0; level < PITCH_LEVELS; level++) {
    Rate *rate = &p->rates[level];
    long long end = p->centred ? (frame * HOP >> level) + PITCH_WINDOW / 2 : rate->n;
    float power = correlate(p, rate_window(rate, end, PITCH_WINDOW));
    if (level == 0) now = power;
    if (!power) continue;
    /* A long window still holds a note that is over by now: no clearer than the sound of the moment is loud. */
    float present = minf(1, now / (0.02f * power));
    float hz = (float)(ANALYSIS_RATE >> level);

    int lag = 1, last = mini(LAST_LAG, (int)(hz / LOWEST_HZ));
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
    for (int i = 0; i < n; i++) top = maxf(top, peaks[i].clarity *= present);
    int first = 0;
    while (peaks[first].clarity < FIRST_PEAK * top) first++;
    Candidate chosen = peaks[first];
    float ratio = out->best.f0_hz / chosen.f0_hz, multiple = __builtin_floorf(ratio + 0.5f);
    int below = multiple >= 2 && ratio - multiple < 0.1f && multiple - ratio < 0.1f;
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
