/* The whole line as it comes: audio in, audio out, in blocks of any size.

   A frame is complete some samples after its instant (the resampler of the analysis looks ahead); the synthesiser then
   sounds the interval that it closes. Both together are the latency: what goes in at an instant comes out that much
   later, for any block size. */
#include "adjust.h"
#include "synth.h"

#define FADE_FRAMES 12         /* of one instrument into another: 60 ms */
#define REGION_BYTES (6 << 20) /* for one instrument; shipped ones need 1.5 MB at 48 kHz */
#define PIECE 64
#define HASTE 6                /* of a new sound's amplitudes */
#define CEILING 0.97f          /* of the limiter */
#define RELEASE 1.01f          /* of the limiter, a frame */
#define LOUDEST_IN 8.0f
#define LOUDEST_OUT 1e4f

/* What the host sets, floats in this order. NaN: automatic. */
enum { KEYS, OCTAVE, SEMITONES, FIT, LOUDNESS_DB, GATE_DB, HARMONIC_GAIN, NOISE_GAIN, WET, DRY, GAIN, N_SETTINGS };
#define FIRST_GAIN HARMONIC_GAIN

/* What the host may show, floats in this order. */
enum {
  INPUT_PEAK, INPUT_LOUDNESS_DB, INPUT_F0_HZ, INPUT_PERIODICITY,
  PLAYED_F0_HZ, PLAYED_PERIODICITY, PLAYED_LOUDNESS_DB, OUTPUT_PEAK,
  OCTAVE_NOW, FIT_DB, GATE_NOW_DB, FLOOR_DB, GATE_OPEN, LIMITER_GAIN, FRAME, BAD_SAMPLES, BROKEN_SAMPLES, N_METERS
};

typedef struct {
  Region *region; /* that holds all of it */
  int harmonics, bands;
  float *given;   /* by the host: bands, loudness, weights; 0 when there is no instrument to begin */
  Decoder *decoder;
  Synth *synth;
  Home home;
  Fit fit;
  float *parameters, *sound; /* of the last interval */
} Slot;

struct Live {
  int sample_rate, latency;
  unsigned seed;
  Clock clock;
  Analyzer *analyzer;
  Keyboard *keyboard;
  Convolver *room;
  Listener listener;
  Slot slots[2];
  int current, faded;                /* slot that sounds; frames for which the other fades out, 0 when silent */
  float settings[N_SETTINGS], gains[N_SETTINGS], meters[N_METERS];
  float limit;                       /* gain of the limiter */
  float *input, *queue;              /* rings of samples in and out */
  int ring;                          /* their length, a power of two */
  float *sound;                      /* one interval */
  long long received, written, sent; /* samples in, samples made, samples out */
  float controls[CONTROL_SIZE], adjusted[CONTROL_SIZE];
};

EXPORT(live_new) Live *live_new(int sample_rate, unsigned seed, int max_room_taps) {
  Live *l = engine_alloc(sizeof *l);
  int floats = (int)sizeof(float), interval = (sample_rate + FRAME_RATE - 1) / FRAME_RATE;
  l->sample_rate = l->clock.sample_rate = sample_rate, l->seed = seed;
  l->latency = interval + analyzer_delay(sample_rate);
  l->analyzer = analyzer_new(sample_rate, 0);
  l->keyboard = keyboard_new();
  l->room = convolver_new(max_room_taps);
  for (l->ring = 1024; l->ring < 4 * interval + l->latency;) l->ring *= 2;
  l->input = engine_alloc(l->ring * floats), l->queue = engine_alloc(l->ring * floats);
  l->sound = engine_alloc((interval + 4) * floats);
  for (int i = 0; i < 2; i++) l->slots[i].region = region_new(REGION_BYTES);
  l->limit = 1;
  l->settings[FIT] = l->settings[HARMONIC_GAIN] = l->settings[NOISE_GAIN] = l->settings[WET] = l->settings[GAIN] = 1;
  l->settings[OCTAVE] = l->settings[GATE_DB] = __builtin_nanf("");
  l->written = l->latency; /* of silence */
  return l;
}

EXPORT(live_settings) float *live_settings(Live *l) { return l->settings; }
EXPORT(live_n_settings) int live_n_settings(void) { return N_SETTINGS; }
EXPORT(live_meters) const float *live_meters(Live *l) { return l->meters; }
EXPORT(live_n_meters) int live_n_meters(void) { return N_METERS; }
EXPORT(live_latency) int live_latency(Live *l) { return l->latency; }
EXPORT(live_parameters) const float *live_parameters(Live *l) { return l->slots[l->current].parameters; }
EXPORT(live_keyboard) Keyboard *live_keyboard(Live *l) { return l->keyboard; }
EXPORT(live_room) Convolver *live_room(Live *l) { return l->room; }

