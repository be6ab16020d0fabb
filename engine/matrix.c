/* Rows of vectors times one matrix. The matrix lies in panels of eight columns, and four rows of input are turned on
   their side, so that the inner loop is three loads for 32 multiplications and everything else stays in registers: the
   compilers of WebAssembly load all that a loop body needs before they compute, so a longer body would spill.
   Every sum runs in the order of the inputs whatever the number of rows: results do not depend on block sizes, to the
   bit. */
#include "internal.h"

#define PANEL 8

struct Matrix {
  int n_in, n_out;
  float *panels; /* [n_out / 8][n_in][8] */
  float *turned; /* [n_in][4 rows] */
};

Matrix *matrix_new(int n_in, int n_out) {
  Matrix *m = engine_alloc(sizeof *m);
  m->n_in = ROUND_UP(n_in, 4), m->n_out = ROUND_UP(n_out, PANEL);
  m->panels = engine_alloc(m->n_in * m->n_out * (int)sizeof(float));
  m->turned = engine_alloc(4 * m->n_in * (int)sizeof(float));
  return m;
}

int matrix_width(const Matrix *m) { return m->n_out; }

void matrix_set(Matrix *m, int i, int o, float weight) {
  m->panels[(o / PANEL * m->n_in + i) * PANEL + o % PANEL] = weight;
}

/* Four rows of n inputs -> [n][4]. */
static void turn(const float *in, int stride, int n, float *to) {
  for (int i = 0; i < n; i += 4, in += 4, to += 16) {
    f4 x[4] = {LOAD(in), LOAD(in + stride), LOAD(in + 2 * stride), LOAD(in + 3 * stride)};
    transpose4(x);
    for (int k = 0; k < 4; k++) STORE(to + 4 * k, x[k]);
  }
}

void matrix_apply(Matrix *m, const float *in, int stride, int n_in, const float *bias, float *out, int n) {
  int width = m->n_out, t = 0;
  for (; t + 4 <= n; t += 4, in += 4 * (long)stride, out += 4 * (long)width) {
    turn(in, stride, ROUND_UP(n_in, 4), m->turned);
    for (int o = 0; o < width; o += PANEL) {
      f4 a0 = bias ? LOAD(bias + o) : SPLAT(0.0f), a1 = bias ? LOAD(bias + o + 4) : SPLAT(0.0f);
      f4 b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
      const float *w = m->panels + (long)o * m->n_in, *x = m->turned;
#pragma GCC unroll 1
      for (int i = 0; i < n_in; i++, w += PANEL, x += 4) {
        f4 w0 = LOAD(w), w1 = LOAD(w + 4), rows = LOAD(x);
        a0 += LANE(rows, 0) * w0, a1 += LANE(rows, 0) * w1;
        b0 += LANE(rows, 1) * w0, b1 += LANE(rows, 1) * w1;
        c0 += LANE(rows, 2) * w0, c1 += LANE(rows, 2) * w1;
        d0 += LANE(rows, 3) * w0, d1 += LANE(rows, 3) * w1;
      }
      float *y = out + o;
      STORE(y, a0), STORE(y + 4, a1), STORE(y + width, b0), STORE(y + width + 4, b1);
      STORE(y + 2 * width, c0), STORE(y + 2 * width + 4, c1), STORE(y + 3 * width, d0), STORE(y + 3 * width + 4, d1);
    }
  }
  for (; t < n; t++, in += stride, out += width)
    for (int o = 0; o < width; o += PANEL) {
      f4 a0 = bias ? LOAD(bias + o) : SPLAT(0.0f), a1 = bias ? LOAD(bias + o + 4) : SPLAT(0.0f);
      const float *w = m->panels + (long)o * m->n_in;
      for (int i = 0; i < n_in; i++, w += PANEL) a0 += SPLAT(in[i]) * LOAD(w), a1 += SPLAT(in[i]) * LOAD(w + 4);
      STORE(out + o, a0), STORE(out + o + 4, a1);
    }
}
