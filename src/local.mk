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
	src/kernel/channelwise.c \
	src/kernel/conv.c \
	src/kernel/conv.h \
	src/kernel/conv8.c \
	src/kernel/count.c \
	src/kernel/deconv.c \
	src/kernel/depthwise.c \
	src/kernel/depthwise8.c \
	src/kernel/dot.h \
	src/kernel/exp.h \
	src/kernel/few8.c \
	src/kernel/fewrows.c \
	src/kernel/gemm.c \
	src/kernel/gemm.h \
	src/kernel/gemm8.c \
	src/kernel/integer.h \
	src/kernel/isa.c \
	src/kernel/isa.h \
	src/kernel/kernel.h \
	src/kernel/pack.c \
	src/kernel/pack8.c \
	src/kernel/padded8.c \
	src/kernel/panel.c \
	src/kernel/pointwise.c \
	src/kernel/rows.c \
	src/kernel/rows.h \
	src/kernel/turn.c \
	src/kernel/vector.h \
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
	src/kernel/taps.c \
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
	src/ops/attention/attendbias.c \
	src/ops/attention/attending.c \
	src/ops/attention/attendtile.c \
	src/ops/attention/attention.c \
	src/ops/attention/attention.h \
	src/ops/attention/flex.c \
	src/ops/attention/rotary.c \
	src/ops/attention/rotating.c \
	src/ops/attention/streaming.c \
	src/ops/boxes.c \
	src/ops/bundle/regex.c \
	src/ops/bundle/regex.h \
	src/ops/bundle/regexclass.c \
	src/ops/bundle/regexrun.c \
	src/ops/bundle/sequence.c \
	src/ops/bundle/sequencing.c \
	src/ops/bundle/strings.c \
	src/ops/bundle/tfidf.c \
	src/ops/bundles.c \
	src/ops/contrib/activate.c \
	src/ops/contrib/attendfit.c \
	src/ops/contrib/attendfused.c \
	src/ops/contrib/attendgroups.c \
	src/ops/contrib/composed.c \
	src/ops/contrib/contrib_attention.c \
	src/ops/contrib/contrib_norm.c \
	src/ops/contrib/fused.c \
	src/ops/contrib/fusing.c \
	src/ops/contrib/murmur.c \
	src/ops/contrib/nbits.c \
	src/ops/contrib/qlinear.c \
	src/ops/contrib/tables.c \
	src/ops/contrib/unpack.c \
	src/ops/control/branch.c \
	src/ops/control/loop.c \
	src/ops/control/scan.c \
	src/ops/control/states.c \
	src/ops/cost.c \
	src/ops/decode.c \
	src/ops/define.c \
	src/ops/define.h \
	src/ops/dynamic/chance.c \
	src/ops/dynamic/dynamic.c \
	src/ops/dynamic/dynamic.h \
	src/ops/dynamic/random.c \
	src/ops/dynamic/suppress.c \
	src/ops/dynamic/unique.c \
	src/ops/fit.c \
	src/ops/image/gridding.c \
	src/ops/image/nearest.c \
	src/ops/image/regions.c \
	src/ops/image/resize.c \
	src/ops/image/sample.c \
	src/ops/image/sample.h \
	src/ops/image/sampling.c \
	src/ops/image/taps.c \
	src/ops/infer.c \
	src/ops/learned/coupling.c \
	src/ops/learned/falling.c \
	src/ops/learned/features.c \
	src/ops/learned/forest.c \
	src/ops/learned/labels.c \
	src/ops/learned/learned.c \
	src/ops/learned/linear.c \
	src/ops/learned/planting.c \
	src/ops/learned/trees.c \
	src/ops/learned/trees.h \
	src/ops/learned/vectors.c \
	src/ops/node.c \
	src/ops/node.h \
	src/ops/norm/lengths.c \
	src/ops/norm/norm.c \
	src/ops/norm/norm.h \
	src/ops/norm/normalise.c \
	src/ops/norm/softmax.c \
	src/ops/operands.c \
	src/ops/ops.def \
	src/ops/ops.h \
	src/ops/pointwise/activation.c \
	src/ops/pointwise/arithmetic.c \
	src/ops/pointwise/cast.c \
	src/ops/pointwise/casttext.c \
	src/ops/pointwise/curves.c \
	src/ops/pointwise/fast.c \
	src/ops/pointwise/logic.c \
	src/ops/pointwise/math.c \
	src/ops/pointwise/pointwise.c \
	src/ops/pointwise/pointwise.h \
	src/ops/pointwise/select.c \
	src/ops/product/contract.c \
	src/ops/product/einsum.c \
	src/ops/product/matmul.c \
	src/ops/product/matrix.c \
	src/ops/product/product.c \
	src/ops/product/product.h \
	src/ops/product/product8.c \
	src/ops/quantize/quantise.c \
	src/ops/quantize/quantize.c \
	src/ops/quantize/quantize.h \
	src/ops/reals.c \
	src/ops/recurrent/cells.c \
	src/ops/recurrent/recurquant.c \
	src/ops/recurrent/recurrent.c \
	src/ops/recurrent/recurrent.h \
	src/ops/recurrent/recurring.c \
	src/ops/reduce/arg.c \
	src/ops/reduce/cumulative.c \
	src/ops/reduce/reduce.c \
	src/ops/reduce/reduce.h \
	src/ops/reduce/reducing.c \
	src/ops/reduce/reductions.c \
	src/ops/registry.c \
	src/ops/rows.c \
	src/ops/runs.c \
	src/ops/runs.h \
	src/ops/settle.c \
	src/ops/settle.h \
	src/ops/signal/signal.c \
	src/ops/signal/windows.c \
	src/ops/tensor/constant.c \
	src/ops/tensor/expand.c \
	src/ops/tensor/gather.c \
	src/ops/tensor/join.c \
	src/ops/tensor/mask.c \
	src/ops/tensor/pad.c \
	src/ops/tensor/rearrange.c \
	src/ops/tensor/scatter.c \
	src/ops/tensor/shape.c \
	src/ops/tensor/slice.c \
	src/ops/training/loss.c \
	src/ops/training/training.c \
	src/ops/window/channels.c \
	src/ops/window/conv.c \
	src/ops/window/convolve.c \
	src/ops/window/convolve8.c \
	src/ops/window/planes.c \
	src/ops/window/pool.c \
	src/ops/window/pooling.c \
	src/ops/window/unpool.c \
	src/ops/window/window.c \
	src/ops/window/window.h

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
	src/exec/ready.c \
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
