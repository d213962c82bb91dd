# The library and the command.  All objects of the library go into one
# convenience library, which unit tests link to reach the hidden symbols.
include_HEADERS += src/include/lplan.h

noinst_LTLIBRARIES += liblpi.la
liblpi_la_LIBADD = onnx/libpb.la $(PROTOBUF_C_LIBS) $(XXHASH_LIBS)
liblpi_la_SOURCES = $(base_sources) $(graph_sources) $(kernel_sources) \
	$(ops_sources) $(cost_sources) $(io_sources) $(api_sources)

base_sources = \
	src/base/alloc.c \
	src/base/arena.c \
	src/base/base.h \
	src/base/error.c \
	src/base/file.c \
	src/base/map.c \
	src/base/number.c \
	src/base/text.c

graph_sources = \
	src/graph/build.c \
	src/graph/dtype.c \
	src/graph/graph.h \
	src/graph/sort.c \
	src/graph/tensor.c

kernel_sources = \
	src/kernel/kernel.h \
	src/kernel/pack.c \
	src/kernel/walk.c

ops_sources = \
	src/ops/activation.c \
	src/ops/arg.c \
	src/ops/arithmetic.c \
	src/ops/attention.c \
	src/ops/branch.c \
	src/ops/cast.c \
	src/ops/constant.c \
	src/ops/contrib_attention.c \
	src/ops/contrib_norm.c \
	src/ops/conv.c \
	src/ops/cost.c \
	src/ops/cumulative.c \
	src/ops/decode.c \
	src/ops/dynamic.c \
	src/ops/einsum.c \
	src/ops/expand.c \
	src/ops/gather.c \
	src/ops/infer.c \
	src/ops/join.c \
	src/ops/logic.c \
	src/ops/loop.c \
	src/ops/mask.c \
	src/ops/math.c \
	src/ops/matmul.c \
	src/ops/nbits.c \
	src/ops/node.c \
	src/ops/norm.c \
	src/ops/operands.c \
	src/ops/ops.def \
	src/ops/ops.h \
	src/ops/pad.c \
	src/ops/pointwise.c \
	src/ops/pool.c \
	src/ops/qlinear.c \
	src/ops/quantize.c \
	src/ops/random.c \
	src/ops/rearrange.c \
	src/ops/recurrent.c \
	src/ops/reduce.c \
	src/ops/reductions.c \
	src/ops/registry.c \
	src/ops/resize.c \
	src/ops/rotary.c \
	src/ops/rows.c \
	src/ops/sample.c \
	src/ops/scan.c \
	src/ops/scatter.c \
	src/ops/select.c \
	src/ops/settle.c \
	src/ops/shape.c \
	src/ops/slice.c \
	src/ops/softmax.c \
	src/ops/states.c \
	src/ops/window.c

cost_sources = \
	src/cost/charge.c \
	src/cost/convention.c \
	src/cost/cost.h \
	src/cost/held.c \
	src/cost/live.c \
	src/cost/module.c \
	src/cost/price.c \
	src/cost/report.c \
	src/cost/role.c \
	src/cost/stored.c \
	src/cost/width.c

io_sources = \
	src/io/chart.c \
	src/io/columns.c \
	src/io/compare.c \
	src/io/diff.c \
	src/io/grid.c \
	src/io/held.c \
	src/io/io.h \
	src/io/lpm_attr.c \
	src/io/lpm_body.c \
	src/io/lpm_layer.c \
	src/io/lpm_lex.c \
	src/io/lpm_number.c \
	src/io/lpm_print.c \
	src/io/lpm_read.c \
	src/io/lpm_value.c \
	src/io/lpm_write.c \
	src/io/modules.c \
	src/io/net.c \
	src/io/net_emit.c \
	src/io/net_layer.c \
	src/io/net_window.c \
	src/io/page.c \
	src/io/put.c \
	src/io/report.c \
	src/io/report_json.c \
	src/io/report_netron.c \
	src/io/report_text.c \
	src/io/report_tsv.c \
	src/io/sections.c \
	src/io/view.c

api_sources = \
	src/api/api.h \
	src/api/model.c

lib_LTLIBRARIES += liblplan.la
liblplan_la_SOURCES =
liblplan_la_LIBADD = liblpi.la
liblplan_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info $(LPLAN_ABI)

# The command carries the library inside: it starts fast and needs no
# wrapper in the build tree.
bin_PROGRAMS += lplan
lplan_SOURCES = $(cli_sources)
lplan_LDADD = liblplan.la
lplan_LDFLAGS = $(AM_LDFLAGS) -static

cli_sources = \
	src/cli/analyze.c \
	src/cli/chart.c \
	src/cli/check.c \
	src/cli/cli.h \
	src/cli/completion.c \
	src/cli/diff.c \
	src/cli/dump.c \
	src/cli/gnuplot.c \
	src/cli/main.c \
	src/cli/model_args.c \
	src/cli/options.c \
	src/cli/output.c \
	src/cli/plot.c \
	src/cli/usage.c

# Completion for bash, printed by the command itself.
if NATIVE
completiondir = $(datadir)/bash-completion/completions
completion_DATA = completion/lplan
CLEANFILES += completion/lplan
completion/lplan: lplan$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) completion && ./lplan$(EXEEXT) completion bash >$@
endif
