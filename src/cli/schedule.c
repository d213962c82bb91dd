/* schedule.c: "lplan schedule" makes the baseline of a model, "lplan check"
 * says whether a schedule is right, and why not. */
#include <string.h>

#include "cli.h"

typedef struct schedule_args {
    cli_model model;
    const char *output, *rule;
    bool no_in_place;
    int64_t alignment, attention_rows, layer_rows;
    lp_dtype as;
    int32_t format;
} schedule_args;

typedef struct check_args {
    cli_model model;
    const char *device;
    int32_t format;
} check_args;

static const char *const formats[] = {"text", "json", NULL};

#define AT(member) .offset = offsetof(schedule_args, member)

static const cli_option schedule_options[] = {
    {.name = "output",
     .letter = 'o',
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write the schedule to FILE, and what it takes to standard "
             "output, where the schedule goes otherwise."},
    {.name = "no-in-place",
     .kind = CLI_FLAG,
     AT(no_in_place),
     .help = "Let no result overwrite an operand."},
    {.name = "alignment",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(alignment),
     .help = "Place tensors at multiples of N bytes, a power of two up to 2^30 "
             "(64 unless "
             "given)."},
    {.name = "attention-rows",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(attention_rows),
     .help = "Fuse attentions that are spelled out, N rows of the scores at a "
             "time."},
    {.name = "layer-rows",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(layer_rows),
     .help = "Cut every other layer that can be cut into tiles of N rows."},
    {.name = "as",
     .argument = "DTYPE",
     .kind = CLI_DTYPE,
     AT(as),
     .help = "Assume that floats are stored as DTYPE where that takes less, "
             "inputs and outputs of the graph excepted."},
    {.name = "rule",
     .argument = "RULE",
     .kind = CLI_TEXT,
     AT(rule),
     .help = "Place by RULE alone (see lplan-schedule(1)), not by the best."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Print what the schedule takes as text or json."},
    {.name = NULL},
};

#undef AT

static const cli_option check_options[] = {
    {.name = "device",
     .argument = "DEVICE",
     .kind = CLI_PATH,
     .offset = offsetof(check_args, device),
     .help = "Check against the memories and the timeline of the device in the "
             "file DEVICE, or one that 'lplan list devices' shows."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     .offset = offsetof(check_args, format),
     .words = formats,
     .help = "Print the answer as text or json."},
    {.name = NULL},
};

/* The names and values of "p", in order. */
enum { FIGURES = 6 };

static const char *const figure_names[FIGURES] = {
    "live_peak_bytes", "arena_bytes", "fast_peak_bytes",
    "traffic_bytes",   "macs",        "latency_ns"};

static void print_figures(const lp_predictions *p, bool as_json)
{
    const int64_t values[FIGURES] = {
        p->live_peak_bytes, p->arena_bytes, p->fast_peak_bytes,
        p->traffic_bytes,   p->macs,        p->latency_ns};
    int32_t count = p->latency_ns ? FIGURES : FIGURES - 1, i;

    if (as_json)
        cli_print("\"predicted\": {");
    for (i = 0; i < count; i++) {
        if (as_json)
            cli_print("%s\"%s\": %lld", i ? ", " : "", figure_names[i],
                      (long long)values[i]);
        else
            cli_print("%-16s %lld\n", figure_names[i], (long long)values[i]);
    }
    if (as_json)
        cli_print("}");
}

/* "text" as a JSON string. */
static void print_string(const char *text)
{
    cli_print("\"");
    for (; *text; text++) {
        size_t length = cli_printable(text);

        if (*text == '"' || *text == '\\')
            cli_print("\\%c", *text);
        else if (length)
            cli_print("%.*s", (int)length, text);
        else
            cli_print("\\u%04x", (unsigned char)*text);
        text += length ? length - 1 : 0;
    }
    cli_print("\"");
}

/* Write "schedule" and print what it takes. */
static cli_exit deliver(const schedule_args *args, const lp_schedule *schedule)
{
    lp_predictions figures;
    lp_error error = {0};
    size_t length;
    cli_exit code;
    char *text;

    if (lp_schedule_check(schedule, &figures, NULL, &error) != LP_OK ||
        lp_schedule_write(schedule, &text, &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    code = cli_write(args->output, text, length);
    lp_text_free(text);
    if (code != CLI_YES || !args->output || !strcmp(args->output, "-"))
        return code;
    if (args->format)
        cli_print("{");
    print_figures(&figures, args->format);
    if (args->format)
        cli_print(", \"rule\": \"%s\"}\n", lp_schedule_rule(schedule));
    else
        cli_print("%-16s %s\n", "rule", lp_schedule_rule(schedule));
    return CLI_YES;
}

static cli_exit run_schedule(const void *arguments, const cli_list *operands)
{
    const schedule_args *args = arguments;
    lp_schedule_options options = {.no_in_place = args->no_in_place,
                                   .alignment = args->alignment,
                                   .attention_rows = args->attention_rows,
                                   .layer_rows = args->layer_rows,
                                   .assume = args->as,
                                   .rule = args->rule};
    lp_error error = {0};
    lp_schedule *schedule;
    lp_model *model;
    lp_status status;
    cli_exit code = cli_load_one(&args->model, operands, "schedule", &model);

    if (code != CLI_YES)
        return code;
    status = lp_schedule_new(model, &options, &schedule, &error);
    if (status == LP_OK) {
        code = deliver(args, schedule);
        lp_schedule_free(schedule);
    } else if (status == LP_EINVALID) {
        code = cli_fail(CLI_USAGE, "schedule", "%s", error.message);
    } else {
        code = cli_fail_with(&error, CLI_INPUT);
    }
    lp_model_free(model);
    return code;
}

cli_exit cli_schedule_load(const lp_model *model, const char *path,
                           const char *device, lp_schedule **ret_schedule,
                           lp_device **ret_device)
{
    lp_schedule *schedule = NULL;
    lp_device *target = NULL;
    lp_error error = {0};
    cli_exit code = device ? cli_device_load(device, &target) : CLI_YES;

    if (code == CLI_YES &&
        (lp_schedule_load(model, path, &schedule, &error) != LP_OK ||
         (target && lp_schedule_set_device(schedule, target, &error) != LP_OK)))
        code = cli_fail_with(&error, CLI_INPUT);
    if (code != CLI_YES) {
        lp_schedule_free(schedule);
        lp_device_free(target);
        return code;
    }
    *ret_schedule = schedule;
    *ret_device = target;
    return CLI_YES;
}

/* The answer about "schedule". */
static cli_exit answer(const check_args *args, const lp_schedule *schedule)
{
    lp_predictions figures;
    lp_refusal refusal;
    lp_error error = {0};
    lp_status status = lp_schedule_check(schedule, &figures, &refusal, &error);
    bool is_right = status == LP_OK;

    if (!is_right && status != LP_EINFEASIBLE)
        return cli_fail_with(&error, CLI_INPUT);
    if (!args->format) {
        if (!is_right)
            return cli_fail_with(&error, CLI_INPUT);
        print_figures(&figures, false);
        return CLI_YES;
    }
    cli_print("{\"right\": %s, ", is_right ? "true" : "false");
    if (is_right) {
        print_figures(&figures, true);
        cli_print("}\n");
        return CLI_YES;
    }
    cli_print("\"run\": %lld, \"layer\": ", (long long)refusal.run);
    print_string(refusal.layer);
    cli_print(", \"tensor\": ");
    print_string(refusal.tensor);
    cli_print(", \"bytes\": %lld, \"why\": ", (long long)refusal.bytes);
    print_string(error.message);
    cli_print("}\n");
    return CLI_NO;
}

static cli_exit run_check(const void *arguments, const cli_list *operands)
{
    const check_args *args = arguments;
    cli_list models = *operands;
    lp_device *device = NULL;
    lp_schedule *schedule;
    const char *path;
    lp_model *model;
    cli_exit code;

    if (!models.count || models.count + args->model.nets.count < 2)
        return cli_fail(CLI_USAGE, "check", "a model and a schedule, not %zu",
                        models.count + args->model.nets.count);
    path = models.items[--models.count];
    code = cli_load_one(&args->model, &models, "check", &model);
    if (code != CLI_YES)
        return code;
    code = cli_schedule_load(model, path, args->device, &schedule, &device);
    if (code == CLI_YES) {
        code = answer(args, schedule);
        lp_schedule_free(schedule);
    }
    lp_device_free(device);
    lp_model_free(model);
    return code;
}

static const cli_option *const schedule_tables[] = {
    schedule_options, cli_source_options, cli_model_options, cli_common_options,
    NULL};

const cli_command cli_schedule = {
    .name = "schedule",
    .run = run_schedule,
    .size = sizeof(schedule_args),
    .options = schedule_tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Make the schedule that decides as little as it can",
};

static const cli_option *const check_tables[] = {
    check_options, cli_source_options, cli_model_options, cli_common_options,
    NULL};

const cli_command cli_check = {
    .name = "check",
    .run = run_check,
    .size = sizeof(check_args),
    .options = check_tables,
    .operands = "MODEL SCHEDULE",
    .completes = CLI_FILES,
    .summary = "Prove a schedule, or say why it is refused",
};
