/* registry.c: the list of all families. */
#include "ops.h"

const lp_op *const lpi_families[] = {
#define LPI_FAMILY(family) lpi_ops_##family,
#include "ops.def"
#undef LPI_FAMILY
    NULL,
};
