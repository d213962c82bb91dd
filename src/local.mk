# The library and the command.  All objects of the library go into one
# convenience library, which unit tests link to reach the hidden symbols.
include_HEADERS += src/include/lplan.h src/include/lplan-planner.h

noinst_LTLIBRARIES += liblpi.la
liblpi_la_LIBADD = onnx/libpb.la $(PROTOBUF_C_LIBS) $(XXHASH_LIBS) \
	$(YAML_LIBS) $(JANSSON_LIBS) $(CBC_LIBS)
liblpi_la_SOURCES = $(base_sources) $(graph_sources) $(kernel_sources) \
	$(ops_sources) $(cost_sources) $(solve_sources) \
	$(sched_sources) $(plan_sources) $(io_sources) $(exec_sources) \
	$(api_sources)

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
	src/graph/bundle.c \
	src/graph/dtype.c \
	src/graph/graph.h \
	src/graph/sort.c \
	src/graph/tensor.c

kernel_sources = \
	src/kernel/attend.c \
	src/kernel/conv.c \
	src/kernel/conv.h \
	src/kernel/conv8.c \
	src/kernel/count.c \
	src/kernel/deconv.c \
	src/kernel/depthwise.c \
	src/kernel/exp.h \
	src/kernel/fewrows.c \
	src/kernel/gemm.c \
	src/kernel/gemm.h \
	src/kernel/gemm8.c \
	src/kernel/isa.c \
	src/kernel/isa.h \
	src/kernel/kernel.h \
	src/kernel/pack.c \
	src/kernel/panel.c \
	src/kernel/pointwise.c \
	src/kernel/rows.c \
	src/kernel/rows.h \
	src/kernel/turn.c \
	src/kernel/walk.c \
	src/kernel/window.c

# The inner loops, compiled once for each instruction set.  They read no errno
# and no floating-point flag, so that loops may become vectors; sums and fused
# products stand in the source as they are computed.
loop_sources = \
	src/kernel/arith.c \
	src/kernel/dot.c \
	src/kernel/half.c \
	src/kernel/lanes.c \
	src/kernel/set.c \
	src/kernel/tile.c \
	src/kernel/vecmath.c
loop_cflags = $(AM_CFLAGS) $(LP_LOOP_CFLAGS)

noinst_LTLIBRARIES += src/kernel/libgeneric.la
src_kernel_libgeneric_la_SOURCES = $(loop_sources)
src_kernel_libgeneric_la_CFLAGS = $(loop_cflags)
liblpi_la_LIBADD += src/kernel/libgeneric.la
if X86_64
noinst_LTLIBRARIES += src/kernel/libavx2.la src/kernel/libavx512.la \
	src/kernel/libavx512vnni.la
liblpi_la_LIBADD += src/kernel/libavx2.la src/kernel/libavx512.la \
	src/kernel/libavx512vnni.la
src_kernel_libavx2_la_SOURCES = $(loop_sources)
src_kernel_libavx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DLPI_SET=avx2
src_kernel_libavx2_la_CFLAGS = $(loop_cflags) -mavx2 -mfma
avx512_cflags = -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma \
	-mprefer-vector-width=512
src_kernel_libavx512_la_SOURCES = $(loop_sources)
src_kernel_libavx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DLPI_SET=avx512
src_kernel_libavx512_la_CFLAGS = $(loop_cflags) $(avx512_cflags)
src_kernel_libavx512vnni_la_SOURCES = $(loop_sources)
src_kernel_libavx512vnni_la_CPPFLAGS = $(AM_CPPFLAGS) -DLPI_SET=avx512vnni
src_kernel_libavx512vnni_la_CFLAGS = $(loop_cflags) $(avx512_cflags) \
	-mavx512vnni
endif

