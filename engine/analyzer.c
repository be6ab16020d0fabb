/* audio -> controls: to 16 kHz, then pitch, periodicity and loudness of each 5 ms frame. */
#include "internal.h"

#define BLOCK 1024           /* samples resampled at once */
#define LOUDNESS_HOPS 6      /* 30 ms */
#define LOUDNESS_FLOOR 1e-10 /* -100 dB */

#define RESAMPLER_LOBES 16

struct Analyzer {
  Resampler *resampler;
  Weighting *weighting;
  Pitch *pitch;
  Path *path;      /* 0 when live */
  int loudness_at; /* hops after the frame that its loudness includes */
  float *resampled, hop[HOP];
  float carried_hz; /* live: the last voiced pitch */
  int filled;
  long long hops, frames, decided; /* hops pushed; frames of loudness and pitch; frames written */
  double energy[32];               /* of the last hops, a ring */
  float loudness_db[256];          /* waiting for their pitch, a ring */
};

/* The last of the 16 kHz samples before the frame must be certain. */
int analyzer_delay(int sample_rate) { return resampler_reach(sample_rate, ANALYSIS_RATE, RESAMPLER_LOBES) + 1; }

EXPORT(analyzer_new) Analyzer *analyzer_new(int sample_rate, int lookahead) {
  Analyzer *a = engine_alloc(sizeof *a);
  a->resampler = resampler_design(sample_rate, ANALYSIS_RATE, RESAMPLER_LOBES, 0.925);
  a->resampled = engine_alloc((BLOCK * maxi(1, ANALYSIS_RATE / sample_rate + 1) + 16) * (int)sizeof(float));
  a->weighting = weighting_new();
  a->pitch = pitch_new(lookahead);
  a->path = lookahead ? path_new() : 0;
  a->loudness_at = lookahead ? LOUDNESS_HOPS / 2 : 0;
  return a;
}

/* Clarity to voicing confidence: a line through (0.2, 0) and the voicing threshold at 0.5, and from there to (1, 1). */
static float confidence(float clarity) {
  float above = (clarity - VOICING_THRESHOLD) / (1 - VOICING_THRESHOLD), below = (clarity - 0.2f) / (VOICING_THRESHOLD - 0.2f);
  return clampf(above > 0 ? 0.5f + 0.5f * above : 0.5f * below, 0, 1);
}

/* Everything that one more hop makes certain. Returns the number of frames written. */
static int finish_hops(Analyzer *a, float *controls) {
  int written = 0;
  int late = pitch_lookahead(a->pitch) / HOP;
  for (; a->frames + late <= a->hops; a->frames++) {
    double energy = 0;
    for (long long h = a->frames + a->loudness_at - LOUDNESS_HOPS; h < a->frames + a->loudness_at; h++)
      if (h >= 0) energy += a->energy[h & 31];
    energy = energy / (LOUDNESS_HOPS * HOP) + LOUDNESS_FLOOR;
    a->loudness_db[a->frames & 255] = (float)(logarithm(energy) * 4.342944819032518);
    PitchFrame frame;
    pitch_frame(a->pitch, &frame);
    float f0_hz = frame.best.f0_hz, clarity = frame.best.clarity;
    if (a->path && !path_push(a->path, &frame, &f0_hz, &clarity)) continue;
    controls[0] = f0_hz;
    controls[1] = confidence(clarity);
    /* Offline, the path has the last word on voicing; 0 Hz says it out loud. */
    if (a->path) controls[1] = f0_hz > 0 ? maxf(controls[1], 0.5f) : minf(controls[1], 0.49f);
    else if (controls[1] >= 0.5f) a->carried_hz = f0_hz;
    else controls[0] = a->carried_hz;
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
