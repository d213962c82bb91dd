# match.awk: succeed when the lines of the second file are as those of the
# first say: a line "..." stands for any number of lines, "..." at the end or
# at the start of a line for any rest of it.  With -v loose=1 blanks at the end
# of lines, and empty lines at the end of what is wanted, do not count.
function same(want, got, n)
{
    if (loose) {
        sub(/ +$/, "", want)
        sub(/ +$/, "", got)
    }
    n = length(want)
    if (want == got)
        return 1
    if (n > 3 && substr(want, n - 2) == "..." &&
        substr(want, 1, n - 3) == substr(got, 1, n - 3))
        return 1
    return n > 3 && substr(want, 1, 3) == "..." && length(got) >= n - 3 &&
        substr(want, 4) == substr(got, length(got) - n + 4)
}
FILENAME == ARGV[1] {
    want[++wants] = $0
    next
}
{
    got[++gots] = $0
}
END {
    while (loose && wants && want[wants] == "")
        wants--
    w = g = 1
    back = 0
    while (g <= gots) {
        if (w <= wants && want[w] == "...") {
            back = w++
            resume = g
        } else if (w <= wants && same(want[w], got[g])) {
            w++
            g++
        } else if (back) {
            w = back + 1
            g = ++resume
        } else
            exit 1
    }
    while (w <= wants && want[w] == "...")
        w++
    exit w <= wants
}
