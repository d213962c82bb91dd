#!/bin/sh
# limits.sh: files under 400 lines, functions under 60, at most 6 parameters
# besides the lp_error.
#
# Reads the C files as clang-format leaves them: a function begins with a "{"
# in the first column, whose head stands above it, and ends with a "}" there.
# Tables are excepted: the lines of an initializer count for nothing.  So are
# functions of a type that says more parameters: their names are below.
set -u
cd "${top_srcdir:-.}" || exit 99

set --
for file in src/*/*.[ch] src/*/*/*.[ch] onnx/*.[ch] planners/*.[ch] \
    plots/*.[ch] examples/*.[ch] examples/*/*.[ch] tests/*/*.[ch]; do
    case $file in
    *'*'* | *.pb-c.[ch] | src/include/*) ;;
    *) set -- "$@" "$file" ;;
    esac
done

awk '
BEGIN {
    # of lpi_columns.pack and lpi_columns8.pack, with what they stand on
    split("lpi_pack_matrix lpi_pack_window pack_columns pack_padded " \
          "pack_weights", names, " ")
    for (i in names)
        free[names[i]]
    # printf-like: what is refused, where, and why; all that a layer is
    free["lpi_refuse"]
    free["lpi_layer_add"]
}
function complain(why)
{
    bad = bad "# " FILENAME ":" FNR ": " why "\n"
}
# Parameters of the function whose head is "text": commas at depth 1.
function parameters(text, depth, count, i, c)
{
    match(text, /[a-z_0-9]+\(/)
    if (substr(text, RSTART, RLENGTH - 1) in free)
        return 0
    sub(/__attribute__.*/, "", text)
    sub(/, *lp_error \*error\)/, ")", text)
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(")
            depth++
        else if (c == ")")
            depth--
        else if (c == "," && depth == 1)
            count++
    }
    return count + 1
}
function end_file()
{
    files++
    if (name != "" && lines >= 400)
        bad = bad "# " name ": " lines " lines outside tables\n"
}
FNR == 1 {
    end_file()
    name = FILENAME
    lines = length_ = inside = table = 0
    head = ""
}
# A table: from "= {" at the end of a line to the line that closes it.
!table && /= \{$/ {
    match($0, /^ */)
    table = 1
    indent = RLENGTH
}
{
    counts = !table
    if (table) {
        match($0, /^ */)
        if (RLENGTH == indent && /^ *\}.*;$/)
            table = 0
    }
    lines += counts
}
inside {
    length_ += counts
    if (/^}/) {
        inside = 0
        functions++
        if (length_ >= 60)
            complain("function of " length_ " lines")
    }
    next
}
/^\{$/ {
    inside = 1
    length_ = 1
    if (parameters(head) > 6)
        complain(parameters(head) " parameters: " head)
    next
}
/^[a-z].*\(/ {
    head = $0
    next
}
/^ / {
    head = head $0
}
END {
    end_file()
    print "1..1"
    print (bad ? "not ok" : "ok") " 1 - " functions + 0 " functions in " \
        files - 1 " files within the limits"
    printf "%s", bad
    exit bad != ""
}' "$@"
