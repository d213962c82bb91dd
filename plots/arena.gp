# address against time: what lies where in the arena of a schedule
# data: arena
# columns: name kind bytes offset from to runs

width = 1000
height = 640
call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5
load "picture.gpi"

# ---- how large, how long, and the largest waits -----------------------------

most = 8
array name[most]
array area[most]
array from[most]
array to[most]
array low[most]
array size[most]
do for [k = 1:most] {
    area[k] = 0
}
top = 0
runs = 1
rows = 0
tiles = 0
waits = 0
biggest = 0
widest = ""
shift(k, at) = k <= at ? 0 : (area[k] = area[k - 1], name[k] = name[k - 1], \
    from[k] = from[k - 1], to[k] = to[k - 1], low[k] = low[k - 1], \
    size[k] = size[k - 1], shift(k - 1, at))
put(at, n, s, o, f, t) = (shift(most, at), area[at] = s * (t - f + 1.0), \
    name[at] = n, from[at] = f, to[at] = t, low[at] = o, size[at] = s, 0)
insert(n, s, o, f, t) = s * (t - f + 1.0) > area[most] \
    ? put(1 + (sum [k = 1:most] area[k] >= s * (t - f + 1.0)), n, s, o, f, t) \
    : 0
# A value that waits across a twentieth of the runs, 5 at least; a buffer.
long(f, t) = t - f >= larger(5, ceil(runs / 20.0))
look(n, c, s, o, f, t, r) = (rows = rows + 1, runs = larger(runs, r), \
    s > biggest ? (biggest = s, widest = n) : 0, top = larger(top, o + s), c eq "value" ? 0 : (tiles = 1), \
    long(f, t) ? (waits = 1) : 0, insert(n, s, o, f, t))
stats data using (look(stringcolumn("name"), stringcolumn("kind"), \
    column("bytes"), column("offset"), column("from"), column("to"), \
    column("runs"))) nooutput
top = larger(top, 1)

# ---- one rectangle per buffer -----------------------------------------------

set lmargin at screen 0.085
set rmargin at screen 0.975
set tmargin at screen 0.862
set bmargin at screen 0.09
set xrange [-0.005 * runs:runs * 1.005]
set yrange [0:top * 1.01]
set xlabel "run" textcolor rgb ink offset 0, 0.3
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (bytes(k * bytes_step(top)) k * bytes_step(top))
}
set label 1 title_text at screen 0.5, 0.965 center textcolor rgb ink font big
set label 2 sprintf("%d buffers in %s; the largest: %s   %s", rows, \
    bytes(top), bytes(biggest), short(widest, 72)) \
    at screen 0.5, 0.922 center textcolor rgb grey
set key at screen 0.975, 0.905 right top horizontal samplen 1 \
    textcolor rgb ink font small

# The largest by bytes x runs are named, where there is room for a word.
letter = runs / 150.0
line_height = top / 38.0
do for [k = 1:most] {
    if (area[k] > 0 && size[k] >= line_height \
        && to[k] - from[k] + 1 >= 12 * letter) {
        set label 10 + k short(name[k]."   ".bytes(size[k]), \
            int((to[k] - from[k] + 1) / letter) - 2) \
            at (from[k] + to[k] + 1) / 2.0, low[k] + size[k] / 2.0 center \
            textcolor rgb ink font small front
    }
}

# Rows of one kind: 1: values that wait, 2: other values, 3: buffers.
class(c, f, t) = c ne "value" ? 3 : long(f, t) ? 1 : 2
in(c) = class(stringcolumn("kind"), column("from"), column("to")) == c \
    ? column("offset") : NaN
thin = rows > 3000 ? 0.15 : rows > 300 ? 0.3 : 1
plot data using (column("from")):(in(2)):(column("from")): \
    (column("to") + 1):(column("offset")):(column("offset") + \
    column("bytes")) with boxxyerror fillcolor rgb "#A5DAC8" \
    fillstyle solid 1 border rgb "#009E73" linewidth thin * line \
    title "results", \
    data using (column("from")):(in(3)):(column("from")): \
    (column("to") + 1):(column("offset")):(column("offset") + \
    column("bytes")) with boxxyerror fillcolor rgb yellow \
    fillstyle solid 1 border rgb "#B57A00" linewidth thin * line \
    title (tiles ? "tiles and workspace" : ""), \
    data using (column("from")):(in(1)):(column("from")): \
    (column("to") + 1):(column("offset")):(column("offset") + \
    column("bytes")) with boxxyerror fillcolor rgb "#BBD9EC" \
    fillstyle solid 1 border rgb blue linewidth 0.7 * line \
    title (waits ? "results that wait" : "")
