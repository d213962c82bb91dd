/* settings.c: options of planners: "PLANNER.OPTION=VALUE". */
#include <string.h>

#include "plan.h"

/* A whole number, with a suffix as counts have it. */
static bool parse_number(const char *text, int64_t *ret_value)
{
    return lpi_parse_int(text, ret_value) || lp_parse_count(text, ret_value);
}

static const lp_option *find_option(const lp_planner *planner, const char *name,
                                    size_t length)
{
    const lp_option *option = planner->options;

    for (; option && option->name; option++)
        if (strlen(option->name) == length &&
            !memcmp(option->name, name, length))
            return option;
    return NULL;
}

/* Append the options of "planner" to "text". */
static void list_options(lpi_text *text, const lp_planner *planner)
{
    const lp_option *option = planner->options;

    if (!option || !option->name)
        lpi_text_put(text, "has none");
    else
        lpi_text_put(text, "has ");
    for (; option && option->name; option++)
        lpi_text_printf(text, "%s%s", option == planner->options ? "" : ", ",
                        option->name);
}

static lp_status refuse(const char *setting, const lp_planner *planner,
                        lp_error *error)
{
    lpi_text options = {0};

    list_options(&options, planner);
    lpi_fail(error, LP_EINVALID, NULL,
             "setting '%.200s': no such option; planner '%s' %.600s", setting,
             planner->name, options.bytes ? options.bytes : "");
    lpi_text_drop(&options);
    return LP_EINVALID;
}

/* Split "setting" into the lengths of its names and its value. */
static bool split(const char *setting, size_t *ret_planner, size_t *ret_option,
                  const char **ret_value)
{
    const char *dot = strchr(setting, '.');
    const char *equals = dot ? strchr(dot, '=') : NULL;

    if (!equals || dot == setting || equals == dot + 1)
        return false;
    *ret_planner = (size_t)(dot - setting);
    *ret_option = (size_t)(equals - dot - 1);
    *ret_value = equals + 1;
    return true;
}

static lp_status check(lpi_planning *planning, const char *setting,
                       lp_error *error)
{
    const lp_planner *planner;
    const lp_option *option;
    size_t planner_length, option_length;
    const char *value, *name;
    int64_t number;

    if (!split(setting, &planner_length, &option_length, &value))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "setting '%.200s' is not of the form "
                        "PLANNER.OPTION=VALUE",
                        setting);
    name = lpi_arena_strndup(planning->arena, setting, planner_length);
    if (!name)
        return lpi_fail_memory(error);
    LP_TRY(lpi_registry_find(planning->registry, name, &planner, error));
    option = find_option(planner, setting + planner_length + 1, option_length);
    if (!option)
        return refuse(setting, planner, error);
    if (!parse_number(option->initial, &number))
        return LP_OK;
    if (!parse_number(value, &number))
        return lpi_fail(error, LP_EINVALID, NULL,
                        "setting '%.200s': '%.100s' is no whole number",
                        setting, value);
    if (!option->least && !option->most)
        return LP_OK;
    if (number < option->least)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "setting '%.200s': '%.100s' is below %lld", setting,
                        value, (long long)option->least);
    if (number > option->most)
        return lpi_fail(error, LP_EINVALID, NULL,
                        "setting '%.200s': '%.100s' is above %lld", setting,
                        value, (long long)option->most);
    return LP_OK;
}

lp_status lpi_settings_check(lpi_planning *planning, lp_error *error)
{
    size_t i;

    for (i = 0; i < planning->options->settings_count; i++)
        LP_TRY(check(planning, planning->options->settings[i], error));
    return LP_OK;
}

/* The value given last for "option" of "planner". */
static const char *given(const lpi_planning *planning,
                         const lp_planner *planner, const lp_option *option)
{
    const char *value = option->initial, *text;
    size_t i, planner_length, option_length;

    for (i = 0; i < planning->options->settings_count; i++) {
        const char *setting = planning->options->settings[i];

        if (split(setting, &planner_length, &option_length, &text) &&
            strlen(planner->name) == planner_length &&
            !memcmp(planner->name, setting, planner_length) &&
            strlen(option->name) == option_length &&
            !memcmp(option->name, setting + planner_length + 1, option_length))
            value = text;
    }
    return value;
}

lp_status lpi_settings_find(const lpi_planning *planning, lpi_arena *arena,
                            const lp_planner *planner, lp_problem *problem,
                            lp_error *error)
{
    const lp_option *option = planner->options;
    lp_setting *settings;
    int32_t count = 0, i;

    while (option && option[count].name)
        count++;
    settings = LPI_NEW(arena, lp_setting, count);
    if (!settings)
        return lpi_fail_memory(error);
    for (i = 0; i < count; i++)
        settings[i] =
            (lp_setting){.name = option[i].name,
                         .value = given(planning, planner, &option[i])};
    problem->settings = settings;
    problem->settings_count = count;
    return LP_OK;
}

const char *lp_problem_text(const lp_problem *problem, const char *name)
{
    int32_t i;

    for (i = 0; i < problem->settings_count; i++)
        if (!strcmp(problem->settings[i].name, name))
            return problem->settings[i].value;
    return NULL;
}

int64_t lp_problem_count(const lp_problem *problem, const char *name)
{
    const char *text = lp_problem_text(problem, name);
    int64_t value;

    return text && parse_number(text, &value) ? value : 0;
}
