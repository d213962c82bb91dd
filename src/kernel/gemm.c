/* gemm.c: matrix products in blocks that fit the caches (Goto and van de
 * Geijn, "Anatomy of high-performance matrix multiplication", 2008).
 *
 * B is packed in panels as wide as the register tile, K_BLOCK rows at a time;
 * A is read where it stands when its rows are runs of memory, M_BLOCK rows at
 * a time, else packed in panels as high as the tile.  Every tile continues
 * what C holds.  Threads take parts of the columns and share nothing, or, when
 * there are more of them, of the rows: then they pack B together, some panels
 * at a time.  A product that wastes much of the tiles may be computed
 * transposed. */
#include <string.h>

#include "kernel.h"

/* M_BLOCK and N_BLOCK are multiples of the sides of every tile. */
enum { K_BLOCK = 384, M_BLOCK = 144, N_BLOCK = 2304 };
enum { TILE_MOST = 24 * 48, TILE_SIDE = 48 };

/* What is computed, and how: C holds element (i, j) at i * c_row +
 * j * c_column. */
typedef struct way {
    const lpi_gemm *gemm;
    const lpi_gemm_tile *tile;
    int64_t m, n, c_row, c_column;
    lpi_matrix a, turned;
    lpi_columns b;
    bool in_place; /* A is not packed */
} way;

/* A part of the product that one thread computes, and its workspace. */
typedef struct piece {
    const way *plan;
    int64_t m_from, m_to, n_from, n_to;
    float *a, *b;
} piece;

/* Rows [k, k + k_count) of B, "k" being a multiple of K_BLOCK, of columns
 * [n, n + columns): panels of K_BLOCK rows in "b", one behind the other. */
typedef struct chunk {
    int64_t n, columns, k, k_count;
    float *b;
} chunk;

/* Floats of the panels of A and of B that a thread has, so that all together
 * have two buffers for panels of B, for all of it where it is small. */
static void rooms_of(const lpi_gemm *gemm, int64_t *ret_a, int64_t *ret_b)
{
    int64_t k = lpi_least(gemm->k, K_BLOCK), most = (int64_t)K_BLOCK * N_BLOCK;
    int64_t side = gemm->m > gemm->n ? gemm->m : gemm->n, all;

    *ret_a = k * lpi_least(side + TILE_SIDE, M_BLOCK);
    *ret_b = k * lpi_least(side + TILE_SIDE, N_BLOCK);
    all = lpi_least(lpi_mul(gemm->k, side + TILE_SIDE), most);
    all = lpi_ceil_div(2 * all, gemm->team.threads);
    if (gemm->team.threads > 1 && *ret_b < all)
        *ret_b = all;
}

int64_t lpi_gemm_workspace(const lpi_gemm *gemm)
{
    int64_t a, b;

    rooms_of(gemm, &a, &b);
    return (a + b) * gemm->team.threads + LPI_LANES;
}

/* "m[1]" rows of A from m[0] on, "k[1]" columns from k[0] on, in panels of
 * "height" rows, zeros behind the last. */
static void pack_a(const lpi_matrix *a, const int64_t m[2], const int64_t k[2],
                   int64_t height, float *to)
{
    lpi_matrix turned = {a->at, a->column, a->row, a->widen};

    for (int64_t i = 0; i < m[1]; i += height)
        lpi_pack_matrix(&turned, k[0], k[1], m[0] + i,
                        lpi_least(m[1] - i, height), height, to + i * k[1]);
}

/* A tile that stands over the edge, or on a C whose columns are no
 * neighbours: "rows" x "columns" of it exist. */
static void edge_tile(const way *plan, lpi_tile_args args, int64_t rows,
                      int64_t columns)
{
    float whole[TILE_MOST] = {0};
    int64_t width = plan->tile->columns;
    float *c = args.c;

    for (int64_t i = 0; i < rows && !args.fresh; i++)
        for (int64_t j = 0; j < columns; j++)
            whole[i * width + j] = c[i * plan->c_row + j * plan->c_column];
    args.c = whole;
    args.c_row = width;
    plan->tile->run(&args);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            c[i * plan->c_row + j * plan->c_column] = whole[i * width + j];
}