ops_sources = \
	src/ops/activate.c \
	src/ops/activation.c \
	src/ops/arg.c \
	src/ops/arithmetic.c \
	src/ops/attendbias.c \
	src/ops/attendfit.c \
	src/ops/attendfused.c \
	src/ops/attendgroups.c \
	src/ops/attending.c \
	src/ops/attendtile.c \
	src/ops/attention.c \
	src/ops/attention.h \
	src/ops/boxes.c \
	src/ops/branch.c \
	src/ops/bundles.c \
	src/ops/cast.c \
	src/ops/casttext.c \
	src/ops/cells.c \
	src/ops/chance.c \
	src/ops/channels.c \
	src/ops/composed.c \
	src/ops/constant.c \
	src/ops/contract.c \
	src/ops/contrib_attention.c \
	src/ops/contrib_norm.c \
	src/ops/conv.c \
	src/ops/convolve.c \
	src/ops/convolve8.c \
	src/ops/cost.c \
	src/ops/coupling.c \
	src/ops/cumulative.c \
	src/ops/curves.c \
	src/ops/decode.c \
	src/ops/define.c \
	src/ops/define.h \
	src/ops/dynamic.c \
	src/ops/dynamic.h \
	src/ops/einsum.c \
	src/ops/expand.c \
	src/ops/falling.c \
	src/ops/fast.c \
	src/ops/fused.c \
	src/ops/fusing.c \
	src/ops/features.c \
	src/ops/fit.c \
	src/ops/flex.c \
	src/ops/forest.c \
	src/ops/gather.c \
	src/ops/gridding.c \
	src/ops/infer.c \
	src/ops/join.c \
	src/ops/labels.c \
	src/ops/learned.c \
	src/ops/lengths.c \
	src/ops/linear.c \
	src/ops/logic.c \
	src/ops/loop.c \
	src/ops/loss.c \
	src/ops/mask.c \
	src/ops/math.c \
	src/ops/matmul.c \
	src/ops/matrix.c \
	src/ops/murmur.c \
	src/ops/nbits.c \
	src/ops/node.c \
	src/ops/node.h \
	src/ops/norm.c \
	src/ops/norm.h \
	src/ops/normalise.c \
	src/ops/operands.c \
	src/ops/ops.def \
	src/ops/ops.h \
	src/ops/pad.c \
	src/ops/planes.c \
	src/ops/planting.c \
	src/ops/pointwise.c \
	src/ops/pointwise.h \
	src/ops/pool.c \
	src/ops/pooling.c \
	src/ops/product.c \
	src/ops/product.h \
	src/ops/product8.c \
	src/ops/qlinear.c \
	src/ops/quantise.c \
	src/ops/quantize.c \
	src/ops/quantize.h \
	src/ops/random.c \
	src/ops/reals.c \
	src/ops/rearrange.c \
	src/ops/recurquant.c \
	src/ops/recurrent.c \
	src/ops/recurrent.h \
	src/ops/recurring.c \
	src/ops/reduce.c \
	src/ops/reduce.h \
	src/ops/reducing.c \
	src/ops/reductions.c \
	src/ops/regex.c \
	src/ops/regex.h \
	src/ops/regexclass.c \
	src/ops/regexrun.c \
	src/ops/regions.c \
	src/ops/registry.c \
	src/ops/resize.c \
	src/ops/rotary.c \
	src/ops/rotating.c \
	src/ops/rows.c \
	src/ops/runs.c \
	src/ops/runs.h \
	src/ops/sample.c \
	src/ops/sample.h \
	src/ops/sampling.c \
	src/ops/scan.c \
	src/ops/scatter.c \
	src/ops/select.c \
	src/ops/sequence.c \
	src/ops/sequencing.c \
	src/ops/settle.c \
	src/ops/settle.h \
	src/ops/shape.c \
	src/ops/signal.c \
	src/ops/slice.c \
	src/ops/softmax.c \
	src/ops/states.c \
	src/ops/streaming.c \
	src/ops/strings.c \
	src/ops/suppress.c \
	src/ops/tables.c \
	src/ops/taps.c \
	src/ops/tfidf.c \
	src/ops/training.c \
	src/ops/trees.c \
	src/ops/trees.h \
	src/ops/unique.c \
	src/ops/unpack.c \
	src/ops/unpool.c \
	src/ops/vectors.c \
	src/ops/window.c \
	src/ops/window.h \
	src/ops/windows.c

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

solve_sources = \
	src/solve/blocks.c \
	src/solve/cbc.c \
	src/solve/conflicts.c \
	src/solve/layout.c \
	src/solve/meetings.c \
	src/solve/offsets.c \
	src/solve/order.c \
	src/solve/order.h \
	src/solve/order_bound.c \
	src/solve/order_flow.c \
	src/solve/order_graph.c \
	src/solve/order_lazy.c \
	src/solve/order_prepare.c \
	src/solve/order_rules.c \
	src/solve/order_search.c \
	src/solve/order_state.c \
	src/solve/place.c \
	src/solve/place.h \
	src/solve/place_core.c \
	src/solve/place_order.c \
	src/solve/place_search.c \
	src/solve/place_state.c \
	src/solve/remat.c \
	src/solve/remat.h \
	src/solve/remat_bound.c \
	src/solve/remat_change.c \
	src/solve/remat_dual.c \
	src/solve/remat_events.c \
	src/solve/remat_level.c \
	src/solve/remat_order.c \
	src/solve/remat_repair.c \
	src/solve/remat_search.c \
	src/solve/remat_state.c \
	src/solve/solve.h

sched_sources = \
	src/sched/alias.c \
	src/sched/attention.c \
	src/sched/baseline.c \
	src/sched/bound.c \
	src/sched/buffers.c \
	src/sched/check.c \
	src/sched/check.h \
	src/sched/check_bytes.c \
	src/sched/check_places.c \
	src/sched/device.c \
	src/sched/group.c \
	src/sched/group_buffers.c \
	src/sched/hash.c \
	src/sched/keep.c \
	src/sched/lower.c \
	src/sched/lower.h \
	src/sched/make.h \
	src/sched/part.c \
	src/sched/place.c \
	src/sched/predict.c \
	src/sched/program.h \
	src/sched/refuse.c \
	src/sched/reside.c \
	src/sched/rows.c \
	src/sched/sched.h \
	src/sched/shadow.c \
	src/sched/sharing.c \
	src/sched/split.c \
	src/sched/steps.c \
	src/sched/timeline.c \
	src/sched/values.c \
	src/sched/weights.c \
	src/sched/width.c \
	src/sched/wishes.c

