/* Rows of vectors times one matrix. Four rows by eight columns are kept in registers; every sum runs in the order of
   the inputs whatever the number of rows, so results do not depend on block sizes, to the bit. */
#include "internal.h"

void matrix_accumulate(const float *in, int in_stride, int n_in, const float *w, float *out, int n_out, int n) {
  int t = 0;
  for (; t + 4 <= n; t += 4) {
    const float *x0 = in + (long)t * in_stride, *x1 = x0 + in_stride, *x2 = x1 + in_stride, *x3 = x2 + in_stride;
    for (int o = 0; o < n_out; o += 8) {
      float *y = out + (long)t * n_out + o;
      f4 a0 = LOAD(y), a1 = LOAD(y + 4), b0 = LOAD(y + n_out), b1 = LOAD(y + n_out + 4);
      f4 c0 = LOAD(y + 2 * n_out), c1 = LOAD(y + 2 * n_out + 4), d0 = LOAD(y + 3 * n_out), d1 = LOAD(y + 3 * n_out + 4);
      const float *v = w + o;
      for (int i = 0; i < n_in; i++, v += n_out) {
        f4 v0 = LOAD(v), v1 = LOAD(v + 4);
        f4 s = SPLAT(x0[i]);
        a0 += s * v0, a1 += s * v1;
        s = SPLAT(x1[i]);
        b0 += s * v0, b1 += s * v1;
        s = SPLAT(x2[i]);
        c0 += s * v0, c1 += s * v1;
        s = SPLAT(x3[i]);
        d0 += s * v0, d1 += s * v1;
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
