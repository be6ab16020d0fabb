/* Rows of vectors times one matrix. Four rows by eight columns are kept in registers; every sum runs in the order of
   the inputs whatever the number of rows, so results do not depend on block sizes, to the bit. */
#include "internal.h"

#define LANE(x, i) __builtin_shufflevector(x, x, i, i, i, i)

/* One input of four: its weights for eight outputs, times the rows' lane i. */
#define STEP(i)                                         \
  {                                                     \
    f4 v0 = LOAD(v + (i) * n_out), v1 = LOAD(v + (i) * n_out + 4); \
    a0 += LANE(x0, i) * v0, a1 += LANE(x0, i) * v1;     \
    b0 += LANE(x1, i) * v0, b1 += LANE(x1, i) * v1;     \
    c0 += LANE(x2, i) * v0, c1 += LANE(x2, i) * v1;     \
    d0 += LANE(x3, i) * v0, d1 += LANE(x3, i) * v1;     \
  }

void matrix_accumulate(const float *in, int in_stride, int n_in, const float *w, float *out, int n_out, int n) {
  int t = 0;
  for (; t + 4 <= n; t += 4) {
    const float *row = in + (long)t * in_stride;
    for (int o = 0; o < n_out; o += 8) {
      float *y = out + (long)t * n_out + o;
      f4 a0 = LOAD(y), a1 = LOAD(y + 4), b0 = LOAD(y + n_out), b1 = LOAD(y + n_out + 4);
      f4 c0 = LOAD(y + 2 * n_out), c1 = LOAD(y + 2 * n_out + 4), d0 = LOAD(y + 3 * n_out), d1 = LOAD(y + 3 * n_out + 4);
      const float *v = w + o, *x = row;
      for (int i = 0; i < n_in; i += 4, v += 4 * n_out, x += 4) {
        f4 x0 = LOAD(x), x1 = LOAD(x + in_stride), x2 = LOAD(x + 2 * in_stride), x3 = LOAD(x + 3 * in_stride);
        STEP(0) STEP(1) STEP(2) STEP(3)
      }
      STORE(y, a0), STORE(y + 4, a1), STORE(y + n_out, b0), STORE(y + n_out + 4, b1);
      STORE(y + 2 * n_out, c0), STORE(y + 2 * n_out + 4, c1), STORE(y + 3 * n_out, d0), STORE(y + 3 * n_out + 4, d1);
    }
  }
  for (; t < n; t++) {
    const float *x = in + (long)t * in_stride;
    float *y = out + (long)t * n_out;
    for (int o = 0; o < n_out; o += 8) {
      f4 a0 = LOAD(y + o), a1 = LOAD(y + o + 4);
      const float *v = w + o;
      for (int i = 0; i < n_in; i++, v += n_out) {
        f4 s = SPLAT(x[i]);
        a0 += s * LOAD(v), a1 += s * LOAD(v + 4);
      }
      STORE(y + o, a0), STORE(y + o + 4, a1);
    }
  }
}
