/* check.c: questions put to reports: --assert and --sweep. */
#include <ctype.h>
#include <string.h>

#include "cli.h"

enum { SWEEP_ROWS = 10000 };

/* What holds for -1 (less), 0 (equal), 1 (greater); longer signs first. */
static const struct {
    const char *sign;
    bool holds[3];
} operators[] = {
    {"<=", {true, true, false}},  {">=", {false, true, true}},
    {"==", {false, true, false}}, {"!=", {true, false, true}},
    {"<", {true, false, false}},  {">", {false, false, true}},
};

enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

typedef struct question {
    const char *key;
    size_t sign; /* position in operators */
    int64_t value;
} question;

cli_exit cli_sweep_parse(const char *text, cli_sweep *ret_sweep)
{
    const char *rest, *from, *to, *step;
    cli_sweep sweep = {.step = 1};

    if (cli_split(text, &sweep.name, &rest)) {
        from = cli_part(&rest, ':');
        to = cli_part(&rest, ':');
        step = cli_part(&rest, ':');
        if (from && to && !rest && lp_parse_count(from, &sweep.from) &&
            lp_parse_count(to, &sweep.to) && sweep.from <= sweep.to &&
            (!step || (lp_parse_count(step, &sweep.step) && sweep.step > 0))) {
            if ((sweep.to - sweep.from) / sweep.step >= SWEEP_ROWS)
                return cli_fail(CLI_USAGE, NULL,
                                "--sweep '%s' makes more than %d rows", text,
                                SWEEP_ROWS);
            *ret_sweep = sweep;
            return CLI_YES;
        }
    }
    return cli_fail(CLI_USAGE, NULL,
                    "--sweep '%s' is not of the form NAME=FROM:TO:STEP, "
                    "rising",
                    text);
}

/* "text" without the blanks around it. */
static const char *trim(const char *text, size_t length)
{
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    return cli_format("%.*s", (int)length, text);
}

/* Parse "KEY OP VALUE"; blanks may be left out.  A report of nothing tells
 * which keys there are. */
static cli_exit parse(const char *text, question *ret_question)
{
    static const lp_report nothing;
    int64_t value_of_nothing;
    size_t length = strcspn(text, "<>=!"), i;

    for (i = 0; i < OPERATORS; i++) {
        const char *sign = operators[i].sign;
        const char *value = text + length + strlen(sign);

        if (strncmp(text + length, sign, strlen(sign)) != 0)
            continue;
        ret_question->key = trim(text, length);
        ret_question->sign = i;
        if (!*ret_question->key ||
            !lp_parse_count(trim(value, strlen(value)), &ret_question->value))
            break;
        if (lp_report_total(&nothing, ret_question->key, &value_of_nothing))
            return CLI_YES;
        return cli_fail(CLI_USAGE, NULL,
                        "--assert '%s': no total is called '%s'; see "
                        "lplan-analyze(1)",
                        text, ret_question->key);
    }
    return cli_fail(CLI_USAGE, NULL,
                    "--assert '%s' is not of the form KEY OP VALUE, such as "
                    "'live_peak_bytes < 2GiB'",
                    text);
}

cli_exit cli_assert_check(const cli_list *asserts)
{
    cli_exit code = CLI_YES;
    question asked;
    size_t i;

    for (i = 0; i < asserts->count && code == CLI_YES; i++)
        code = parse(asserts->items[i], &asked);
    return code;
}

cli_exit cli_assert(const cli_list *asserts, const lp_report *report)
{
    cli_exit code = CLI_YES;
    size_t i;

    for (i = 0; i < asserts->count; i++) {
        question asked;
        int64_t value;
        int order;

        if (parse(asserts->items[i], &asked) != CLI_YES ||
            !lp_report_total(report, asked.key, &value))
            return CLI_USAGE;
        order = (value > asked.value) - (value < asked.value);
        if (!operators[asked.sign].holds[order + 1])
            code = cli_fail(CLI_NO, report->model, "'%s' is false: %s is %lld",
                            asserts->items[i], asked.key, (long long)value);
    }
    return code;
}
