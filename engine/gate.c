/* How sure is it that a pitched sound is heard? A small recurrent network (GRU; Cho et al., EMNLP 2014) that hears what a
   period alone cannot say: whether the level has just risen, how the spectrum is tilted, whether it stays. So it knows a
   note from its first milliseconds, before its period can be known, and breath, sibilants and clicks for what they are.
   Nothing in its inputs depends on the level of the recording. Trained by recipes/gate.py. */
#include "internal.h"

#include "gate_weights.h" /* GATE_SCALE, and as bytes GATE_IN, GATE_BACK, GATE_BIAS, GATE_OUT */

#define SILENCE_DB -95.0f /* digital silence, not the noise of a room */
#define SHORT 80          /* samples at 8 kHz: 10 ms, in which onsets are looked at */
#define SHORT_LAGS 40
#define HISTORY 16
#define STEADY_CLARITY 0.93f /* a period so clear that stays for 50 ms is a pitch, whatever the network thinks of it, */
#define STEADY_HIGH 0.88f     /* (above 1.5 kHz, where noise takes more of it) */
#define HIGH_HZ 1500
#define STEADY_DB 2.0f      /* unless the level has fallen and long windows still hold what was before */
#define STEADY_OCTAVES 0.03f
#define STEADY_FRAMES 10
#define STEADY_ON 6      /* frames are enough to go on, */
#define STEADY_ON_HIGH 3 /* (up there) */
#define RISE_INPUT 17 /* level against that of 3 frames ago, in 20 dB */
#define RISEN 0.75f
#define NEW_CLARITY 0.8f
#define ON 0.9f       /* so sure it must be that a pitched sound begins, */
#define ATTACK 0.15f  /* down to only so sure the more its level has just risen: a late note is worse than a voiced breath; */
#define OFF 0.85f     /* and so sure that it goes on */
#define RISE_LEAST 0.75f /* 15 dB: from here */
#define RISE_MOST 1.5f   /* to 30 dB, which breath and consonants seldom do */
#define ATTACK_FRAMES 12 /* in which a rise is forgotten */
#define ABOVE_DB 6.0f    /* what is not so far above what was heard before begins no pitched sound, as rumble and chords would, */
#define STILL_FRAMES 16  /* unless its pitch has stood still for so long, */
#define STILL_OCTAVES 0.06f
#define BEGUN_FRAMES 20  /* or a recording has just begun, maybe in the midst of a note */
#define REST_FALL 0.02f  /* what was heard before, as level: falls by this share of the difference a frame, */
#define REST_RISE_DB 0.1f /* rises by so much a frame, */
#define REST_FRAMES 4    /* until so many are averaged is the level itself, */
#define BELOW_DB 10.0f   /* and lies at least so far below what is pitched */
#define WIDTH (3 * GATE_UNITS)

struct Gate {
  float inputs[GATE_INPUTS], state[GATE_UNITS];
  float in[GATE_INPUTS][WIDTH], back[GATE_UNITS][WIDTH], bias[2][WIDTH], out[GATE_UNITS + 4];
  float level_db[HISTORY], power[4]; /* of the last hops, rings */
  float mean_db, loudest_db;         /* of the last four; the loudest of those, falling by 50 dB a second */
  float slow_db, fast_db;            /* noise floors: rise by 3 and 30 dB a second, fall at once */
  float rest_db;                     /* between pitched sounds */
  float octave, top[PITCH_LEVELS];   /* of the frame before */
  int known, still, steady;          /* frames that a pitch, a clear period has stayed */
  float attack;                      /* how likely an attack is, 0 to 1 */
  int sounding;                      /* whether a pitched sound was heard */
  long long n;
};

