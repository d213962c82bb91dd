#!/bin/sh
# floors.sh: an include only goes down.
#
# Reads the #include lines of src/ and onnx/ and fails on an edge to the same
# or a higher floor, on a .c file that meets another folder elsewhere than in
# its own header, and on a library's header outside its fence.  planners/ sees
# lplan-planner.h alone, and is seen by src/api alone.
set -u
cd "${top_srcdir:-.}" || exit 99

set -- # the files: all but the generated ones
for file in src/*/*.[ch] src/*/*/*.[ch] onnx/*.[ch] planners/*.[ch]; do
    case $file in
    *.pb-c.[ch]) ;;
    *) set -- "$@" "$file" ;;
    esac
done

awk '
BEGIN {
    split("include 0 base 1 graph 2 kernel 2 solve 2 ops 3 cost 4 onnx 4 " \
          "sched 5 plan 6 io 7 exec 7 export 7 planners 7 api 8 cli 9", pair, " ")
    for (i = 1; i in pair; i += 2)
        floor[pair[i]] = pair[i + 1]
    fence["jansson.h"] = "io"
    fence["Cbc_C_Interface.h"] = "solve"
    fence["yaml.h"] = "io"
    fence["dlfcn.h"] = "plan"
    fence["spawn.h"] = "cli"
    fence["protobuf-c/protobuf-c.h"] = "onnx"
    fence["onnx.pb-c.h"] = "onnx"
}
# The folder with a floor that "path" lies in, at whatever depth; "" none.
function folder_of(path, parts, n)
{
    for (n = split(path, parts, "/") - 1; n > 0; n--)
        if (parts[n] in floor)
            return parts[n]
    return ""
}
function name_of(path)
{
    sub(/.*\//, "", path)
    return path
}
function complain(why)
{
    bad = bad "# " FILENAME ":" FNR ": " why "\n"
}
FNR == 1 {
    files++
    here = folder_of(FILENAME)
    header = FILENAME ~ /\.h$/
    if (!here)
        complain("its folder has no floor")
    part = header && FILENAME !~ ("/" here "\\.h$") && here != "include"
    if (part)
        pieces[here "/" name_of(FILENAME)] = FILENAME
}
/^[ \t]*#[ \t]*include/ && here == "planners" {
    edges++
    if ($2 != "<lplan-planner.h>" && $2 != "<string.h>" &&
        $2 != "<stdlib.h>" && $2 != "\"planners.def\"")
        complain("a planner sees <lplan-planner.h> alone, not " $2)
    next
}
/^[ \t]*#[ \t]*include/ {
    name = $0
    sub(/^[^"<]*["<]/, "", name)
    sub(/[">].*$/, "", name)
    quoted = $0 ~ /"/
    edges++
    if (name in fence) {
        if (fence[name] != here)
            complain(name " is for " fence[name] " only")
        next
    }
    if (name ~ /^lplan/ || !quoted)
        next
    there = folder_of(name)
    if (!there)
        there = here
    if (there == here) {
        if (name ~ /\.h$/ && name_of(name) != here ".h" &&
            FILENAME !~ ("/" here "\\.h$"))
            complain("only " here ".h includes its part " name)
        included[here "/" name_of(name)]
        next
    }
    if (part)
        complain("a part sees what " here ".h includes before it")
    if (name_of(name) != there ".h" && name ~ /\.h$/)
        complain(name " is a part of " there ".h")
    if (there == "planners") {
        if (here != "api")
            complain("only api asks planners/")
        next
    }
    if (!header)
        complain("only " here ".h may include " name)
    if (here == "cli" || (here == "onnx" && there == "ops"))
        complain(here " may not include " name)
    else if (floor[there] >= floor[here])
        complain(name " lies on the same floor or above")
}
END {
    for (path in pieces)
        if (!(path in included))
            bad = bad "# " pieces[path] ": no part of its folder\047s header\n"
    print "1..1"
    print (bad ? "not ok" : "ok") " 1 - " edges + 0 " includes of " files + 0 \
        " files only go down"
    printf "%s", bad
    exit bad != ""
}' "$@"
