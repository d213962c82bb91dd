# The tests.  Each prints TAP, or counts once by its exit code; tests/driver
# counts them.  Scripts find what they need in the environment set here.
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	LPLAN='$(abs_top_builddir)/lplan$(EXEEXT)'; export LPLAN; \
	LPLAN_PLOTS='$(abs_top_srcdir)/plots'; export LPLAN_PLOTS; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	CC='$(CC)'; export CC; NM='$(NM)'; export NM; \
	LC_ALL=C.UTF-8; export LC_ALL; \
	. $(srcdir)/tests/environment;

TEST_EXTENSIONS = .sh .py
LOG_DRIVER = $(srcdir)/tests/driver
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = bash
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(SHELL) $(srcdir)/tests/python

TESTS += $(programs) $(scripts)
check_PROGRAMS += $(programs)

# Tests reach the hidden symbols of the library.
LDADD = liblpi.la $(CMOCKA_LIBS)

programs = tests/ops/samples
if HAVE_CMOCKA
programs += $(unit_tests)
else
TESTS += tests/unit/without-cmocka.sh
endif

# Fuzz targets: with a main that replays the corpus, and under libFuzzer.
check_PROGRAMS += tests/fuzz/replay_onnx tests/fuzz/replay_lpm \
	tests/fuzz/replay_npy tests/fuzz/replay_pb \
	tests/fuzz/replay_device tests/fuzz/replay_schedule \
	tests/fuzz/replay_csv tests/fuzz/replay_graph \
	tests/fuzz/replay_run tests/fuzz/replay_net \
	tests/fuzz/replay_plan
tests_fuzz_replay_onnx_SOURCES = tests/fuzz/onnx.c tests/fuzz/replay.c
tests_fuzz_replay_lpm_SOURCES = tests/fuzz/lpm.c tests/fuzz/replay.c
tests_fuzz_replay_npy_SOURCES = tests/fuzz/npy.c tests/fuzz/array.h tests/fuzz/replay.c
tests_fuzz_replay_pb_SOURCES = tests/fuzz/pb.c tests/fuzz/array.h tests/fuzz/replay.c
tests_fuzz_replay_device_SOURCES = tests/fuzz/device.c tests/fuzz/replay.c
tests_fuzz_replay_schedule_SOURCES = tests/fuzz/schedule.c tests/fuzz/replay.c
tests_fuzz_replay_csv_SOURCES = tests/fuzz/csv.c tests/fuzz/replay.c
tests_fuzz_replay_graph_SOURCES = tests/fuzz/graph.c tests/fuzz/replay.c
tests_fuzz_replay_run_SOURCES = tests/fuzz/run.c tests/fuzz/replay.c
tests_fuzz_replay_net_SOURCES = tests/fuzz/net.c tests/fuzz/replay.c
tests_fuzz_replay_plan_SOURCES = tests/fuzz/plan.c tests/fuzz/replay.c
if FUZZ
check_PROGRAMS += tests/fuzz/fuzz_onnx tests/fuzz/fuzz_lpm \
	tests/fuzz/fuzz_npy tests/fuzz/fuzz_pb \
	tests/fuzz/fuzz_device tests/fuzz/fuzz_schedule \
	tests/fuzz/fuzz_csv tests/fuzz/fuzz_graph \
	tests/fuzz/fuzz_run tests/fuzz/fuzz_net \
	tests/fuzz/fuzz_plan
tests_fuzz_fuzz_onnx_SOURCES = tests/fuzz/onnx.c tests/fuzz/mutate.c
tests_fuzz_fuzz_onnx_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_lpm_SOURCES = tests/fuzz/lpm.c tests/fuzz/lines.c
tests_fuzz_fuzz_lpm_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_npy_SOURCES = tests/fuzz/npy.c
tests_fuzz_fuzz_npy_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_pb_SOURCES = tests/fuzz/pb.c tests/fuzz/mutate.c
tests_fuzz_fuzz_pb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_device_SOURCES = tests/fuzz/device.c tests/fuzz/lines.c
tests_fuzz_fuzz_device_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_schedule_SOURCES = tests/fuzz/schedule.c tests/fuzz/lines.c
tests_fuzz_fuzz_schedule_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/csv.c tests/fuzz/lines.c
tests_fuzz_fuzz_csv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_graph_SOURCES = tests/fuzz/graph.c tests/fuzz/lines.c
tests_fuzz_fuzz_graph_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_run_SOURCES = tests/fuzz/run.c tests/fuzz/lines.c
tests_fuzz_fuzz_run_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_net_SOURCES = tests/fuzz/net.c tests/fuzz/lines.c
tests_fuzz_fuzz_net_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_plan_SOURCES = tests/fuzz/plan.c tests/fuzz/lines.c
tests_fuzz_fuzz_plan_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

