/* The most plausible pitch path (Viterbi): for each frame one of its candidates or silence, so that clear candidates are
   taken, jumps cost what they span in octaves, and starting and stopping cost a little. Decided PATH_DELAY frames late. */
#include "internal.h"

#define STATES (PITCH_CANDIDATES + 1) /* the last state is "unvoiced" */
#define UNVOICED PITCH_CANDIDATES
#define VOICING_SWITCH 0.4f
#define SURENESS 0.8f        /* where the gate is sure of none, a voiced frame must show so much more clarity, halved */
#define OCTAVE_JUMP 1.0f       /* cost of an octave from one frame to the next */
#define OCTAVE_LOW 0.06f       /* cost of each octave below the first clear peak: every multiple of a period is one too */
#define JUMP_LIMIT 1.0f        /* octaves; beyond, a jump costs no more: a new note may be anywhere */

typedef struct {
  int n;
  float f0_hz[STATES], clarity[STATES];
  signed char from[STATES];
} Column;

struct Path {
  long long n;
  Column columns[PATH_DELAY + 1]; /* a ring */
  float score[STATES], octave[STATES];
};

Path *path_new(void) { return engine_alloc(sizeof(Path)); }

int path_push(Path *p, const PitchFrame *frame, float sure, float *f0_hz, float *periodicity) {
  Column *column = &p->columns[p->n % (PATH_DELAY + 1)];
  const Column *before = &p->columns[(p->n + PATH_DELAY) % (PATH_DELAY + 1)];
  float score[STATES], octave[STATES], best = -1e30f;
  float silence = VOICING_THRESHOLD + SURENESS * maxf(0.5f - sure, 0), chosen = frame->n ? octaves(frame->best.f0_hz) : 0;
  column->n = frame->n;
  for (int j = 0; j < STATES; j++) {
    int voiced = j < frame->n;
    if (!voiced && j != UNVOICED) continue;
    column->f0_hz[j] = voiced ? frame->candidates[j].f0_hz : 0;
    column->clarity[j] = voiced ? frame->candidates[j].clarity : frame->best.clarity;
    octave[j] = voiced ? octaves(column->f0_hz[j]) : 0;
    float local = voiced ? column->clarity[j] - OCTAVE_LOW * maxf(chosen - octave[j], 0) : silence;
    float most = p->n ? -1e30f : 0;
    column->from[j] = UNVOICED;
    for (int i = 0; p->n && i < STATES; i++) {
      if (i >= before->n && i != UNVOICED) continue;
      float jump = octave[j] - p->octave[i];
      jump = minf(jump < 0 ? -jump : jump, JUMP_LIMIT) * OCTAVE_JUMP;
      float cost = voiced != (i != UNVOICED) ? VOICING_SWITCH : voiced ? jump : 0;
      if (p->score[i] - cost > most) most = p->score[i] - cost, column->from[j] = (signed char)i;
    }
    score[j] = local + most;
    best = maxf(best, score[j]);
  }
  int state = UNVOICED;
  for (int j = 0; j < STATES; j++) {
    if (j >= frame->n && j != UNVOICED) continue;
    if (score[j] == best) state = j;
    p->score[j] = score[j] - best; /* kept small for hours */
    p->octave[j] = octave[j];
  }
  if (p->n++ < PATH_DELAY) return 0;
  long long at = p->n - 1;
  for (int back = 0; back < PATH_DELAY; back++, at--) state = p->columns[at % (PATH_DELAY + 1)].from[state];
  column = &p->columns[at % (PATH_DELAY + 1)];
  *f0_hz = state == UNVOICED ? 0 : column->f0_hz[state];
  *periodicity = column->clarity[state];
  return 1;
}
