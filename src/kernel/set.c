/* set.c: the table of one instruction set, compiled once for each. */
#include "kernel.h"

#define TEXT_(a) #a
#define TEXT(a)  TEXT_(a)

const lpi_isa LPI_OF_SET(lpi_isa) = {
    .name = TEXT(LPI_SET),
    .tiles = &LPI_OF_SET(lpi_gemm_tiles),
    .dots = &LPI_OF_SET(lpi_dots),
    .taps_row = LPI_OF_SET(lpi_taps_row),
    .taps_max = LPI_OF_SET(lpi_taps_max),
    .taps_channels = LPI_OF_SET(lpi_taps_channels),
    .turn = LPI_OF_SET(lpi_turn_squares),
    .halve = LPI_OF_SET(lpi_halve),
    .lines = LPI_OF_SET(lpi_lines_run),
    .axpy = LPI_OF_SET(lpi_axpy),
    .unary = LPI_OF_SET(lpi_unary_loops),
    .binary = LPI_OF_SET(lpi_binary_loops),
    .shaped = LPI_OF_SET(lpi_shaped_loops),
    .bytes_of_floats = LPI_OF_SET(lpi_bytes_of_floats),
    .bytes_of_sums = LPI_OF_SET(lpi_bytes_of_sums),
    .affine = LPI_OF_SET(lpi_affine_loop),
    .reduce = LPI_OF_SET(lpi_reduce_loops),
    .take = LPI_OF_SET(lpi_take_loops),
    .join = LPI_OF_SET(lpi_join_loops),
    .moments = LPI_OF_SET(lpi_moments),
    .exp_sum = LPI_OF_SET(lpi_exp_sum),
    .exp_take = LPI_OF_SET(lpi_exp_take),
    .normalise = LPI_OF_SET(lpi_normalise),
    .normalise_plane = LPI_OF_SET(lpi_normalise_plane),
    .from_f16 = LPI_OF_SET(lpi_from_f16),
    .to_f16 = LPI_OF_SET(lpi_to_f16),
    .from_bf16 = LPI_OF_SET(lpi_from_bf16),
    .to_bf16 = LPI_OF_SET(lpi_to_bf16),
};