unit_tests = \
	tests/unit/test_alloc \
	tests/unit/test_alloc_run \
	tests/unit/test_array \
	tests/unit/test_base \
	tests/unit/test_columns \
	tests/unit/test_copies \
	tests/unit/test_cost \
	tests/unit/test_cost_live \
	tests/unit/test_cost_weights \
	tests/unit/test_counting \
	tests/unit/test_device \
	tests/unit/test_exec \
	tests/unit/test_file \
	tests/unit/test_format \
	tests/unit/test_format_text \
	tests/unit/test_graph \
	tests/unit/test_group \
	tests/unit/test_kernel \
	tests/unit/test_kernel_bytes \
	tests/unit/test_kernel_depthwise \
	tests/unit/test_kernel_few \
	tests/unit/test_kernel_math \
	tests/unit/test_kernel_rows \
	tests/unit/test_kernel_shapes \
	tests/unit/test_kernel_team \
	tests/unit/test_lpm \
	tests/unit/test_lpm_errors \
	tests/unit/test_net \
	tests/unit/test_offsets \
	tests/unit/test_onnx \
	tests/unit/test_onnx_beyond \
	tests/unit/test_onnx_damage \
	tests/unit/test_onnx_hostile \
	tests/unit/test_optimum \
	tests/unit/test_order \
	tests/unit/test_pack \
	tests/unit/test_pack_wide \
	tests/unit/test_plan \
	tests/unit/test_plan_macs \
	tests/unit/test_plan_ways \
	tests/unit/test_place \
	tests/unit/test_remat \
	tests/unit/test_remat_change \
	tests/unit/test_report \
	tests/unit/test_scales \
	tests/unit/test_sched \
	tests/unit/test_split \
	tests/unit/test_tile \
	tests/unit/test_timeline \
	tests/unit/test_tradeoff \
	tests/unit/test_walk \
	tests/unit/test_width

# Loops that count their multiplies do so in this program, in every build:
# its own objects stand before those of the library.
tests_unit_test_counting_SOURCES = tests/unit/test_counting.c \
	src/exec/exec.c \
	src/kernel/attend.c \
	src/kernel/channelwise.c \
	src/kernel/count.c \
	src/kernel/deconv.c \
	src/kernel/depthwise.c \
	src/kernel/depthwise8.c \
	src/kernel/few8.c \
	src/kernel/fewrows.c \
	src/kernel/gemm.c \
	src/kernel/gemm8.c \
	src/ops/product/contract.c \
	src/ops/window/pooling.c \
	src/ops/product/product.c \
	src/ops/image/regions.c \
	src/ops/attention/streaming.c \
	src/ops/learned/vectors.c
tests_unit_test_counting_CPPFLAGS = $(AM_CPPFLAGS) -DLPI_COUNTING

scripts = \
	tests/arch/counting.sh \
	tests/arch/floors.sh \
	tests/arch/header.sh \
	tests/arch/limits.sh \
	tests/arch/operators.sh \
	tests/arch/options.sh \
	tests/arch/symbols.sh \
	tests/cli/bombs.py \
	tests/cli/run.sh \
	tests/examples.sh \
	tests/fuzz/replay.sh \
	tests/judge/contrib.py \
	tests/judge/mutate.py \
	tests/judge/ort.py \
	tests/judge/place_checker.py \
	tests/judge/plans.py \
	tests/judge/random_models.py \
	tests/judge/regex.py \
	tests/judge/remat_checker.py \
	tests/judge/stored.py \
	tests/judge/widths.py \
	tests/man.sh \
	tests/models/run.sh \
	tests/ops/micro.sh \
	tests/ops/misfits.sh \
	tests/ops/run_cases.sh \
	tests/plan/modules.sh \
	tests/oracle/counts.py \
	tests/ops/check_cases.py \
	tests/ops/node_cases.py \
	tests/ops/older_cases.sh \
	tests/round_trip.sh

# By hand: the tests and some commands under memcheck.
.PHONY: valgrind
valgrind: all $(unit_tests)
	$(AM_TESTS_ENVIRONMENT) bash $(srcdir)/tests/valgrind.sh $(unit_tests)