EXPORT(live_instrument) float *live_instrument(Live *l, int channels, int layers, int harmonics, int bands, int pitches) {
  if (l->faded) return 0;
  Slot *s = &l->slots[!l->current];
  Region *region = s->region;
  region_empty(region);
  region_begin(region);
  *s = (Slot){.region = region, .harmonics = harmonics, .bands = bands};
  s->decoder = decoder_new(channels, layers, harmonics, bands, pitches);
  s->given = engine_alloc((bands + 2 + decoder_n_weights(s->decoder)) * (int)sizeof(float));
  region_end();
  return s->given;
}

EXPORT(live_change) void live_change(Live *l) {
  Slot *s = &l->slots[!l->current];
  if (l->faded || !s->given) return;
  const float *weights = s->given + s->bands + 2;
  int floats = (int)sizeof(float);
  region_begin(s->region);
  s->synth = synth_new(l->sample_rate, s->harmonics, s->bands, s->given);
  s->parameters = engine_alloc((1 + s->harmonics + s->bands) * floats);
  s->sound = engine_alloc(((l->sample_rate + FRAME_RATE - 1) / FRAME_RATE + 4) * floats);
  region_end();
  memcpy(decoder_weights(s->decoder), weights, (unsigned long)decoder_n_weights(s->decoder) * sizeof(float));
  s->home = (Home){weights[0], weights[1], weights[2], s->given[s->bands], s->given[s->bands + 1]};
  s->given = 0;
  synth_begin_at(s->synth, l->clock);
  if (l->slots[l->current].synth) l->faded = 1; /* the last instrument leaves */
  l->current = !l->current;
}

/* One instrument's interval. What keys play is made for the instrument and only transposed. */
static void play(Live *l, Slot *s) {
  const float *set = l->settings;
  if (set[KEYS]) transpose_controls(l->controls, set[OCTAVE], set[SEMITONES], set[LOUDNESS_DB], l->adjusted);
  else fit_controls(&s->fit, &s->home, &l->listener, l->controls, set[OCTAVE], set[SEMITONES], set[FIT] != 0, set[LOUDNESS_DB], l->adjusted);
  /* A new sound is late already. Networks learn to wait for it, because training's loudness looks ahead: they begin anew,
     where it is. And it does not take the whole interval to arrive. */
  int onset = l->listener.onset && !set[KEYS];
  if (onset) decoder_restart(s->decoder);
  synth_hurry(s->synth, onset ? HASTE : 1);
  decoder_process(s->decoder, l->adjusted, 1, s->parameters);
  int n = synth_process(s->synth, s->parameters, 0, l->seed, 1, l->gains[HARMONIC_GAIN], l->gains[NOISE_GAIN], s->sound);
  for (int i = 0; i < n; i++) /* a hostile instrument may make what is no number, which must not enter the room */
    if (!(s->sound[i] > -LOUDEST_OUT && s->sound[i] < LOUDEST_OUT)) s->sound[i] = 0, l->meters[BROKEN_SAMPLES] += 1;
}

/* A gain on its way: from its last value to the one that the host wants, at most a twentieth a frame. */
static float move_gain(Live *l, int which, float *from) {
  float wanted = l->settings[which] >= 0 ? l->settings[which] : 0; /* false for NaN */
  *from = l->gains[which];
  if (!l->clock.frame) *from = wanted;
  return l->gains[which] = *from + clampf(wanted - *from, -0.05f, 0.05f);
}

static float peak(const float *x, int n) {
  float most = 0;
  for (int i = 0; i < n; i++) most = maxf(most, x[i] < 0 ? -x[i] : x[i]);
  return most;
}

/* x in place, the gain moving in a straight line over the first `over` samples. */
static void ramp(float *x, int n, float from, float to, int over) {
  if (from == 1 && to == 1) return;
  for (int i = 0; i < n; i++) x[i] *= i < over ? from + (to - from) * (float)(i + 1) / (float)over : to;
}

