/* Which pitch to play, live: where it is sure that there is one, the best candidate as soon as it can be trusted, until
   then the last. Going on near the last pitch needs little clarity; elsewhere it must be clear, or be said twice. While the
   level falls, as at the end of a note, windows hold what rings after it, and another pitch must stay for 20 ms. */
#include "internal.h"

#define NEAR 0.0667f      /* octaves: 80 cents */
#define CLEAR_NEAR 0.5f   /* clarity to go on */
#define CLEAR_JUMP 0.85f  /* to jump at once */
#define CLEAR_TWICE 0.75f /* to jump the second time */
#define FALLEN_DB 9.0f    /* below the loudest of the last 80 ms the level is falling */
#define STAY 4            /* frames */
#define HISTORY 16

struct Follow {
  float carried, latest; /* octaves; of the pitch followed, of the newest candidate */
  float carried_hz, level_db[HISTORY];
  int same; /* frames that the newest candidate has stayed */
  long long n;
};

Follow *follow_new(void) { return engine_alloc(sizeof(Follow)); }

static int near(float a, float b) { return a - b < NEAR && b - a < NEAR; }

float follow_push(Follow *f, const Candidate *best, float level_db, int voiced) {
  f->level_db[f->n++ % HISTORY] = level_db;
  float loudest = level_db;
  for (int i = 0; i < HISTORY && i < f->n; i++) loudest = maxf(loudest, f->level_db[i]);
  if (!(best->f0_hz > 0)) {
    f->same = 0;
    return f->carried_hz;
  }
  float octave = (float)(1.4426950408889634 * logarithm(best->f0_hz));
  f->same = f->same && near(octave, f->latest) ? f->same + 1 : 1;
  f->latest = octave;
  int trusted;
  if (f->carried_hz > 0 && near(octave, f->carried)) trusted = best->clarity >= CLEAR_NEAR;
  else if (level_db < loudest - FALLEN_DB) trusted = best->clarity >= CLEAR_TWICE && f->same >= STAY;
  else trusted = best->clarity >= (f->same >= 2 ? CLEAR_TWICE : CLEAR_JUMP);
  if (voiced && trusted) f->carried = octave, f->carried_hz = best->f0_hz;
  return f->carried_hz;
}
