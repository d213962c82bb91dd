/* conv.c: convolution as the product of the weights of a group with its
 * columns, which are packed from x as the product needs them.
 *
 * One product an image and group; when these are many, threads take whole
 * products, else each product is shared. */
#include "kernel.h"

static int64_t volume(const int64_t axes[3])
{
    return axes[0] * axes[1] * axes[2];
}

/* The product of one image and group, operands not yet set. */
static lpi_gemm product_of(const lpi_conv *conv, int32_t threads)
{
    int64_t k = conv->in_channels / conv->groups * volume(conv->kernel);

    return (lpi_gemm){.m = conv->out_channels / conv->groups,
                      .n = volume(conv->out),
                      .k = k,
                      .a.row = k,
                      .a.column = 1,
                      .c_row = volume(conv->out),
                      .fresh = !conv->goes_on,
                      .team = {conv->team.isa, threads}};
}

int64_t lpi_conv_workspace(const lpi_conv *conv)
{
    lpi_gemm gemm = product_of(conv, conv->team.threads);

    if (lpi_conv_is_depthwise(conv))
        return lpi_depthwise_workspace(conv);
    return lpi_gemm_workspace(&gemm) + (int64_t)LPI_LANES * conv->team.threads;
}

/* Columns that are x itself. */
static bool is_plain(const lpi_conv *conv)
{
    for (int i = 0; i < 3; i++)
        if (conv->kernel[i] != 1 || conv->stride[i] != 1 || conv->pad[i] != 0 ||
            conv->in[i] != conv->out[i])
            return false;
    return true;
}

/* Image and group "i", with workspace of its own. */
static void run_product(const lpi_conv *conv, int64_t i, int32_t threads,
                        float *workspace)
{
    int64_t group = i % conv->groups;
    int64_t channels = conv->in_channels / conv->groups;
    lpi_gemm gemm = product_of(conv, threads);
    lpi_matrix plain = {conv->x, gemm.n, 1, conv->x_widen};
    lpi_matrix w = {conv->w, gemm.k, 1, conv->w_widen};
    lpi_window window = {.widen = conv->x_widen};

    for (int axis = 0; axis < 3; axis++) {
        window.in[axis] = conv->in[axis];
        window.out[axis] = conv->out[axis];
        window.step[axis] = conv->stride[axis];
        window.taps[axis] = conv->kernel[axis];
        window.first[axis] = -conv->pad[axis];
        window.delta[axis] = conv->dilation[axis];
    }
    plain = lpi_matrix_from(&plain, i * channels * volume(conv->in));
    window.x = plain.at;
    gemm.a = lpi_matrix_from(&w, group * gemm.m * gemm.k);
    gemm.b = is_plain(conv) ? (lpi_columns){lpi_pack_matrix, &plain}
                            : (lpi_columns){lpi_pack_window, &window};
    gemm.c = conv->y + i * gemm.m * gemm.n;
    gemm.workspace = workspace;
    gemm.bias = conv->bias ? conv->bias + group * gemm.m : NULL;
    lpi_gemm_run(&gemm);
}

bool lpi_conv_takes_halves(const lpi_conv *conv)
{
    return !lpi_conv_is_depthwise(conv);
}

void lpi_conv_run(const lpi_conv *conv)
{
    int64_t products = conv->batch * conv->groups;
    int32_t threads = conv->team.threads;
    lpi_gemm one = product_of(conv, 1);
    int64_t size = lpi_gemm_workspace(&one);

    if (lpi_conv_is_depthwise(conv)) {
        lpi_depthwise_run(conv);
        return;
    }
    if (threads == 1 || products < 2 * (int64_t)threads) {
        for (int64_t i = 0; i < products; i++)
            run_product(conv, i, threads, conv->workspace);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int32_t t = 0; t < threads; t++) {
        int64_t from, to;

        lpi_share(products, 1, t, threads, &from, &to);
        for (int64_t i = from; i < to; i++)
            run_product(conv, i, 1, conv->workspace + t * size);
    }
}