plan_sources = \
	src/plan/bounds.c \
	src/plan/break_even.c \
	src/plan/chain.c \
	src/plan/columns.c \
	src/plan/copies.c \
	src/plan/deeds.c \
	src/plan/draft.c \
	src/plan/drive.c \
	src/plan/events.c \
	src/plan/graph.c \
	src/plan/kin.c \
	src/plan/known.c \
	src/plan/link.c \
	src/plan/loads.c \
	src/plan/meaning.c \
	src/plan/obstacle.c \
	src/plan/places.c \
	src/plan/plan.h \
	src/plan/print.c \
	src/plan/problem.c \
	src/plan/registry.c \
	src/plan/scratch.c \
	src/plan/settings.c \
	src/plan/spill.c \
	src/plan/ways.c

io_sources = \
	src/io/answer.c \
	src/io/arena.c \
	src/io/break_even.c \
	src/io/chart.c \
	src/io/columns.c \
	src/io/compare.c \
	src/io/device.c \
	src/io/diff.c \
	src/io/graph_json.c \
	src/io/grid.c \
	src/io/held.c \
	src/io/io.h \
	src/io/lpm.h \
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
	src/io/net.h \
	src/io/net_emit.c \
	src/io/net_layer.c \
	src/io/net_window.c \
	src/io/page.c \
	src/io/place_csv.c \
	src/io/place_report.c \
	src/io/plan_write.c \
	src/io/problem.h \
	src/io/put.c \
	src/io/remat_report.c \
	src/io/report.c \
	src/io/report.h \
	src/io/report_json.c \
	src/io/report_netron.c \
	src/io/report_text.c \
	src/io/report_tsv.c \
	src/io/schedule.h \
	src/io/schedule_figures.c \
	src/io/schedule_memories.c \
	src/io/schedule_precision.c \
	src/io/schedule_read.c \
	src/io/schedule_record.c \
	src/io/schedule_runs.c \
	src/io/schedule_write.c \
	src/io/schedule_yaml.c \
	src/io/sections.c \
	src/io/tradeoff.c \
	src/io/view.c

exec_sources = \
	src/exec/array.c \
	src/exec/array.h \
	src/exec/body.c \
	src/exec/bundle.c \
	src/exec/compare.c \
	src/exec/content.c \
	src/exec/content.h \
	src/exec/draw.c \
	src/exec/exec.c \
	src/exec/exec.h \
	src/exec/fill.c \
	src/exec/frame.c \
	src/exec/frame.h \
	src/exec/group.c \
	src/exec/heap.c \
	src/exec/layer.c \
	src/exec/memory.c \
	src/exec/npy.c \
	src/exec/program.c \
	src/exec/program.h \
	src/exec/roll.c \
	src/exec/rounds.c \
	src/exec/scales.c \
	src/exec/stream.c \
	src/exec/weights.c \
	src/exec/width.c

api_sources = \
	src/api/api.h \
	src/api/case.c \
	src/api/fill.c \
	src/api/inputs.c \
	src/api/model.c \
	src/api/outcome.c \
	src/api/planners.c \
	src/api/run.c \
	src/api/schedule.c \
	src/api/solve.c \
	src/api/solve_remat.c \
	src/api/tradeoff.c

lib_LTLIBRARIES += liblplan.la
liblplan_la_SOURCES =
liblplan_la_LIBADD = liblpi.la
liblplan_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info $(LPLAN_ABI)

# The command carries the library inside: it starts fast and needs no
# wrapper in the build tree.
bin_PROGRAMS += lplan
lplan_SOURCES = $(cli_sources)
lplan_LDADD = liblplan.la
lplan_LDFLAGS = $(AM_LDFLAGS) -static -export-dynamic

cli_sources = \
	src/cli/analyze.c \
	src/cli/cases.c \
	src/cli/chart.c \
	src/cli/check.c \
	src/cli/cli.h \
	src/cli/completion.c \
	src/cli/device.c \
	src/cli/diff.c \
	src/cli/dump.c \
	src/cli/fill.c \
	src/cli/gnuplot.c \
	src/cli/list.c \
	src/cli/main.c \
	src/cli/model_args.c \
	src/cli/options.c \
	src/cli/output.c \
	src/cli/plan.c \
	src/cli/plan_args.c \
	src/cli/plot.c \
	src/cli/plot_plan.c \
	src/cli/progress.c \
	src/cli/run.c \
	src/cli/schedule.c \
	src/cli/solve.c \
	src/cli/solve_remat.c \
	src/cli/solve_place.c \
	src/cli/usage.c

# Completion for bash, printed by the command itself.
if NATIVE
completiondir = $(datadir)/bash-completion/completions
completion_DATA = completion/lplan
CLEANFILES += completion/lplan
completion/lplan: lplan$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) completion && ./lplan$(EXEEXT) completion bash >$@
endif
