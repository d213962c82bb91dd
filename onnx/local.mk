# The importer.  onnx.pb-c.* is made from onnx.proto here, never committed.
liblpi_la_SOURCES += $(onnx_sources)
onnx_sources = \
	onnx/attribute.c \
	onnx/bundle.c \
	onnx/external.c \
	onnx/function.c \
	onnx/import.c \
	onnx/layers.c \
	onnx/modpath.c \
	onnx/onnx.h \
	onnx/payload.c \
	onnx/schema.c \
	onnx/scope.c \
	onnx/skim.c \
	onnx/sparse.c \
	onnx/tensor.c \
	onnx/types.c \
	onnx/unpack.c \
	onnx/wire.c

# Generated code keeps its own flags: its warnings are not ours to mend.
noinst_LTLIBRARIES += onnx/libpb.la
onnx_libpb_la_SOURCES =
nodist_onnx_libpb_la_SOURCES = onnx/onnx.pb-c.c onnx/onnx.pb-c.h
onnx_libpb_la_CFLAGS = $(AM_CFLAGS) -w

onnx/onnx.pb-c.c: $(srcdir)/onnx/onnx.proto
	$(AM_V_GEN)$(MKDIR_P) onnx && $(PROTOC_C) --proto_path=$(srcdir)/onnx \
		--c_out=onnx $(srcdir)/onnx/onnx.proto
onnx/onnx.pb-c.h: onnx/onnx.pb-c.c
	@test -f $@ || { rm -f onnx/onnx.pb-c.c && \
		$(MAKE) $(AM_MAKEFLAGS) onnx/onnx.pb-c.c; }

BUILT_SOURCES += onnx/onnx.pb-c.h
CLEANFILES += onnx/onnx.pb-c.c onnx/onnx.pb-c.h
EXTRA_DIST += onnx/README.md onnx/onnx.proto
