/* use_library.c: print the three heaviest layers of a model.
 *
 *   cc use_library.c $(pkg-config --cflags --libs lplan) -o use_library */
#include <inttypes.h>
#include <stdio.h>

#include <lplan.h>

enum { HEAVIEST = 3 };

/* Put "row" where it belongs among the "heaviest", the first first. */
static void rank(const lp_row **heaviest, const lp_row *row)
{
    for (int k = 0; k < HEAVIEST && row; k++) {
        const lp_row *other = heaviest[k];

        if (!other || lp_cost_macs(&row->cost) > lp_cost_macs(&other->cost)) {
            heaviest[k] = row;
            row = other;
        }
    }
}

int main(int argc, char **argv)
{
    const lp_row *heaviest[HEAVIEST] = {NULL};
    lp_model *model = NULL;
    lp_report *report = NULL;
    lp_error error;

    if (argc != 2) {
        fprintf(stderr, "usage: use_library MODEL.onnx\n");
        return 2;
    }
    if (lp_model_load(argv[1], NULL, &model, &error) != LP_OK ||
        lp_report_new(model, NULL, &report, &error) != LP_OK) {
        fprintf(stderr, "%s: %s\n", error.where, error.message);
        lp_model_free(model);
        return 3;
    }
    for (int64_t i = 0; i < report->rows_count; i++)
        rank(heaviest, &report->rows[i]);
    for (int k = 0; k < HEAVIEST && heaviest[k]; k++)
        printf("%15" PRId64 " MACs  %s\n", lp_cost_macs(&heaviest[k]->cost),
               heaviest[k]->name);
    lp_report_free(report);
    lp_model_free(model);
    return 0;
}