/* The block of C at "from", "count" large, from "args", which say where the
 * blocks of A and B begin. */
static void run_block(const piece *part, const int64_t from[2],
                      const int64_t count[2], lpi_tile_args args)
{
    const way *plan = part->plan;
    const lpi_gemm_tile *tile = plan->tile;
    const float *a = args.a, *b = args.b;

    for (int64_t j = 0; j < count[1]; j += tile->columns)
        for (int64_t i = 0; i < count[0]; i += tile->rows) {
            int64_t high = lpi_least(count[0] - i, tile->rows);
            int64_t wide = lpi_least(count[1] - j, tile->columns);

            args.c = plan->gemm->c + (from[0] + i) * plan->c_row +
                     (from[1] + j) * plan->c_column;
            args.a = a + (plan->in_place ? i * args.a_row : i * args.k);
            args.b = b + j * args.k;
            LPI_MACS(high * wide * args.k);
            args.next = NULL;
            if (high == tile->rows && i + high < count[0])
                args.next = args.c + high * plan->c_row;
            if (high == tile->rows && wide == tile->columns &&
                plan->c_column == 1)
                tile->run(&args);
            else
                edge_tile(plan, args, high, wide);
        }
}

/* "rows" rows of "k_count" halves of A as floats in "to". */
static lpi_matrix widened(const lpi_matrix *a, int64_t rows, int64_t k_count,
                          float *to)
{
    for (int64_t i = 0; i < rows; i++)
        a->widen(k_count, (const uint16_t *)a->at + i * a->row,
                 to + i * k_count);
    return (lpi_matrix){to, k_count, 1, NULL};
}

static int64_t padded(const way *plan, int64_t columns)
{
    return lpi_ceil_div(columns, plan->tile->columns) * plan->tile->columns;
}

/* Pack "k[1]" rows from k[0] on of "n[1]" columns from n[0] on. */
static void pack_panel(const way *plan, const int64_t k[2], const int64_t n[2],
                       float *to)
{
    const lpi_matrix *b = plan->b.context;

    if (plan->b.pack == lpi_pack_matrix && b->row == 1 && b->column != 1 &&
        !b->widen && n[1] == plan->tile->columns)
        plan->gemm->team.isa->turn(b->at + k[0] + n[0] * b->column, b->column,
                                   (int64_t[]){k[1], n[1]}, n[1], to);
    else
        plan->b.pack(b, k[0], k[1], n[0], n[1], plan->tile->columns, to);
}

/* Pack rows [from, to) of the chunk. */
static void pack_rows(const way *plan, const chunk *c, int64_t from, int64_t to)
{
    int64_t wide = plan->tile->columns, end;

    for (int64_t k = from; k < to; k = end) {
        int64_t first = k / K_BLOCK * K_BLOCK;
        int64_t high = lpi_least(c->k_count - first, K_BLOCK);
        float *panel = c->b + first * padded(plan, c->columns);

        end = lpi_least(to, first + high);
        for (int64_t j = 0; j < c->columns; j += wide)
            pack_panel(plan, (int64_t[]){c->k + k, end - k},
                       (int64_t[]){c->n + j, lpi_least(c->columns - j, wide)},
                       panel + j * high + (k - first) * wide);
    }
}