/* Loud intervals are turned down as a whole: the next one is known before it sounds. */
static void limit(Live *l, float *x, int n) {
  float before = l->limit, most = peak(x, n), allowed = most > CEILING ? CEILING / most : 1;
  l->limit = minf(allowed, before * RELEASE);
  ramp(x, n, before, l->limit, mini(n, 32));
  if (most > CEILING)
    for (int i = 0; i < n; i++) x[i] = clampf(x[i], -1, 1);
}

/* The interval that this frame closes, into the queue. */
static void sound_frame(Live *l) {
  double w0, dw;
  int n = l->clock.frame ? clock_interval(&l->clock, &w0, &dw) : 0, mask = l->ring - 1;
  long long begin = clock_start(l->sample_rate, l->clock.frame - 1);
  float from[N_SETTINGS];
  for (int i = FIRST_GAIN; i < N_SETTINGS; i++) move_gain(l, i, &from[i]);
  Slot *now = &l->slots[l->current], *last = &l->slots[!l->current];
  float *sound = l->sound;
  memset(sound, 0, (unsigned long)n * sizeof(float));
  if (l->faded) play(l, last);
  if (now->synth) {
    play(l, now);
    memcpy(sound, now->sound, (unsigned long)n * sizeof(float));
  }
  if (l->faded) {
    for (int i = 0; i < n; i++) {
      float part = ((float)(l->faded - 1) + (float)(i + 1) / (float)n) / FADE_FRAMES;
      sound[i] = part * sound[i] + (1 - part) * last->sound[i];
    }
    if (++l->faded > FADE_FRAMES) l->faded = 0, last->synth = 0;
  }
  convolver_process(l->room, sound, n, sound);
  ramp(sound, n, from[WET], l->gains[WET], n);
  for (int i = 0; i < n && (from[DRY] || l->gains[DRY]); i++) {
    float part = (float)(i + 1) / (float)n, gain = from[DRY] + part * (l->gains[DRY] - from[DRY]);
    sound[i] += gain * l->input[begin + i & mask];
  }
  ramp(sound, n, from[GAIN], l->gains[GAIN], n);
  limit(l, sound, n);
  float heard = 0;
  for (int i = 0; i < n; i++) heard = maxf(heard, __builtin_fabsf(l->input[begin + i & mask]));
  l->meters[INPUT_PEAK] = heard, l->meters[OUTPUT_PEAK] = peak(sound, n);
  for (int i = 0; i < n; i++) l->queue[l->written++ & mask] = sound[i];
  l->clock.frame++;
}

static void show(Live *l) {
  float *m = l->meters;
  const Fit *fit = &l->slots[l->current].fit;
  m[INPUT_F0_HZ] = l->controls[0], m[INPUT_PERIODICITY] = l->controls[1], m[INPUT_LOUDNESS_DB] = l->controls[2];
  m[PLAYED_F0_HZ] = l->adjusted[0], m[PLAYED_PERIODICITY] = l->adjusted[1], m[PLAYED_LOUDNESS_DB] = l->adjusted[2];
  m[OCTAVE_NOW] = (float)fit->octave, m[FIT_DB] = fit->fit_db;
  m[GATE_NOW_DB] = l->listener.gate_db, m[FLOOR_DB] = l->listener.floor_db, m[GATE_OPEN] = (float)l->listener.open;
  m[LIMITER_GAIN] = l->limit, m[FRAME] = (float)l->clock.frame;
}

/* A driver's NaN must not live on in a filter. */
static float sane(Live *l, float x) {
  if (x >= -LOUDEST_IN && x <= LOUDEST_IN) return x;
  l->meters[BAD_SAMPLES] += 1;
  return 0;
}

EXPORT(live_process) void live_process(Live *l, const float *in, int n, float *out) {
  int mask = l->ring - 1;
  float piece[PIECE], controls[4 * CONTROL_SIZE];
  for (int at = 0; at < n; at += PIECE) {
    int size = mini(n - at, PIECE);
    for (int i = 0; i < size; i++) l->input[l->received++ & mask] = piece[i] = sane(l, in[at + i]);
    int frames = analyzer_process(l->analyzer, piece, size, controls);
    for (int t = 0; t < frames; t++) {
      memcpy(l->controls, controls + t * CONTROL_SIZE, sizeof l->controls);
      if (l->settings[KEYS]) keyboard_frame(l->keyboard, l->controls);
      else listener_hear(&l->listener, l->controls, l->settings[GATE_DB]);
      sound_frame(l);
      show(l);
    }
    for (int i = 0; i < size; i++) out[at + i] = l->queue[l->sent++ & mask];
  }
}
