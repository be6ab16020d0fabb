/* A-weighted energy (IEC 61672-1), by a filter at 16 kHz: the four zeros at 0 Hz and the poles at 20.6 (twice), 107.7 and
   737.9 Hz by the matched z-transform; the double pole at 12194 Hz, beyond Nyquist, by a fitted first-order section used
   twice. Within 0.1 dB of the standard from 20 Hz to 7.5 kHz. */
#include "internal.h"

struct Weighting {
  double x[6], y[6]; /* last input and output of the six first-order sections */
};

static const double ZERO[6] = {-1, -1, -1, -1, 0.23667871, 0.23667871};
static const double POLE[6] = {-0.9919434223889997, -0.9919434223889997, -0.9586060348461584,
                               -0.7484448038887331, 0.16163478, 0.16163478};
static const double GAIN = 0.9354289935728081; /* 0 dB at 1 kHz */

Weighting *weighting_new(void) { return engine_alloc(sizeof(Weighting)); }

double weighting_energy(Weighting *w, const float *hop) {
  double energy = 0;
  for (int n = 0; n < HOP; n++) {
    double v = hop[n] * GAIN;
    for (int s = 0; s < 6; s++) {
      double y = v + ZERO[s] * w->x[s] - POLE[s] * w->y[s];
      w->x[s] = v, w->y[s] = v = y;
    }
    energy += v * v;
  }
  for (int s = 0; s < 6; s++) /* a decaying filter must not end in denormal numbers, which are slow */
    if (w->y[s] < 1e-30 && w->y[s] > -1e-30) w->y[s] = 0;
  return energy;
}
