/* order.c: peaks of orders by simple rules and of the best one, with bounds,
 * work and CPU time, on random wirings and layered graphs.
 *
 * The published figures beside RandWire-like graphs, in the same model (the
 * output is live together with the inputs, results of one byte): prototype
 * searches of WS(32, 4, 0.75) took 2.9 to 4.8 thousand states; their node
 * bounds were 7 to 8, their min-cut bounds 12 to 15, their optima 13 to 17. */
#include <time.h>

#include "../unit/order_graphs.h"

enum { SEEDS = 8 };

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void print_head(void)
{
    printf("%-22s %6s %6s %6s %6s %6s %6s %6s  %-16s %8s %8s\n", "graph",
           "given", "kahn", "rdfs", "greedy", "hill", "best", "bound", "proof",
           "work", "CPU ms");
}

static void print_solved(const char *name, int32_t seed, lpi_arena *arena,
                         const lp_graph *graph)
{
    double begin = cpu_ms();
    lp_ordering got = {0};
    lp_error error = {0};
    char title[32];

    if (lp_solve_order(arena, graph, NULL, &got, &error) != LP_OK) {
        printf("%s: %s\n", name, error.message);
        return;
    }
    begin = cpu_ms() - begin;
    snprintf(title, sizeof(title), "%s #%d", name, seed);
    printf("%-22s", title);
    for (int32_t i = 0; i < got.candidates_count; i++)
        printf(" %6lld", (long long)got.candidates[i].peak_bytes);
    printf(" %6lld %6lld  %-16s %8lld %8.2f\n", (long long)got.peak_bytes,
           (long long)got.bound_bytes, got.proof, (long long)got.work, begin);
}

int main(void)
{
    print_head();
    for (int32_t kind = 0; kind < 6; kind++)
        for (int32_t seed = 0; seed < SEEDS; seed++) {
            lpi_arena *arena = lpi_arena_new(INT64_MAX);
            graph_maker m = maker(arena, (uint64_t)seed);

            if (kind == 0)
                print_solved("WS(32,4,.75) unit", seed, arena,
                             watts_strogatz(&m, 32, false));
            else if (kind == 1)
                print_solved("WS(32,4,.75) sizes", seed, arena,
                             watts_strogatz(&m, 32, true));
            else if (kind == 2)
                print_solved("layered 30", seed, arena, layered_graph(&m, 30));
            else if (kind == 3)
                print_solved("random 30", seed, arena, random_graph(&m, 30));
            else if (kind == 4)
                print_solved("WS(64,4,.75) sizes", seed, arena,
                             watts_strogatz(&m, 64, true));
            else
                print_solved("layered 1000", seed, arena,
                             layered_graph(&m, 1000));
            lpi_arena_free(arena);
        }
    return 0;
}
