/* cbc.c: in place of CBC, in a build without it. */
#include "solve.h"

bool lp_solve_has_cbc(void)
{
    return false;
}

lp_status lpi_remat_exact(lpi_remat *remat, lp_rematerialisation *result,
                          lp_error *error)
{
    (void)remat;
    (void)result;
    return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                    "exact: lplan was built without CBC");
}