Gate *gate_new(void) {
  Gate *g = engine_alloc(sizeof *g);
  for (int i = 0; i < GATE_INPUTS * WIDTH; i++) (&g->in[0][0])[i] = GATE_SCALE * GATE_IN[i];
  for (int i = 0; i < GATE_UNITS * WIDTH; i++) (&g->back[0][0])[i] = GATE_SCALE * GATE_BACK[i];
  for (int i = 0; i < 2 * WIDTH; i++) (&g->bias[0][0])[i] = GATE_SCALE * GATE_BIAS[i];
  for (int i = 0; i < GATE_UNITS + 1; i++) g->out[i] = GATE_SCALE * GATE_OUT[i];
  return g;
}

const float *gate_inputs(const Gate *g) { return g->inputs; }

float gate_level_db(const Gate *g) { return g->mean_db; }

/* Autocorrelation at lags 1, 2, 4 and 8, relative to that at 0: the tilt of the spectrum. */
static void tilt(const float *x, int n, float *to) {
  float energy = dot(x, x, n) + 1e-12f;
  for (int k = 0; k < 4; k++) to[k] = dot(x, x + (1 << k), (n - (1 << k)) & ~3) / energy;
}

/* The highest NSDF of 10 ms at lags of 0.4 to 5 ms, beyond the first negative one. */
static float short_clarity(const float *x) {
  float energy = dot(x, x, SHORT), left = energy, right = energy, top = 0;
  int negative = 0;
  for (int lag = 1; lag <= SHORT_LAGS; lag++) {
    right -= x[lag - 1] * x[lag - 1], left -= x[SHORT - lag] * x[SHORT - lag];
    float r = dot(x, x + lag, (SHORT - lag) & ~3);
    for (int i = (SHORT - lag) & ~3; i < SHORT - lag; i++) r += x[i] * x[i + lag];
    float y = 2 * r / (left + right + 1e-3f * energy + 1e-12f);
    negative |= y < 0;
    if (negative && lag >= 3) top = maxf(top, y);
  }
  return top;
}

static void measure(Gate *g, const Pitch *pitch, const PitchFrame *frame) {
  float *x = g->inputs;
  const float *hop = pitch_samples(pitch, 0, HOP);
  float energy = dot(hop, hop, HOP), peak = 0, octave = 0;
  for (int i = 0; i < HOP; i++) peak = maxf(peak, hop[i] * hop[i]);
  for (int level = 0; level < PITCH_LEVELS; level++) { /* where a shorter window is clear the longer say what they said */
    if (level < frame->levels) g->top[level] = frame->top[level];
    *x++ = g->top[level];
  }
  *x++ = frame->best.clarity;
  if (frame->n) octave = octaves(frame->best.f0_hz / 220);
  float moved = frame->n ? minf(__builtin_fabsf(octave - g->octave), 1) : 1;
  float least = frame->best.f0_hz > HIGH_HZ ? STEADY_HIGH : STEADY_CLARITY;
  g->still = moved < STILL_OCTAVES ? g->still + 1 : 0;
  g->steady = frame->best.clarity > least && moved < STEADY_OCTAVES ? g->steady + 1 : 0;
  *x++ = moved;
  *x++ = octave / 3;
  g->octave = octave;
  for (int k = 0; k < 4; k++) *x++ = frame->tilt[k];
  tilt(hop, HOP, x);
  x += 4;

  float level_db = decibels(energy / HOP + 1e-10), mean = 0;
  for (int k = 0; k < 5; k++) {
    static const int BEFORE[5] = {1, 2, 3, 6, 12};
    float then = g->n >= BEFORE[k] ? g->level_db[(g->n - BEFORE[k]) % HISTORY] : -100;
    *x++ = clampf((level_db - then) / 20, -1.5f, 1.5f);
  }
  g->level_db[g->n % HISTORY] = level_db, g->power[g->n & 3] = energy / HOP;
  for (int k = 0; k < 4; k++) mean += 0.25f * g->power[k];
  g->mean_db = decibels(mean + 1e-10);
  g->loudest_db = g->n ? maxf(g->loudest_db - 50.0f / FRAME_RATE, g->mean_db) : g->mean_db;
  if (level_db > SILENCE_DB) {
    g->slow_db = g->known ? minf(g->slow_db + 3.0f / FRAME_RATE, g->mean_db) : g->mean_db;
    g->fast_db = g->known ? minf(g->fast_db + 30.0f / FRAME_RATE, g->mean_db) : g->mean_db;
    g->known = 1;
  }
  float apart = g->mean_db - g->rest_db;
  g->rest_db += g->n <= REST_FRAMES ? apart : apart < 0 ? REST_FALL * apart : minf(apart, REST_RISE_DB);
  if (g->sounding) g->rest_db = minf(g->rest_db, g->mean_db - BELOW_DB);
  *x++ = g->known ? clampf((level_db - g->slow_db) / 20, 0, 2) : 0;
  *x++ = g->known ? clampf((level_db - g->fast_db) / 20, 0, 2) : 0;
  *x++ = short_clarity(pitch_samples(pitch, 1, SHORT));
  *x++ = peak / (energy + 1e-9f);
  g->n++;
}

