/* cli.h: the command line.  Every command is one cli_command, every option
 * one cli_option; help, manual pages and completion come from these rows. */
#ifndef LPI_CLI_H
#define LPI_CLI_H

#include <time.h>

#include <lplan.h>

/* Exit codes. */
typedef enum cli_exit {
    CLI_YES = 0,
    CLI_NO = 1,     /* the answer is no: an assertion is false */
    CLI_USAGE = 2,  /* the command line is wrong */
    CLI_INPUT = 3,  /* an input is missing, broken or not supported */
    CLI_SYSTEM = 4, /* no memory, no space, no gnuplot, a closed pipe */
} cli_exit;

/* ---- rows ------------------------------------------------------------- */

/* What an option stores at its offset. */
typedef enum cli_kind {
    CLI_HELP,  /* nothing: prints the help and stops */
    CLI_FLAG,  /* bool */
    CLI_TEXT,  /* const char * */
    CLI_PATH,  /* const char *, the name of a file */
    CLI_COUNT, /* int64_t, a count above zero with an optional suffix */
    CLI_WORD,  /* int32_t, the position in "words" */
    CLI_DTYPE, /* lp_dtype */
    CLI_LIST,  /* cli_list: the option may be given several times */
} cli_kind;

typedef struct cli_list {
    const char **items;
    size_t count;
} cli_list;

typedef struct cli_option {
    const char *name;     /* long form, without dashes; NULL ends a table */
    char letter;          /* short form; 0: none */
    const char *argument; /* its name in the help; NULL: takes none */
    cli_kind kind;
    size_t offset; /* of the target in the command's arguments */
    const char *help;
    const char *const *words; /* CLI_WORD: what may be said; NULL ends it */
} cli_option;

/* What completion offers for operands. */
typedef enum cli_operand {
    CLI_NOTHING,
    CLI_FILES,
    CLI_CHARTS, /* a chart first, then files */
    CLI_NAMES,  /* a command */
    CLI_SHELLS,
} cli_operand;

/* A command: "run" gets arguments of "size" bytes, zero where no option was
 * given, and the operands.  "options" are tables, ended by NULL; the
 * arguments of a command that has cli_source_options begin with its
 * cli_model. */
typedef struct cli_command {
    const char *name;
    cli_exit (*run)(const void *args, const cli_list *operands);
    size_t size;
    const cli_option *const *options;
    const char *operands; /* in the usage line, "MODEL..." */
    cli_operand completes;
    const char *summary;
} cli_command;

extern const cli_command cli_analyze, cli_plot, cli_diff, cli_dump, cli_help,
    cli_completion, cli_run, cli_fill, cli_schedule, cli_check, cli_solve,
    cli_plan, cli_listing;

/* All of them, ended by NULL. */
extern const cli_command *const cli_commands[];

/* The command called "name", or NULL. */
const cli_command *cli_command_find(const char *name);

/* ---- options.c -------------------------------------------------------- */

/* --help, which every command has. */
extern const cli_option cli_common_options[];

/* Parse "argv" into "args" and "operands".  "*ret_stop" tells that the help
 * was asked for and printed. */
cli_exit cli_parse(const cli_command *command, char **argv, void *args,
                   cli_list *operands, bool *ret_stop);

/* Append "item"; the list holds the pointer. */
void cli_push(cli_list *list, const char *item);

/* ---- usage.c ---------------------------------------------------------- */

/* Print the help of "command"; NULL: of lplan. */
void cli_usage(const cli_command *command);

/* ---- output.c --------------------------------------------------------- */

/* One line on stderr, "lplan: WHERE: MESSAGE", control characters escaped;
 * "where" may be NULL.  Returns "code". */
