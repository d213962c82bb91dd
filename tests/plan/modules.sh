#!/bin/sh
# modules.sh: planners as modules give the same bytes as in the library, and
# modules that cannot be used are refused with a reason.
set -u
lplan=${LPLAN:-./lplan}
build=${top_builddir:-.}
source=${top_srcdir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
count=0 failed=0

# check NAME STATUS: one test line, ok when STATUS is 0.
check() {
    count=$((count + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        sed 's/^/# /' "$work/log" 2>/dev/null
        failed=1
    fi
}

# refused MODULE WORDS: it ends with exit code 3, says WORDS, writes nothing.
refused() {
    rm -f "$work/x.yaml"
    "$lplan" plan "$source/examples/residual_block.lpm" --planner "$1" \
        --planner-path "$bad" -o "$work/x.yaml" >"$work/log" 2>&1
    status=$?
    [ $status -eq 3 ] && grep -q "$2" "$work/log" && [ ! -e "$work/x.yaml" ]
    check "module '$1' is refused: $2" $?
}

good=$build/planners/.libs
bad=$build/tests/plan/.libs
if [ ! -e "$good/baseline.so" ]; then
    echo "1..0 # SKIP no modules in this build"
    exit 0
fi

device=$source/examples/devices/example-10tops.yaml
for module in "$good"/*.so; do
    name=$(basename "$module" .so)
    case $name in
    prefetch) models="residual_block small_unet" without=refused ;;
    *) models="residual_block attention_block small_unet bodies" without= ;;
    esac
    for model in $models; do
        for limits in "--budget 64MiB" "--budget 256KiB" \
            "--budget 8MiB --device $device"; do
            # shellcheck disable=SC2086 # words
            set -- "$source/examples/$model.lpm" --planner "$name" \
                $limits --effort 20000
            "$lplan" plan "$@" -o "$work/in.yaml" >"$work/in" 2>&1
            in=$?
            "$lplan" plan "$@" --planner-path "$good" -o "$work/out.yaml" \
                >"$work/out" 2>&1
            out=$?
            cmp "$work/in" "$work/out" >"$work/log" 2>&1 && [ $in -eq $out ] &&
                { [ $in -ne 0 ] || cmp "$work/in.yaml" "$work/out.yaml"; } \
                    >>"$work/log" 2>&1
            check "module $name on $model with '$limits' as in the library" $?
            case "$limits$without" in
            *device*) [ $in -eq 0 ] ;;
            *refused) [ $in -eq 3 ] ;;
            *) true ;;
            esac
            check "and it ends with $in" $?
            rm -f "$work/in.yaml" "$work/out.yaml"
        done
    done
done
"$lplan" list planners --planner-path "$good" >"$work/log" 2>&1 &&
    grep -q "in $good/skeleton.so" "$work/log"
check "modules are listed" $?

refused stale "planner ABI 2, and this is ABI 1"
refused misnamed "another name than the file"
refused empty "no symbol 'lp_planner_empty'"
refused greedy "it names a layer that does not run"
echo "not a module" >"$work/text.so"
bad=$work
refused text "text.so"
mkdir "$work/folder.so"
refused folder "no regular file"
LPLAN_PLANNERS=$good "$lplan" list planners >"$work/log" 2>&1 &&
    grep -q "in $good/skeleton.so" "$work/log"
check "LPLAN_PLANNERS names folders" $?

# The template in the manual page is the one that is compiled.
sed -n '/^\/\* skeleton.c/,/^\.Ed/p' "$source/man/lplan-planner.7" |
    sed '/^\.Ed/d; s/\\e/\\/g; s/^\\&//' >"$work/page.c"
diff "$work/page.c" "$source/planners/skeleton.c" >"$work/log"
check "lplan-planner(7) has planners/skeleton.c whole" $?
echo "1..$count"
exit $failed
