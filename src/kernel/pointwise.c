/* pointwise.c: element-wise functions over whole tensors, with broadcasting.
 *
 * Long arrays are cut into one part a thread; operands that are broadcast are
 * walked run by run, each run being a loop of lpi_isa. */
#include "kernel.h"

enum { SMALL = 16384 }; /* elements that are not worth a second thread */

static int32_t threads_for(const lpi_team *team, int64_t count)
{
    return count < SMALL ? 1 : team->threads;
}

void lpi_unary_run(const lpi_team *team, lpi_unary what, int64_t count,
                   const float *from, float *to)
{
    int32_t threads = threads_for(team, count);

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t first, last;

        lpi_share(count, LPI_LANES, i, threads, &first, &last);
        team->isa->unary[what](last - first, from + first, to + first);
    }
}

void lpi_binary_flat(const lpi_team *team, lpi_binary what, int64_t count,
                     const float *const operands[2], float *to)
{
    int32_t threads = threads_for(team, count);

#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t first, last;

        lpi_share(count, LPI_LANES, i, threads, &first, &last);
        team->isa->binary[what](last - first, operands[0] + first, 1,
                                operands[1] + first, 1, to + first);
    }
}

/* A run whose steps are neither 0 nor 1. */
static void strided_run(lpi_binary_loop loop, const lpi_walk *walk,
                        const float *a, const float *b, float *to)
{
    for (int64_t i = 0; i < walk->length; i++)
        loop(1, a + i * walk->step[1], 0, b + i * walk->step[2], 0, to + i);
}

/* The box "dims" of the operands at "a" and "b" into "to". */
static void run_box(lpi_binary_loop loop, const lpi_spread *s,
                    const int64_t *dims, const float *a, const float *b,
                    float *to)
{
    int64_t own[LPI_WALK_AXES];
    const int64_t *strides[] = {own, s->a_strides, s->b_strides};
    lpi_walk walk;
    bool more;

    lpi_strides(s->rank, dims, own);
    for (more = lpi_walk_start(&walk, s->rank, dims, 3, strides); more;
         more = lpi_walk_next(&walk)) {
        const int64_t *step = walk.step;

        if (walk.length > 1 &&
            ((step[1] != 0 && step[1] != 1) || (step[2] != 0 && step[2] != 1)))
            strided_run(loop, &walk, a + walk.at[1], b + walk.at[2],
                        to + walk.at[0]);
        else
            loop(walk.length, a + walk.at[1], step[1], b + walk.at[2], step[2],
                 to + walk.at[0]);
    }
}

void lpi_binary_run(const lpi_team *team, lpi_binary what,
                    const lpi_spread *spread)
{
    int64_t whole = 1, rest = 1;
    int32_t axis = 0, threads;

    LP_ASSERT(spread->rank <= LPI_WALK_AXES);
    for (int32_t i = 0; i < spread->rank; i++)
        whole *= spread->dims[i];
    threads = threads_for(team, whole);
    for (rest = whole; axis + 1 < spread->rank && spread->dims[axis] == 1;)
        axis++;
    if (spread->rank == 0 || whole == 0)
        threads = 1;
    if (spread->rank > 0 && whole > 0)
        rest /= spread->dims[axis];
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t dims[LPI_WALK_AXES], first = 0, last = 1;
        int64_t a = 0, b = 0;

        for (int32_t k = 0; k < spread->rank; k++)
            dims[k] = spread->dims[k];
        if (spread->rank > 0) {
            lpi_share(dims[axis], 1, i, threads, &first, &last);
            dims[axis] = last - first;
            a = spread->a_strides[axis] * first;
            b = spread->b_strides[axis] * first;
        }
        run_box(team->isa->binary[what], spread, dims, spread->a + a,
                spread->b + b, spread->to + first * rest);
    }
}

void lpi_affine_run(const lpi_team *team, const lpi_affine *affine)
{
    int64_t rows = affine->outer * affine->channels, plane = affine->plane;

#pragma omp parallel for num_threads(team->threads)                            \
    schedule(static) if (team->threads > 1)
    for (int64_t i = 0; i < rows; i++) {
        int64_t c = i % affine->channels;

        team->isa->affine(plane, affine->from + i * plane,
                          affine->scale ? affine->scale[c] : 1,
                          affine->shift ? affine->shift[c] : 0,
                          affine->to + i * plane);
    }
}
