# Models, the script that exported one, and a program that uses the library.
exampledir = $(docdir)/examples
dist_example_DATA = \
	examples/README.md \
	examples/attention_block.lpm \
	examples/bodies.lpm \
	examples/export_unet.py \
	examples/residual_block.lpm \
	examples/sd15_unet.onnx \
	examples/small_unet.lpm \
	examples/syntax.lpm \
	examples/use_library.c

check_PROGRAMS += examples/use_library
examples_use_library_LDADD = liblplan.la
examples_use_library_LDFLAGS = $(AM_LDFLAGS) -static
