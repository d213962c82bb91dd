/* run.c: "lplan run", compute a model.
 *
 * Outputs are written when the whole run is done, so that an interrupt leaves
 * none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct run_args {
    cli_model model;
    cli_list inputs;
    const char *seed, *fill_weights, *output, *compare, *schedule, *device,
        *one_case, *cases, *tsv;
    int64_t threads;
    const char *rtol, *atol, *ltol;
    int32_t format;
    bool profile, check_memory;
} run_args;

static const char *const formats[] = {"text", "json", NULL};

#define AT(member) .offset = offsetof(run_args, member)

static const cli_option options[] = {
    {.name = "input",
     .argument = "NAME=FILE",
     .kind = CLI_LIST,
     AT(inputs),
     .help = "Take the input NAME from FILE, .npy or .pb. Inputs that are not "
             "given are drawn."},
    {.name = "seed",
     .argument = "N",
     .kind = CLI_TEXT,
     AT(seed),
     .help = "Draw inputs from the seed N (0 unless given)."},
    {.name = "fill-weights",
     .argument = "SEED",
     .kind = CLI_TEXT,
     AT(fill_weights),
     .help = "Draw weights whose data file is absent from SEED, as they are "
             "needed."},
    {.name = "output",
     .letter = 'o',
     .argument = "DIR",
     .kind = CLI_PATH,
     AT(output),
     .help = "Write output_0.npy, output_1.npy, ... into DIR."},
    {.name = "compare",
     .argument = "DIR",
     .kind = CLI_PATH,
     AT(compare),
     .help = "Compare with output_0.npy (or .pb), ... in DIR; exit with 1 "
             "when something differs."},
    {.name = "rtol",
     .argument = "X",
     .kind = CLI_TEXT,
     AT(rtol),
     .help = "Relative tolerance of comparisons (0.001 unless given)."},
    {.name = "atol",
     .argument = "X",
     .kind = CLI_TEXT,
     AT(atol),
     .help = "Absolute tolerance of comparisons (1e-7 unless given)."},
    {.name = "ltol",
     .argument = "X",
     .kind = CLI_TEXT,
     AT(ltol),
     .help = "Tolerance as a part of the largest value of an output (0 unless "
             "given)."},
    {.name = "schedule",
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(schedule),
     .help = "Run as the schedule FILE says, compare byte by byte with the "
             "run without it, and what was planned with what was measured."},
    {.name = "device",
     .argument = "DEVICE",
     .kind = CLI_PATH,
     AT(device),
     .help =
         "With --schedule: it must be one for the device in the file DEVICE, "
         "or one that 'lplan list devices' shows."},
    {.name = "max-memory",
     .argument = "SIZE",
     .kind = CLI_COUNT,
     AT(model.max_memory_bytes),
     .help = "Let each of these take SIZE at most: reading the model (8GiB "
             "unless given), a file of --input (8GiB), the arena, activations "
             "outside of it, and weights in flight (what the machine has)."},
    {.name = "threads",
     .argument = "N",
     .kind = CLI_COUNT,
     AT(threads),
     .help = "Compute with N threads; the results do not depend on it."},
    {.name = "profile",
     .kind = CLI_FLAG,
     AT(profile),
     .help = "Print time, rate and bytes of every layer."},
    {.name = "check-memory",
     .kind = CLI_FLAG,
     AT(check_memory),
     .help = "Overwrite dead bytes, and compare with a run that shares none."},
    {.name = "format",
     .argument = "FORMAT",
     .kind = CLI_WORD,
     AT(format),
     .words = formats,
     .help = "Print text or json."},
    {.name = "case",
     .argument = "DIR",
     .kind = CLI_PATH,
     AT(one_case),
     .help = "Run the case DIR, a model.onnx with test_data_set_0, ... "
             "instead of a MODEL."},
    {.name = "cases",
     .argument = "ROOT",
     .kind = CLI_PATH,
     AT(cases),
     .help = "Run every case in the folder ROOT."},
    {.name = "tsv",
     .argument = "FILE",
     .kind = CLI_PATH,
     AT(tsv),
     .help = "Write the verdicts of --cases as a table, too."},
    {.name = NULL},
};

/* ---- arguments ------------------------------------------------------- */

static cli_exit parse_seed(const char *option, const char *text,
                           int64_t *ret_value)
{
    char *end;

    *ret_value = 0;
    if (!text)
        return CLI_YES;
    errno = 0;
    *ret_value = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return cli_fail(CLI_USAGE, "run", "--%s '%s' is no number", option,
                        text);
    return CLI_YES;
}

static cli_exit parse_tolerance(const char *option, const char *text,
                                double *value)
{
    char *end;

    if (!text)
        return CLI_YES;
    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= 0))
        return cli_fail(CLI_USAGE, "run", "--%s '%s' is no tolerance", option,
                        text);
    return CLI_YES;
}

