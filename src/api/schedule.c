/* schedule.c: schedules made, read, written and checked. */
#include <string.h>

#include "api.h"

lp_status lp_schedule_new(const lp_model *model,
                          const lp_schedule_options *options,
                          lp_schedule **ret_schedule, lp_error *error)
{
    return lpi_schedule_baseline(model, options, ret_schedule, error);
}

lp_status lp_schedule_read(const lp_model *model, const char *text,
                           size_t length, const char *name,
                           lp_schedule **ret_schedule, lp_error *error)
{
    return lpi_schedule_read(model, text, length, name, ret_schedule, error);
}

lp_status lp_schedule_load(const lp_model *model, const char *path,
                           lp_schedule **ret_schedule, lp_error *error)
{
    lp_schedule *schedule;
    lp_status status;
    lpi_file *file;
    int64_t size;
    char *text;

    LP_TRY(lpi_file_open(path, &file, error));
    size = lpi_file_size(file);
    text = size <= lpi_arena_cap(model->arena) ? lpi_alloc((size_t)size + 1)
                                               : NULL;
    status = text ? lpi_file_read(file, 0, size, text, error)
                  : lpi_fail_memory(error);
    lpi_file_close(file);
    if (status == LP_OK)
        status = lpi_schedule_read(model, text, (size_t)size, path, &schedule,
                                   error);
    lpi_free(text);
    LP_TRY(status);
    status = lpi_scales_read(schedule, path, error);
    if (status == LP_OK)
        *ret_schedule = schedule;
    else
        lp_schedule_free(schedule);
    return status;
}

lp_status lp_schedule_write(const lp_schedule *schedule, char **ret_text,
                            size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};
    lp_status status = lpi_schedule_write(schedule, &text, error);

    if (status != LP_OK) {
        lpi_text_drop(&text);
        return status;
    }
    return lpi_text_take(&text, ret_text, ret_length, error);
}

lp_status lp_schedule_check(const lp_schedule *schedule,
                            lp_predictions *ret_predictions,
                            lp_refusal *ret_refusal, lp_error *error)
{
    lpi_arena *arena = lpi_arena_new(lpi_arena_cap(schedule->arena));
    lpi_program program;
    lp_status status;

    if (!arena)
        return lpi_fail_memory(error);
    status = lpi_program_lower(arena, schedule, &program, ret_refusal, error);
    if (status == LP_OK)
        status = lpi_program_check(&program, ret_refusal, error);
    if (status == LP_OK)
        status = lpi_check_bounds(schedule, &program.predictions, ret_refusal,
                                  error);
    if (status == LP_OK)
        *ret_predictions = program.predictions;
    lpi_arena_free(arena);
    return status;
}
