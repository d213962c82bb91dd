/* report.c: a report as text, in the format and of the table a view asks
 * for. */
#include "io.h"

lp_status lp_report_write(const lp_report *report, const lp_view *view,
                          char **ret_text, size_t *ret_length, lp_error *error)
{
    static lp_status (*const formats[])(lpi_page *, const lp_report *) = {
        [LP_FORMAT_TEXT] = lpi_report_text,
        [LP_FORMAT_TSV] = lpi_report_tsv,
        [LP_FORMAT_JSON] = lpi_report_json,
        [LP_FORMAT_NETRON] = lpi_report_netron,
    };
    lpi_page page;
    lp_status status;

    LP_TRY(lpi_page_open(&page, view, error));
    status = formats[page.view.format](&page, report);
    return lpi_page_close(&page, status, ret_text, ret_length);
}