cli_exit cli_fail(cli_exit code, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Report an error of the library and return its exit code.  "blame" is that
 * of LP_EINPUT and LP_EIO: CLI_INPUT while a model is read, CLI_SYSTEM while
 * a file is written, CLI_USAGE where the command line alone can be wrong. */
cli_exit cli_fail_with(const lp_error *error, cli_exit blame);

/* Write to the file "path", or to stdout when it is NULL or "-".  What is no
 * regular file (a device, a pipe) is written in place. */
cli_exit cli_write(const char *path, const char *text, size_t length);

/* Print on stdout. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flush and close stdout; reports if anything printed did not arrive. */
cli_exit cli_finish(void);

/* Zeroed memory, freed when the process ends; never NULL: without memory the
 * process ends with a message. */
void *cli_alloc(size_t size);
char *cli_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_free_all(void);

/* Length of the character at "text" if a terminal shows it as such, 0 for
 * control characters (C0, DEL, C1) and for bytes that are no UTF-8. */
size_t cli_printable(const char *text);

/* A copy of "text" with all else as \n, \t or \xHH. */
const char *cli_escape(const char *text);

/* Set width and colour of a text view after the terminal. */
void cli_view_terminal(lp_view *view, const char *output);

/* ---- model_args.c ----------------------------------------------------- */

/* The options that choose models, and those that settle them. */
typedef struct cli_model {
    cli_list nets, dims, shapes;
    int64_t trips, max_memory_bytes;
} cli_model;

extern const cli_option cli_source_options[], cli_net_options[],
    cli_model_options[];

/* A file, "-" for the text form on stdin, or a one-line net. */
typedef struct cli_source {
    const char *name;
    bool is_net;
} cli_source;

/* The models that "operands" from number "first" on and --net name. */
cli_exit cli_sources(const cli_model *model, const cli_list *operands,
                     size_t first, const cli_source **ret_sources,
                     size_t *ret_count);

/* Options for loading out of "model", with "dims" and "shapes" (each may be
 * NULL) on top: what is said later holds. */
cli_exit cli_settle(const cli_model *model, const cli_list *dims,
                    const cli_list *shapes, lp_load_options *ret_options);

cli_exit cli_load(const cli_source *source, const lp_load_options *options,
                  lp_model **ret_model);

/* Load the one model that "operands" name, for "command". */
cli_exit cli_load_one(const cli_model *args, const cli_list *operands,
                      const char *command, lp_model **ret_model);

/* All bytes of the file "path" ("-": stdin), ended by a NUL; at most
 * "cap_bytes". */
cli_exit cli_slurp(const char *path, int64_t cap_bytes, char **ret_text,
                   size_t *ret_length);

/* Split "text" at its last '='; false when there is none or no name. */
bool cli_split(const char *text, const char **ret_name, const char **ret_value);

/* A copy of "*text" up to "separator", which "*text" is moved past; NULL
 * when nothing is left. */
char *cli_part(const char **text, char separator);

/* ---- plan_args.c, device.c ---------------------------------------------- */

/* What the options of commands that plan say; zero where not given. */
typedef struct cli_planning {
    const char *device, *planners, *effort, *time_limit, *seed;
    int64_t budget_bytes, sweep;
    cli_list settings, folders;
} cli_planning;

/* The arguments of a command that has cli_planning_options begin with it. */
typedef struct cli_planned {
    cli_model model;
    cli_planning planning;
} cli_planned;

extern const cli_option cli_planning_options[];

/* Options of a plan out of "args" of "command", and the device, which the
 * caller frees; NULL: none. */
cli_exit cli_planning_settle(const cli_planning *args, const char *command,
                             lp_plan_options *options, lp_device **ret_device);

/* Plan for "steps" budgets (0: ten) with a bar on the terminal; free it with
 * lp_tradeoff_free. */
cli_exit cli_tradeoff(const lp_model *model, const lp_plan_options *plan,
                      int64_t steps, lp_tradeoff **ret_tradeoff);

/* Append the folders that $LPLAN_PLANNERS names. */
void cli_planner_folders(cli_list *folders);

/* The device in the file "name", or called so; free it with lp_device_free. */
cli_exit cli_device_load(const char *name, lp_device **ret_device);

/* schedule.c: the schedule of "model" in the file "path", for the device called
 * "device" (NULL: none), both to be freed, the device after the schedule. */
cli_exit cli_schedule_load(const lp_model *model, const char *path,
                           const char *device, lp_schedule **ret_schedule,
                           lp_device **ret_device);

/* Print the names of the devices there are, one a line. */
cli_exit cli_device_list(void);

/* ---- check.c ---------------------------------------------------------- */

/* --sweep NAME=FROM:TO:STEP. */
typedef struct cli_sweep {
    const char *name;
    int64_t from, to, step;
} cli_sweep;

cli_exit cli_sweep_parse(const char *text, cli_sweep *ret_sweep);

/* Refuse what is no KEY OP VALUE. */
cli_exit cli_assert_check(const cli_list *asserts);

/* CLI_NO, and a message each, when "report" proves one of "asserts" false. */
cli_exit cli_assert(const cli_list *asserts, const lp_report *report);

/* ---- solve.c, solve_*.c ----------------------------------------------- */

/* What the options of "lplan solve" say; zero where not given. */
typedef struct cli_solve_args {
    int64_t capacity_bytes;
    const char *effort, *output, *budget;
    int32_t format; /* 1: json */
    int32_t order;  /* 1: free */
    int64_t seed;
    bool exact;
} cli_solve_args;

/* A problem: "run" solves the one in the file "path"; "takes" names the
 * options that it knows, ended by NULL. */
typedef struct cli_problem {
    const char *name;
    cli_exit (*run)(const cli_solve_args *args, const char *path);
    const char *const *takes;
} cli_problem;

extern const cli_problem cli_solve_place, cli_solve_grade, cli_solve_remat;

/* Units of work that --effort "text" stands for; 0 for NULL. */
cli_exit cli_effort(const char *text, int64_t *ret_work);

/* ---- cases.c ---------------------------------------------------------- */

/* Run the case "path", or all cases in it ("is_root"), print a line each and a
 * summary, and write the table to the file "tsv" (may be NULL).  CLI_NO when
 * one fails. */
cli_exit cli_cases_run(const char *path, bool is_root, const char *tsv,
                       const lp_run_options *wanted,
                       const lp_tolerance *tolerance);

/* ---- plot.c, plot_plan.c, chart.c, gnuplot.c --------------------------- */

/* What a chart draws. */
typedef enum cli_data {
    CLI_LAYERS, /* of a report */
    CLI_BUDGETS,
    CLI_ARENA, /* of a schedule */
} cli_data;

/* Data and labels of a chart; tables are TSV texts. */
typedef struct cli_chart {
    const char *name;           /* plots/NAME.gp */
    const char *title;          /* NULL: what "source" is called */
    const char *source;         /* the name of the data in messages */
    const char *output;         /* its suffix tells the kind of file */
    const char *layers, *skips; /* its table; "skips" may be NULL */
} cli_chart;

/* What the chart "name" draws, by the line "# data:" of its script. */
cli_exit cli_chart_data(const char *name, cli_data *ret_data);

/* Refuse a name of a file that no chart can be written to. */
cli_exit cli_chart_check(const char *output);

cli_exit cli_chart_draw(const cli_chart *chart);

/* Draw the chart "name" of "report" into "output". */
cli_exit cli_chart_report(const char *name, const lp_report *report,
                          const char *title, const char *output);

/* Draw the chart "chart->name" of budgets, or of the arena of the schedule in
 * the file "schedule", of "model", which "chart->source" names. */
cli_exit cli_plot_budgets(const cli_planning *args, const lp_model *model,
                          cli_chart *chart);
cli_exit cli_plot_arena(const char *schedule, const lp_model *model,
                        cli_chart *chart);

/* Print the charts that can be drawn, one a line. */
cli_exit cli_chart_list(void);

/* What gnuplot runs.  The script gets ARG1: the layers as a file, ARG2: the
 * output, ARG3: "terminal", ARG4: "title", ARG5: the skips, "" without. */
typedef struct cli_gnuplot {
    const char *script;  /* an absolute path */
    const char *folders; /* searched for what it loads, with ':' between */
    const char *terminal, *title;
    const char *layers, *skips; /* TSV texts; "skips" may be NULL */
} cli_gnuplot;

/* Store the bytes of the picture; free them with free. */
cli_exit cli_gnuplot_run(const cli_gnuplot *job, char **ret_bytes,
                         size_t *ret_length);

/* ---- progress.c ---------------------------------------------------------- */

typedef struct cli_bar {
    bool shows;
    time_t last;
} cli_bar;

/* Shows progress, at most once a second, in the cli_bar "context"; false once
 * interrupted. */
bool cli_bar_show(void *context, int64_t done, int64_t all, const char *layer);

/* Note SIGINT and SIGTERM from now on. */
void cli_interrupt_catch(void);
bool cli_interrupted(void);

#endif