/* Whether "name" is among the first "count" of "given". */
static bool is_given(const lp_given *given, size_t count, const char *name)
{
    while (count-- > 0)
        if (!strcmp(given[count].input, name))
            return true;
    return false;
}

/* Read the files of --input. */
static cli_exit read_inputs(const run_args *args, lp_given **ret_given)
{
    lp_given *given = cli_alloc((args->inputs.count + 1) * sizeof(*given));
    lp_error error = {0};

    *ret_given = given;
    for (size_t i = 0; i < args->inputs.count; i++) {
        const char *text = args->inputs.items[i], *split = strchr(text, '=');
        lp_array *array;

        if (!split || split == text || !split[1])
            return cli_fail(CLI_USAGE, "run", "--input '%s' is no NAME=FILE",
                            text);
        given[i].input = cli_format("%.*s", (int)(split - text), text);
        if (is_given(given, i, given[i].input))
            return cli_fail(CLI_USAGE, "run", "--input '%s' stands twice",
                            given[i].input);
        if (lp_array_read(split + 1, args->model.max_memory_bytes, &array,
                          &error) != LP_OK)
            return cli_fail_with(&error, CLI_INPUT);
        given[i].array = array;
    }
    return CLI_YES;
}

/* Load options in which the inputs given bind the dimensions that the model
 * leaves free, unless --shape says otherwise. */
static cli_exit settle(const run_args *args, const lp_given *given,
                       lp_load_options *ret_load)
{
    lp_input_shape *shapes;
    size_t count = 0;
    cli_exit code = cli_settle(&args->model, NULL, NULL, ret_load);

    if (code != CLI_YES)
        return code;
    shapes = cli_alloc((ret_load->shapes_count + args->inputs.count + 1) *
                       sizeof(*shapes));
    for (size_t i = 0; i < ret_load->shapes_count; i++)
        shapes[count++] = ret_load->shapes[i];
    for (size_t i = 0; i < args->inputs.count; i++) {
        bool is_said = false;

        for (size_t k = 0; k < ret_load->shapes_count; k++)
            is_said = is_said ||
                      !strcmp(ret_load->shapes[k].input, given[i].input);
        if (!is_said)
            shapes[count++] = (lp_input_shape){
                given[i].input, given[i].array->shape, .binds = true};
    }
    ret_load->shapes = shapes;
    ret_load->shapes_count = count;
    return CLI_YES;
}

/* ---- one model ------------------------------------------------------- */

/* Whether what was planned was measured; a bound may stay unreached. */
static bool as_planned(const lp_run *run)
{
    const lp_predictions *p = &run->predicted;
    const lp_measured *m = &run->measured;

    if (!run->is_placed)
        return true;
    if (run->is_estimated)
        return m->arena_bytes <= p->arena_bytes &&
               m->traffic_bytes <= p->traffic_bytes;
    return m->arena_bytes == p->arena_bytes &&
           m->traffic_bytes == p->traffic_bytes && m->macs == p->macs;
}