# Modules with planners that cannot be used.
check_LTLIBRARIES += \
	tests/plan/empty.la \
	tests/plan/greedy.la \
	tests/plan/misnamed.la \
	tests/plan/stale.la
tests_plan_empty_la_SOURCES = tests/plan/empty.c
tests_plan_empty_la_LDFLAGS = $(planner_ldflags)
tests_plan_greedy_la_SOURCES = tests/plan/greedy.c
tests_plan_greedy_la_LDFLAGS = $(planner_ldflags)
tests_plan_misnamed_la_SOURCES = tests/plan/misnamed.c
tests_plan_misnamed_la_LDFLAGS = $(planner_ldflags)
tests_plan_stale_la_SOURCES = tests/plan/stale.c
tests_plan_stale_la_LDFLAGS = $(planner_ldflags)

# What the scripts read; folders are taken whole.
test_data = \
	tests/bench \
	tests/cli \
	tests/fuzz/corpus \
	tests/fuzz/onnx_corpus.py \
	tests/valgrind.sh \
	tests/judge/checker.py \
	tests/judge/contrib_cases.py \
	tests/judge/plan.py \
	tests/judge/random_nodes.py \
	tests/judge/runtime.py \
	tests/models \
	tests/ops/micro \
	tests/ops/misfits.txt \
	tests/ops/node_cases.list \
	tests/ops/older_cases.list \
	tests/oracle \
	tests/unit/counted.h \
	tests/unit/devices.h \
	tests/unit/handmade.h \
	tests/unit/order_graphs.h \
	tests/unit/random_graph.h \
	tests/unit/remat_graphs.h \
	tests/unit/random_net.h \
	tests/unit/schedules.h \
	tests/unit/teams.h \
	tests/unit/tiled.h \
	tests/unit/test_onnx.h

EXTRA_DIST += tests/driver tests/environment tests/match.awk tests/python \
	tests/installed.sh \
	tests/unit/without-cmocka.sh \
	$(scripts) $(test_data)

# What tests leave behind in those folders stays out of the tarball.
dist-hook:
	find $(distdir)/tests \( -name '*.log' -o -name '*.trs' \
		-o -name __pycache__ \) -prune -exec rm -rf {} +

installcheck-local:
	$(AM_V_at)CC='$(CC) $(LP_LDFLAGS)' PKG_CONFIG='$(PKG_CONFIG)' \
		bindir='$(DESTDIR)$(bindir)' libdir='$(DESTDIR)$(libdir)' \
		pkgconfigdir='$(DESTDIR)$(pkgconfigdir)' \
		top_srcdir='$(abs_top_srcdir)' \
		sh $(srcdir)/tests/installed.sh >/dev/null

# What a bench prints is read by people.
EXTRA_PROGRAMS += tests/bench/arrays tests/bench/kernels tests/bench/order
tests_bench_arrays_SOURCES = tests/bench/arrays.c tests/bench/bench.h
tests_bench_arrays_LDADD = liblpi.la
tests_bench_kernels_SOURCES = tests/bench/kernels.c tests/bench/bench.h
tests_bench_kernels_LDADD = liblpi.la
tests_bench_order_SOURCES = tests/bench/order.c tests/unit/order_graphs.h
tests_bench_order_LDADD = liblpi.la
CLEANFILES += tests/bench/arrays$(EXEEXT) tests/bench/kernels$(EXEEXT) \
	tests/bench/order$(EXEEXT)
bench: lplan tests/bench/arrays tests/bench/kernels tests/bench/order
	@tests/bench/kernels$(EXEEXT)
	@tests/bench/arrays$(EXEEXT)
	@tests/bench/order$(EXEEXT)
	@"$${PYTHON:-python3}" $(srcdir)/tests/bench/analyze.py ./lplan
	@top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
		. $(srcdir)/tests/environment; \
		"$$PYTHON" $(srcdir)/tests/bench/place.py ./lplan
	@"$${PYTHON:-python3}" $(srcdir)/tests/bench/remat.py ./lplan
	@top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
		. $(srcdir)/tests/environment; \
		"$$PYTHON" $(srcdir)/tests/bench/layers.py ./lplan || test $$? = 77; \
		test ! -d "$$LPLAN_MODELS" || \
		for speedup in '' --speedup; do \
			"$$PYTHON" $(srcdir)/tests/bench/models.py $$speedup \
				./lplan "$$LPLAN_MODELS" || test $$? = 77; \
		done
.PHONY: bench
