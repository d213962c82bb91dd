/* api.h: the place that knows everyone. */
#ifndef LPI_API_H
#define LPI_API_H

#include "../exec/exec.h"
#include "../io/io.h"

#endif
