/* io.h: models, reports, schedules and problems as text, in and out.
 *
 * lpm.h       the text form of models, and words and numbers in general
 * net.h       the one-line form of models
 * report.h    tables, pages, reports
 * schedule.h  schedules and devices as YAML
 * problem.h   problems of offsets and of recompute */
#ifndef LPI_IO_H
#define LPI_IO_H

#include "../plan/plan.h"

#include "lpm.h"
#include "net.h"
#include "report.h"
#include "schedule.h"
#include "problem.h"

/* ---- plans (plan_write.c) ---------------------------------------------- */

/* Append "plan", text or JSON. */
lp_status lpi_plan_write(const lp_plan *plan, lp_format format, lpi_text *text,
                         lp_error *error);

/* Append the planners there are, text or JSON. */
lp_status lpi_offers_write(const lpi_offer *offers, int64_t count,
                           lp_format format, lpi_text *text, lp_error *error);

#endif
