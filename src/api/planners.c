/* planners.c: the planners of the library, handed down to those who drive
 * them: the only place that asks planners/. */
#include "../../planners/planners.h"
#include "api.h"

static const lp_planner *const table[] = {
#define LPI_PLANNER(name) &lp_planner_##name,
#include "../../planners/planners.def"
#undef LPI_PLANNER
    NULL,
};

lp_status lp_plan_new(const lp_model *model, const lp_plan_options *options,
                      lp_plan **ret_plan, lp_error *error)
{
    return lpi_plan_new(table, model, options, ret_plan, error);
}

lp_status lp_plan_write(const lp_plan *plan, lp_format format, char **ret_text,
                        size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};
    lp_status status = lpi_plan_write(plan, format, &text, error);

    if (status != LP_OK) {
        lpi_text_drop(&text);
        return status;
    }
    return lpi_text_take(&text, ret_text, ret_length, error);
}

lp_status lp_planner_list(const char *const *folders, size_t folders_count,
                          lp_format format, char **ret_text, size_t *ret_length,
                          lp_error *error)
{
    const lpi_offer *offers;
    lpi_registry *registry;
    lpi_text text = {0};
    int64_t count;
    lp_status status;

    LP_TRY(lpi_registry_new(table, folders, folders_count, &registry, error));
    status = lpi_registry_list(registry, &offers, &count, error);
    if (status == LP_OK)
        status = lpi_offers_write(offers, count, format, &text, error);
    lpi_registry_free(registry);
    if (status != LP_OK) {
        lpi_text_drop(&text);
        return status;
    }
    return lpi_text_take(&text, ret_text, ret_length, error);
}
