/* count.c: multiply-adds counted by the loops that do them, in builds for that
 * (configure --enable-counting).  Other builds count none, at no cost. */
#include "kernel.h"

#ifdef LPI_COUNTING
static int64_t done;

void lpi_macs_add(int64_t count)
{
    __atomic_fetch_add(&done, count, __ATOMIC_RELAXED);
}

int64_t lpi_macs_take(void)
{
    return __atomic_exchange_n(&done, 0, __ATOMIC_RELAXED);
}
#else
void lpi_macs_add(int64_t count)
{
    (void)count;
}

int64_t lpi_macs_take(void)
{
    return -1;
}
#endif

/* Pairs of input position and tap of a transposed axis whose output position
 * exists. */
static int64_t kept_pairs(const lpi_conv *conv, int axis)
{
    int64_t pairs = 0;

    for (int64_t i = 0; i < conv->in[axis]; i++)
        for (int64_t t = 0; t < conv->kernel[axis]; t++) {
            int64_t o = i * conv->stride[axis] + t * conv->dilation[axis] -
                        conv->pad[axis];

            pairs += o >= 0 && o < conv->out[axis];
        }
    return pairs;
}

int64_t lpi_macs_cropped(const lpi_conv *conv)
{
    int64_t all = 1, kept = 1;

    for (int axis = 0; axis < 3; axis++) {
        all *= conv->in[axis] * conv->kernel[axis];
        kept *= kept_pairs(conv, axis);
    }
    return (all - kept) * conv->batch * conv->in_channels *
           (conv->out_channels / conv->groups);
}

int64_t lpi_macs_beside(const lpi_window *window)
{
    int64_t all = 1, inside = 1;

    for (int axis = 0; axis < 3; axis++) {
        int64_t own = 0;

        for (int64_t o = 0; o < window->out[axis]; o++)
            for (int64_t t = 0; t < window->taps[axis]; t++) {
                int64_t at = o * window->step[axis] + window->first[axis] +
                             t * window->delta[axis];

                own += at >= 0 && at < window->in[axis];
            }
        all *= window->out[axis] * window->taps[axis];
        inside *= own;
    }
    return all - inside;
}