/* tanh by its continued fraction, to 1e-4. */
static float squash(float x) {
  x = clampf(x, -4.9f, 4.9f);
  float z = x * x;
  return x * (135135 + z * (17325 + z * (378 + z))) / (135135 + z * (62370 + z * (3150 + 28 * z)));
}
static float sigmoid(float x) { return 0.5f + 0.5f * squash(0.5f * x); }

/* out += sum_i x[i] w[i] */
static void accumulate(const float *x, int n, const float (*w)[WIDTH], float *out) {
  for (int i = 0; i < n; i++)
    for (int k = 0; k < WIDTH; k += 4) STORE(out + k, LOAD(out + k) + SPLAT(x[i]) * LOAD(w[i] + k));
}

float gate_push(Gate *g, const Pitch *pitch, const PitchFrame *frame) {
  measure(g, pitch, frame);
  float a[WIDTH], b[WIDTH], y = g->out[GATE_UNITS];
  memcpy(a, g->bias[0], sizeof a), memcpy(b, g->bias[1], sizeof b);
  accumulate(g->inputs, GATE_INPUTS, (const float (*)[WIDTH])g->in, a);
  accumulate(g->state, GATE_UNITS, (const float (*)[WIDTH])g->back, b);
  for (int k = 0; k < GATE_UNITS; k++) { /* reset, update and new, as PyTorch orders them */
    float reset = sigmoid(a[k] + b[k]), update = sigmoid(a[GATE_UNITS + k] + b[GATE_UNITS + k]);
    float fresh = squash(a[2 * GATE_UNITS + k] + reset * b[2 * GATE_UNITS + k]);
    g->state[k] = fresh + update * (g->state[k] - fresh);
    y += g->state[k] * g->out[k];
  }
  float sure = sigmoid(y), clarity = frame->best.clarity;
  float risen = clampf((g->inputs[RISE_INPUT] - RISE_LEAST) / (RISE_MOST - RISE_LEAST), 0, 1);
  g->attack = maxf(risen, g->attack - 1.0f / ATTACK_FRAMES);
  float least = ON + (ATTACK - ON) * g->attack;
  if (g->sounding) least = minf(least, OFF);
  /* A sound so new that it fills a tenth of the shortest window, and yet so clear there, has a pitch. */
  int rising = g->inputs[RISE_INPUT] > RISEN && frame->top[0] > NEW_CLARITY;
  int on = frame->best.f0_hz > HIGH_HZ ? STEADY_ON_HIGH : STEADY_ON;
  int steady = g->steady >= (g->sounding ? on : STEADY_FRAMES) && g->mean_db > g->loudest_db - STEADY_DB;
  if (rising || steady) sure = maxf(sure, maxf(least, minf(clarity, 1)));
  int low = g->n > BEGUN_FRAMES && g->mean_db < g->rest_db + ABOVE_DB;
  if (low && !g->sounding && g->still < STILL_FRAMES) sure = 0;
  g->sounding = sure >= least;
  return sure < least ? 0.5f * sure / least : 0.5f + 0.5f * (sure - least) / (1 - least);
}
