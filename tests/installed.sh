#!/bin/sh
# installed.sh: what `make install` put down works from there.
#
# Reads from the environment: CC, PKG_CONFIG, bindir, libdir, pkgconfigdir,
# top_srcdir.  Run by `make installcheck`.
set -eu
: "${CC:?}" "${PKG_CONFIG:?}" "${bindir:?}" "${libdir:?}" "${pkgconfigdir:?}" "${top_srcdir:?}"
unset LPLAN_PLOTS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=$top_srcdir/examples/sd15_unet.onnx

PKG_CONFIG_PATH=$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH LD_LIBRARY_PATH

# The words of CC and of pkg-config are wanted apart.
# shellcheck disable=SC2046,SC2086
$CC "$top_srcdir/examples/use_library.c" \
    $("$PKG_CONFIG" --cflags --libs lplan) -o "$work/use_library"
"$work/use_library" "$model"

# A planner of somebody else, built against what is installed.
cp "$top_srcdir"/examples/planner/* "$work"
make -s -C "$work" CC="$CC" PKG_CONFIG="$PKG_CONFIG" shortest.so
"$bindir/lplan" plan "$top_srcdir/examples/small_unet.lpm" \
    --planner-path "$work" --planner shortest -o "$work/plan.yaml"
"$bindir/lplan" check "$top_srcdir/examples/small_unet.lpm" "$work/plan.yaml"

"$bindir/lplan" --version
"$bindir/lplan" analyze "$model" --format tsv >"$work/report.tsv"
test -s "$work/report.tsv"
if command -v gnuplot >/dev/null; then
    "$bindir/lplan" plot burden --from "$work/report.tsv" -o "$work/burden.svg"
    test -s "$work/burden.svg"
fi
