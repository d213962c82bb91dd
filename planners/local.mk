# The planners: into the library, and each as a module, which the tests load
# with --planner-path.  They see lplan-planner.h alone.
planner_cppflags = -D_XOPEN_SOURCE=700 -I$(top_srcdir)/src/include \
	$(LP_CPPFLAGS)
# A module shows its planner however it is declared.
planner_cflags = $(AM_CFLAGS) -fvisibility=default
planner_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared \
	-rpath $(abs_builddir)/planners

noinst_LTLIBRARIES += planners/libplanners.la
liblpi_la_LIBADD += planners/libplanners.la
planners_libplanners_la_CPPFLAGS = $(planner_cppflags)
planners_libplanners_la_SOURCES = \
	planners/attention.c \
	planners/baseline.c \
	planners/joint.c \
	planners/order.c \
	planners/place.c \
	planners/planners.def \
	planners/planners.h \
	planners/prefetch.c \
	planners/remat.c \
	planners/skeleton.c

check_LTLIBRARIES += \
	planners/attention.la \
	planners/baseline.la \
	planners/joint.la \
	planners/order.la \
	planners/place.la \
	planners/prefetch.la \
	planners/remat.la \
	planners/skeleton.la

planners_attention_la_SOURCES = planners/attention.c
planners_attention_la_CPPFLAGS = $(planner_cppflags)
planners_attention_la_CFLAGS = $(planner_cflags)
planners_attention_la_LDFLAGS = $(planner_ldflags)
planners_baseline_la_SOURCES = planners/baseline.c
planners_baseline_la_CPPFLAGS = $(planner_cppflags)
planners_baseline_la_CFLAGS = $(planner_cflags)
planners_baseline_la_LDFLAGS = $(planner_ldflags)
planners_joint_la_SOURCES = planners/joint.c
planners_joint_la_CPPFLAGS = $(planner_cppflags)
planners_joint_la_CFLAGS = $(planner_cflags)
planners_joint_la_LDFLAGS = $(planner_ldflags)
planners_order_la_SOURCES = planners/order.c
planners_order_la_CPPFLAGS = $(planner_cppflags)
planners_order_la_CFLAGS = $(planner_cflags)
planners_order_la_LDFLAGS = $(planner_ldflags)
planners_place_la_SOURCES = planners/place.c
planners_place_la_CPPFLAGS = $(planner_cppflags)
planners_place_la_CFLAGS = $(planner_cflags)
planners_place_la_LDFLAGS = $(planner_ldflags)
planners_prefetch_la_SOURCES = planners/prefetch.c
planners_prefetch_la_CPPFLAGS = $(planner_cppflags)
planners_prefetch_la_CFLAGS = $(planner_cflags)
planners_prefetch_la_LDFLAGS = $(planner_ldflags)
planners_remat_la_SOURCES = planners/remat.c
planners_remat_la_CPPFLAGS = $(planner_cppflags)
planners_remat_la_CFLAGS = $(planner_cflags)
planners_remat_la_LDFLAGS = $(planner_ldflags)
planners_skeleton_la_SOURCES = planners/skeleton.c
planners_skeleton_la_CPPFLAGS = $(planner_cppflags)
planners_skeleton_la_CFLAGS = $(planner_cflags)
planners_skeleton_la_LDFLAGS = $(planner_ldflags)