/* All rows of "part" for the first panel of "c". */
static void run_panel(const piece *part, const chunk *c)
{
    const way *plan = part->plan;
    const lpi_gemm_tile *tile = plan->tile;
    int64_t n = c->n, columns = c->columns, k = c->k, k_count = c->k_count;
    lpi_tile_args args = {.k = k_count,
                          .a_row = 1,
                          .a_column = tile->rows,
                          .b = c->b,
                          .c_row = plan->c_row,
                          .fresh = plan->gemm->fresh && k == 0};

    for (int64_t m = part->m_from; m < part->m_to; m += M_BLOCK) {
        int64_t rows = lpi_least(part->m_to - m, M_BLOCK);
        int64_t whole = rows / tile->rows * tile->rows;
        const lpi_matrix *a = &plan->a;

        args.a = part->a;
        if (plan->in_place && whole) {
            lpi_matrix block = lpi_matrix_from(a, m * a->row + k * a->column);

            if (a->widen)
                block = widened(&block, whole, k_count, part->a);
            args.a = block.at;
            args.a_row = block.row;
            args.a_column = block.column;
            run_block(part, (int64_t[]){m, n}, (int64_t[]){whole, columns},
                      args);
        }
        if (plan->in_place && whole == rows)
            continue;
        if (!plan->in_place)
            whole = 0;
        pack_a(a, (int64_t[]){m + whole, rows - whole}, (int64_t[]){k, k_count},
               tile->rows, part->a);
        args.a = part->a;
        args.a_row = 1;
        args.a_column = tile->rows;
        run_block(part, (int64_t[]){m + whole, n},
                  (int64_t[]){rows - whole, columns}, args);
    }
}

/* Add the bias to what "part" has computed. */
static void finish(const piece *part)
{
    bool turned = part->plan->b.context == &part->plan->turned;
    const int64_t m[2] = {part->m_from, part->m_to};
    const int64_t n[2] = {part->n_from, part->n_to};

    lpi_gemm_add_bias(part->plan->gemm, turned ? n : m, turned ? m : n);
}

/* All panels of a chunk, which are packed. */
static void run_chunk(const piece *part, const chunk *c)
{
    int64_t k = 0;

    do {
        chunk one = {c->n, c->columns, c->k + k,
                     lpi_least(c->k_count - k, K_BLOCK),
                     c->b + k * padded(part->plan, c->columns)};

        run_panel(part, &one);
    } while ((k += K_BLOCK) < c->k_count);
}

/* Columns of B that one row of tiles reads once are packed tile by tile. */
static void run_part(const piece *part)
{
    const lpi_gemm_tile *tile = part->plan->tile;
    int64_t whole = part->plan->gemm->k, block = N_BLOCK;

    if (part->m_to - part->m_from <= tile->rows)
        block = tile->columns;
    for (int64_t n = part->n_from; n < part->n_to; n += block) {
        chunk c = {n, lpi_least(part->n_to - n, block), 0, 0, part->b};

        do {
            c.k_count = lpi_least(whole - c.k, K_BLOCK);
            pack_rows(part->plan, &c, 0, c.k_count);
            run_panel(part, &c);
        } while ((c.k += K_BLOCK) < whole);
    }
    finish(part);
}

/* The tile that wastes least of m x n; "ret_cost" in multiply-adds a k, the
 * narrow tile's counted by half as much again, as it waits for loads. */
static const lpi_gemm_tile *choose(const lpi_isa *isa, int64_t m, int64_t n,
                                   int64_t *ret_cost)
{
    static const int64_t price[LPI_TILES] = {100, 101, 155};
    const lpi_gemm_tile *best = NULL;

    for (int32_t i = 0; i < LPI_TILES; i++) {
        const lpi_gemm_tile *tile = &isa->tiles->tile[i];
        int64_t cost = lpi_ceil_div(m, tile->rows) * tile->rows *
                       lpi_ceil_div(n, tile->columns) * tile->columns *
                       price[i];

        if (!best || cost < *ret_cost) {
            best = tile;
            *ret_cost = cost;
        }
    }
    return best;
}

