/* plot_plan.c: the tables of charts of plans: of budgets, and of the arena of a
 * schedule. */
#include "cli.h"

/* Draw "table", which is freed, when "status" is LP_OK. */
static cli_exit draw(lp_status status, char *table, const lp_error *error,
                     cli_chart *chart)
{
    cli_exit code;

    if (status != LP_OK)
        return cli_fail_with(error, CLI_INPUT);
    chart->layers = table;
    code = cli_chart_draw(chart);
    lp_text_free(table);
    return code;
}

cli_exit cli_plot_budgets(const cli_planning *args, const lp_model *model,
                          cli_chart *chart)
{
    lp_view view = {.format = LP_FORMAT_TSV};
    lp_plan_options options;
    lp_tradeoff *tradeoff;
    lp_error error = {0};
    lp_device *device;
    char *table = NULL;
    lp_status status;
    cli_exit code = cli_planning_settle(args, "plot", &options, &device);

    if (code == CLI_YES)
        code = cli_tradeoff(model, &options, args->sweep, &tradeoff);
    if (code == CLI_YES) {
        status = lp_tradeoff_write(tradeoff, &view, &table, NULL, &error);
        lp_tradeoff_free(tradeoff);
        code = draw(status, table, &error, chart);
    }
    lp_device_free(device);
    return code;
}

cli_exit cli_plot_arena(const char *schedule, const lp_model *model,
                        cli_chart *chart)
{
    lp_error error = {0};
    lp_schedule *loaded;
    char *table = NULL;
    lp_status status;

    if (lp_schedule_load(model, schedule, &loaded, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    status = lp_schedule_arena(loaded, &table, NULL, &error);
    lp_schedule_free(loaded);
    return draw(status, table, &error, chart);
}
