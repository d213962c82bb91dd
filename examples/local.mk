# Models, the script that exported one, and a program that uses the library.
exampledir = $(docdir)/examples
dist_example_DATA = \
	examples/README.md \
	examples/attention_block.lpm \
	examples/bodies.lpm \
	examples/buffers.csv \
	examples/export_unet.py \
	examples/residual_block.lpm \
	examples/sd15_unet.onnx \
	examples/skip.json \
	examples/small_unet.lpm \
	examples/syntax.lpm \
	examples/use_library.c

plannerexampledir = $(exampledir)/planner
dist_plannerexample_DATA = examples/planner/Makefile \
	examples/planner/shortest.c

check_PROGRAMS += examples/use_library
examples_use_library_LDADD = liblplan.la
examples_use_library_LDFLAGS = $(AM_LDFLAGS) -static

# Devices, found by name.
devicesdir = $(pkgdatadir)/devices
dist_devices_DATA = \
	examples/devices/ethos-u65-256.yaml \
	examples/devices/ethos-u85-2048.yaml \
	examples/devices/example-10tops.yaml \
	examples/devices/gap8.yaml