static void make_plan(const lpi_gemm *gemm, way *plan)
{
    int64_t m = gemm->m, n = gemm->n, cost = 0, turned = 0;
    bool known = gemm->b.pack == lpi_pack_matrix;
    const lpi_matrix *b = gemm->b.context;
    const lpi_gemm_tile *tile = choose(gemm->team.isa, n, m, &turned);

    *plan =
        (way){gemm, NULL, m, n, gemm->c_row, 1, gemm->a, {0}, gemm->b, false};
    plan->tile = choose(gemm->team.isa, m, n, &cost);
    if (known && turned < cost / 10 * 8 && (b->row == 1 || m > 16)) {
        plan->tile = tile;
        plan->m = n;
        plan->n = m;
        plan->c_row = 1;
        plan->c_column = gemm->c_row;
        plan->turned = (lpi_matrix){gemm->a.at, gemm->a.column, gemm->a.row,
                                    gemm->a.widen};
        plan->a = (lpi_matrix){b->at, b->column, b->row, b->widen};
        plan->b.context = &plan->turned;
    }
    plan->in_place = plan->a.column == 1;
}

static int32_t threads_of(const lpi_gemm *gemm)
{
    enum { WORTH = 1 << 20 }; /* multiply-adds, of a thread of its own */
    int64_t worth = lpi_mul(lpi_mul(gemm->m, gemm->n), gemm->k) / WORTH;

    return (int32_t)lpi_least(lpi_add(worth, 1), gemm->team.threads);
}

/* The part of thread "i" of "threads". */
static piece part_of(const way *plan, bool by_rows, int32_t i, int32_t threads)
{
    const lpi_gemm *gemm = plan->gemm;
    piece part = {.plan = plan, .m_to = plan->m, .n_to = plan->n};
    int64_t a, b;

    rooms_of(gemm, &a, &b);
    part.a = gemm->workspace + a * i;
    part.b = gemm->workspace + a * threads + b * i;
    if (by_rows)
        lpi_share(plan->m, plan->tile->rows, i, threads, &part.m_from,
                  &part.m_to);
    else
        lpi_share(plan->n, plan->tile->columns, i, threads, &part.n_from,
                  &part.n_to);
    return part;
}

/* Threads take rows and pack B together, alternately in two buffers: who is
 * done with a chunk packs the next while others still read. */
static void run_together(const way *plan, int32_t threads)
{
    enum { UNIT = 8 };
    int64_t k = plan->gemm->k, a, b, step;
    float *shared = part_of(plan, true, 0, threads).b;

    rooms_of(plan->gemm, &a, &b);
    b = b * threads / 2;
    step = b / padded(plan, lpi_least(plan->n, N_BLOCK)) / K_BLOCK * K_BLOCK;
    step = step < K_BLOCK ? K_BLOCK : step;
#pragma omp parallel num_threads(threads)
    {
        chunk c = {.b = shared};

        for (c.n = 0; c.n < plan->n; c.n += N_BLOCK)
            for (c.k = 0; c.k < k; c.k += step) {
                c.columns = lpi_least(plan->n - c.n, N_BLOCK);
                c.k_count = lpi_least(k - c.k, step);
#pragma omp for schedule(static, 1)
                for (int32_t i = 0; i < threads; i++) {
                    int64_t from, to;

                    lpi_share(c.k_count, UNIT, i, threads, &from, &to);
                    pack_rows(plan, &c, from, to);
                }
#pragma omp for schedule(static, 1) nowait
                for (int32_t i = 0; i < threads; i++) {
                    piece part = part_of(plan, true, i, threads);

                    run_chunk(&part, &c);
                    if (c.n + N_BLOCK >= plan->n && c.k + step >= k)
                        finish(&part);
                }
                c.b = c.b == shared ? shared + b : shared;
            }
    }
}

void lpi_gemm_run(const lpi_gemm *gemm)
{
    int32_t threads = threads_of(gemm);
    way plan;
    bool by_rows;

    if (gemm->m < 1 || gemm->n < 1 || lpi_gemm_few_rows(gemm, threads))
        return;
    make_plan(gemm, &plan);
    by_rows = plan.m / plan.tile->rows > plan.n / plan.tile->columns;
    if (by_rows && threads > 1 && gemm->k > 0) {
        run_together(&plan, threads);
        return;
    }
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        piece part = part_of(&plan, by_rows, i, threads);

        run_part(&part);
    }
}