/* Compare, save and print "run". */
static cli_exit answer(const run_args *args, const lp_tolerance *tolerance,
                       lp_run *run)
{
    lp_error error = {0};
    cli_exit code = CLI_YES;
    size_t length;
    char *text;

    if (cli_interrupted())
        return cli_fail(CLI_SYSTEM, "run", "interrupted: nothing was written");
    if (args->compare &&
        lp_run_compare(run, args->compare, tolerance, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    if (args->output && lp_run_save(run, args->output, &error) != LP_OK)
        return cli_fail_with(&error, CLI_SYSTEM);
    if (lp_run_write(run, args->format ? LP_FORMAT_JSON : LP_FORMAT_TEXT, &text,
                     &length, &error) != LP_OK)
        return cli_fail_with(&error, CLI_SYSTEM);
    code = cli_write(NULL, text, length);
    lp_text_free(text);
    if (code != CLI_YES)
        return code;
    if (run->results == LP_RESULTS_DIFFERENT)
        return cli_fail(CLI_NO, "run", "results differ: %s", run->difference);
    if (args->schedule && !as_planned(run))
        return cli_fail(CLI_NO, "run",
                        "what was measured is not what was planned");
    return CLI_YES;
}

static cli_exit run_model(const run_args *args, const lp_tolerance *tolerance,
                          lp_model *model, lp_run_options *wanted)
{
    lp_schedule *schedule = NULL;
    lp_device *device = NULL;
    lp_error error = {0};
    lp_run *run;
    cli_exit code;

    if (args->compare &&
        lp_outputs_exist(model, args->compare, &error) != LP_OK)
        return cli_fail_with(&error, CLI_INPUT);
    if (args->schedule) {
        code = cli_schedule_load(model, args->schedule, args->device, &schedule,
                                 &device);
        if (code != CLI_YES)
            return code;
    }
    wanted->schedule = schedule;
    if (lp_model_run(model, wanted, &run, &error) != LP_OK) {
        code = cli_interrupted() ? cli_fail(CLI_SYSTEM, "run",
                                            "interrupted: nothing was written")
                                 : cli_fail_with(&error, CLI_INPUT);
    } else {
        code = answer(args, tolerance, run);
        lp_run_free(run);
    }
    lp_schedule_free(schedule);
    lp_device_free(device);
    return code;
}

static cli_exit run_one(const run_args *args, const cli_list *operands,
                        const lp_tolerance *tolerance, lp_run_options *wanted)
{
    const cli_source *sources;
    lp_load_options load;
    lp_given *given = NULL;
    lp_model *model;
    size_t count;
    cli_exit code;

    code = cli_sources(&args->model, operands, 0, &sources, &count);
    if (code == CLI_YES && count != 1)
        code = cli_fail(CLI_USAGE, "run", "one model, not %zu", count);
    if (code == CLI_YES)
        code = read_inputs(args, &given);
    if (code == CLI_YES)
        code = settle(args, given, &load);
    if (code == CLI_YES)
        code = cli_load(&sources[0], &load, &model);
    if (code == CLI_YES) {
        wanted->inputs = given;
        wanted->inputs_count = args->inputs.count;
        code = run_model(args, tolerance, model, wanted);
        lp_model_free(model);
    }
    for (size_t i = 0; given && i < args->inputs.count; i++)
        lp_array_free((lp_array *)given[i].array);
    return code;
}

/* ---- the command ----------------------------------------------------- */

static cli_exit check(const run_args *args, const cli_list *operands)
{
    bool of_cases = args->one_case || args->cases;

    if (args->one_case && args->cases)
        return cli_fail(CLI_USAGE, "run",
                        "--case and --cases exclude each "
                        "other");
    if (args->device && !args->schedule)
        return cli_fail(CLI_USAGE, "run", "--device goes with --schedule");
    if (args->tsv && !of_cases)
        return cli_fail(CLI_USAGE, "run", "--tsv belongs to --cases");
    if (of_cases &&
        (operands->count || args->model.nets.count || args->inputs.count ||
         args->output || args->compare || args->schedule || args->format))
        return cli_fail(CLI_USAGE, "run",
                        "a case brings its model, inputs and outputs along");
    if (args->threads > 4096)
        return cli_fail(CLI_USAGE, "run", "--threads %lld are too many",
                        (long long)args->threads);
    return CLI_YES;
}

/* What arena, buffers and weights in flight may each take: what was asked for,
 * or all that this machine has; 0 (no limit) where it does not tell. */
static int64_t most_memory(const run_args *args)
{
    int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    if (args->model.max_memory_bytes)
        return args->model.max_memory_bytes;
    return pages > 0 && page > 0 ? pages * page : 0;
}

static cli_exit run(const void *arguments, const cli_list *operands)
{
    const run_args *args = arguments;
    lp_tolerance tolerance = {.rtol = 1e-3, .atol = 1e-7};
    cli_bar bar = {.shows = isatty(STDERR_FILENO) && !args->cases};
    lp_run_options wanted = {
        .fill_weights = args->fill_weights != NULL,
        .threads = (int32_t)args->threads,
        .check_memory = args->check_memory,
        .profile = args->profile,
        .max_memory_bytes = most_memory(args),
        .progress = cli_bar_show,
        .progress_context = &bar,
    };
    cli_exit code = check(args, operands);

    if (code == CLI_YES)
        code = parse_seed("seed", args->seed, &wanted.seed);
    if (code == CLI_YES)
        code =
            parse_seed("fill-weights", args->fill_weights, &wanted.fill_seed);
    if (code == CLI_YES)
        code = parse_tolerance("rtol", args->rtol, &tolerance.rtol);
    if (code == CLI_YES)
        code = parse_tolerance("atol", args->atol, &tolerance.atol);
    if (code == CLI_YES)
        code = parse_tolerance("ltol", args->ltol, &tolerance.ltol);
    if (code != CLI_YES)
        return code;
    cli_interrupt_catch();
    if (args->one_case || args->cases)
        return cli_cases_run(args->one_case ? args->one_case : args->cases,
                             args->cases != NULL, args->tsv, &wanted,
                             &tolerance);
    return run_one(args, operands, &tolerance, &wanted);
}

static const cli_option *const tables[] = {
    options, cli_net_options, cli_model_options, cli_common_options, NULL};

const cli_command cli_run = {
    .name = "run",
    .run = run,
    .size = sizeof(run_args),
    .options = tables,
    .operands = "MODEL",
    .completes = CLI_FILES,
    .summary = "Compute a model, as it stands or as a schedule says",
};
