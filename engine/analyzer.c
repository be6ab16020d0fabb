/* audio -> controls: to 16 kHz, then pitch, periodicity and loudness of each 5 ms frame. The gate says how sure it is that
   there is a pitch; live it decides on voicing, offline a path through the candidates does, with its help. */
#include "internal.h"

#define BLOCK 1024           /* samples resampled at once */
#define LOUDNESS_HOPS 6      /* 30 ms */
#define LOUDNESS_FLOOR 1e-10 /* -100 dB */
#define ONSET 8.0            /* 9 dB: a hop with so many times the mean of the 30 ms before it begins a sound. One pulse of a
                                steady note from 34 Hz up has at most 6 times it: a whole period is among those 30 ms */

#define RESAMPLER_LOBES 16
#define LIVE_LOBES 8         /* half a millisecond less */
#define LIVE_CUTOFF 0.85

struct Analyzer {
  Resampler *resampler;
  Weighting *weighting;
  Pitch *pitch;
  Gate *gate;
  Path *path;      /* offline, else 0 */
  Follow *follow;  /* live, else 0 */
  int loudness_at; /* hops after the frame that its loudness includes */
  float *resampled, hop[HOP];
  int filled;
  long long hops, frames, decided; /* hops pushed; frames of loudness and pitch; frames written */
  long long onset;                 /* live: the hop that the newest sound began with */
  int silence;                     /* and the samples of that hop before it */
  double energy[32];               /* of the last hops, a ring */
  float loudness_db[256];          /* waiting for their pitch, a ring */
};

/* The last of the 16 kHz samples before the frame must be certain. */
int analyzer_delay(int sample_rate) { return resampler_reach(sample_rate, ANALYSIS_RATE, LIVE_LOBES) + 1; }

EXPORT(analyzer_new) Analyzer *analyzer_new(int sample_rate, int lookahead) {
  Analyzer *a = engine_alloc(sizeof *a);
  a->resampler = resampler_design(sample_rate, ANALYSIS_RATE, lookahead ? RESAMPLER_LOBES : LIVE_LOBES, lookahead ? 0.925 : LIVE_CUTOFF);
  a->resampled = engine_alloc((BLOCK * maxi(1, ANALYSIS_RATE / sample_rate + 1) + 16) * (int)sizeof(float));
  a->weighting = weighting_new();
  a->pitch = pitch_new(lookahead);
  a->gate = gate_new();
  if (lookahead) a->path = path_new();
  else a->follow = follow_new();
  a->loudness_at = lookahead ? LOUDNESS_HOPS / 2 : 0;
  return a;
}

/* Offline, clarity to voicing confidence: lines from (0.2, 0) to 0.5 at the voicing threshold, and on to (1, 1). */
static float confidence(float clarity) {
  float above = (clarity - VOICING_THRESHOLD) / (1 - VOICING_THRESHOLD), below = (clarity - 0.2f) / (VOICING_THRESHOLD - 0.2f);
  return clampf(above > 0 ? 0.5f + 0.5f * above : 0.5f * below, 0, 1);
}

/* The energy of some hops, of which there is none before the first. */
static double energy_of(const Analyzer *a, long long from, long long to) {
  double energy = 0;
  for (long long h = maxl(from, 0); h < to; h++) energy += a->energy[h & 31];
  return energy;
}

/* Samples of a hop before the sound that begins in it; at least a millisecond is left. */
static int silence(const float *hop) {
  float peak = 0;
  for (int i = 0; i < HOP; i++) peak = maxf(peak, __builtin_fabsf(hop[i]));
  int n = 0;
  while (n < HOP - 16 && __builtin_fabsf(hop[n]) < 0.25f * peak) n++;
  return n;
}

/* Mean A-weighted power, 30 ms around the frame or, live, before it: there a new sound is not averaged with what was
   before it, but measured from its first hop on. */
static double power_at(Analyzer *a, long long frame) {
  long long to = frame + a->loudness_at, from = to - LOUDNESS_HOPS;
  double samples = LOUDNESS_HOPS * HOP;
  if (!a->path && frame > 0) {
    double before = energy_of(a, to - 1 - LOUDNESS_HOPS, to - 1) / LOUDNESS_HOPS;
    if (energy_of(a, to - 1, to) > ONSET * before) a->onset = to - 1, a->silence = silence(a->hop);
    if (from <= a->onset) from = a->onset, samples = (double)(to - from) * HOP - a->silence;
  }
  return energy_of(a, from, to) / samples;
}

/* Everything that one more hop makes certain. Returns the number of frames written. */
static int finish_hops(Analyzer *a, float *controls) {
  int written = 0;
  int late = pitch_lookahead(a->pitch) / HOP;
  for (; a->frames + late <= a->hops; a->frames++) {
    a->loudness_db[a->frames & 255] = decibels(power_at(a, a->frames) + LOUDNESS_FLOOR);
    PitchFrame frame;
    pitch_frame(a->pitch, &frame);
    float sure = gate_push(a->gate, a->pitch, &frame);
    if (a->path) { /* the path has the last word on voicing; 0 Hz says it out loud */
      float clarity;
      if (!path_push(a->path, &frame, sure, &controls[0], &clarity)) continue;
      controls[1] = controls[0] > 0 ? maxf(confidence(clarity), 0.5f) : minf(confidence(clarity), 0.49f);
    } else {
      controls[1] = sure;
      Candidate newest = pitch_newest(a->pitch);
      controls[0] = follow_push(a->follow, &frame.best, &newest, gate_level_db(a->gate), sure);
    }
    controls[2] = a->loudness_db[a->decided++ & 255];
    controls += CONTROL_SIZE, written++;
  }
  return written;
}

EXPORT(analyzer_process) int analyzer_process(Analyzer *a, const float *audio, int n, float *controls) {
  int written = finish_hops(a, controls); /* frame 0 of a live stream needs no audio */
  while (n > 0) {
    int take = mini(n, BLOCK), got = resampler_process(a->resampler, audio, take, a->resampled);
    audio += take, n -= take;
    for (int i = 0; i < got; i++) {
      a->hop[a->filled++] = a->resampled[i];
      if (a->filled < HOP) continue;
      a->filled = 0;
      a->energy[a->hops & 31] = weighting_energy(a->weighting, a->hop);
      pitch_push(a->pitch, a->hop);
      a->hops++;
      written += finish_hops(a, controls + written * CONTROL_SIZE);
    }
  }
  return written;
}
