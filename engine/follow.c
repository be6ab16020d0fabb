/* Which pitch to play, live: where it is sure that there is one, the best candidate as soon as it can be trusted, until
   then the last. Going on near the last pitch needs little clarity; elsewhere it must be clear, or be said twice. While the
   level falls, as at the end of a note, windows hold what rings after it, and another pitch must stay for 20 ms; so it
   must, as soon as the level falls at all, where the gate begins to doubt. */
#include "internal.h"

#define NEAR 0.0667f      /* octaves: 80 cents */
#define CLEAR_NEAR 0.5f   /* clarity to go on */
#define CLEAR_JUMP 0.85f  /* to jump at once */
#define CLEAR_TWICE 0.75f /* to jump the second time */
#define CLEAR_SHORT 0.97f /* to believe 8 ms, */
#define STEP_DB 3.0f      /* unless the level falls by so much in a frame, */
#define LOWEST_AHEAD 200  /* after a note of so many Hz, because of a lower one 8 ms hold no period, */
#define FRAMES_AHEAD 3    /* and for so long */
#define BEFORE 6          /* frames in which an octave up was not to be heard, */
#define SHOWN 0.8f        /* not even so clearly, though the note sounded already, */
#define SLURRED_DB 6.0f   /* at most so much softer */
#define FALLEN_DB 9.0f    /* below the loudest of the last 80 ms the level is falling */
#define FALLING_DB 2.0f   /* so much below, where the gate */
#define DOUBT 0.98f       /* is not so sure any more */
#define STAY 4            /* frames */
#define HISTORY 16

struct Follow {
  float carried, latest; /* octaves; of the pitch followed, of the newest candidate */
  float carried_hz, level_db[HISTORY];
  Candidate newest[BEFORE];              /* of the frames before, a ring */
  float leapt_hz;                        /* an octave up that the windows do not show yet */
  int frames_ahead;
  int same; /* frames that the newest candidate has stayed */
  long long n;
};

Follow *follow_new(void) { return engine_alloc(sizeof(Follow)); }

static int near(float a, float b) { return a - b < NEAR && b - a < NEAR; }

static int same_pitch(float hz, float other_hz) { return hz < 1.03f * other_hz && hz > 0.97f * other_hz; }

/* Is one pitch a multiple of the other? */
static int multiple(float high, float low) {
  float ratio = high / maxf(low, 1), whole = __builtin_floorf(ratio + 0.5f);
  return whole > 1 && ratio > 0.97f * whole && ratio < 1.03f * whole;
}

/* An octave up, which 8 ms alone cannot tell from a strong second harmonic: but that would have been there before. */
static int sudden_octave(const Follow *f, float hz, float level_db) {
  for (int ago = 3; ago <= BEFORE; ago++) { /* what is nearer overlaps with now */
    const Candidate *then = &f->newest[(f->n + BEFORE - ago) % BEFORE];
    if (then->clarity > SHOWN && same_pitch(then->f0_hz, hz)) return 0;
    if (f->level_db[(f->n + HISTORY - ago) % HISTORY] < level_db - SLURRED_DB) return 0;
  }
  return same_pitch(hz, 2 * f->carried_hz);
}

/* Has the shortest look heard a new note while the windows still hold the last one? They soon agree, or it was wrong. It
   may be wrong about multiples: 8 ms may show an overtone alone, or a period only where its double falls on a sample. */
static int ahead(Follow *f, const Candidate *best, const Candidate *newest, float level_db) {
  float before_db = f->level_db[(f->n + HISTORY - 1) % HISTORY], hz = newest->f0_hz;
  if (same_pitch(hz, best->f0_hz)) {
    f->frames_ahead = 0, f->leapt_hz = 0;
    return 0;
  }
  int clear = newest->clarity > CLEAR_SHORT && level_db > before_db - STEP_DB;
  if (clear && sudden_octave(f, hz, level_db)) f->leapt_hz = hz;
  if (clear && same_pitch(hz, f->leapt_hz)) return f->frames_ahead++ < FRAMES_AHEAD;
  clear &= f->carried_hz > LOWEST_AHEAD;
  if (!clear || multiple(hz, f->carried_hz) || multiple(hz, best->f0_hz) || multiple(best->f0_hz, hz)) return 0;
  return f->frames_ahead++ < FRAMES_AHEAD;
}

float follow_push(Follow *f, const Candidate *best, const Candidate *newest, float level_db, float sure) {
  int trust_newest = ahead(f, best, newest, level_db);
  f->newest[f->n % BEFORE] = *newest;
  if (trust_newest) best = newest;
  f->level_db[f->n++ % HISTORY] = level_db;
  float loudest = level_db;
  for (int i = 0; i < HISTORY && i < f->n; i++) loudest = maxf(loudest, f->level_db[i]);
  if (!(best->f0_hz > 0)) {
    f->same = 0;
    return f->carried_hz;
  }
  float octave = octaves(best->f0_hz);
  f->same = f->same && near(octave, f->latest) ? f->same + 1 : 1;
  f->latest = octave;
  int trusted;
  if (f->carried_hz > 0 && near(octave, f->carried)) trusted = best->clarity >= CLEAR_NEAR;
  else if (level_db < loudest - (sure < DOUBT ? FALLING_DB : FALLEN_DB)) trusted = best->clarity >= CLEAR_TWICE && f->same >= STAY;
  else trusted = best->clarity >= (f->same >= 2 ? CLEAR_TWICE : CLEAR_JUMP);
  if (sure >= 0.5f && trusted) f->carried = octave, f->carried_hz = best->f0_hz;
  return f->carried_hz;
}
