# Models, the script that exported one, and a program that uses the library.
exampledir = $(docdir)/examples
dist_example_DATA = \
	examples/README.md \
	examples/export_unet.py \
	examples/sd15_unet.onnx \
	examples/use_library.c

check_PROGRAMS += examples/use_library
examples_use_library_LDADD = liblplan.la
examples_use_library_LDFLAGS = $(AM_LDFLAGS) -static
