# what smaller budgets cost: latency, bytes copied away and back, MACs computed again
# data: budgets
# columns: what budget_bytes status arena_bytes again_macs copied_bytes latency_ns latency_bound_ns

width = 1000
height = 820
call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5
load "picture.gpi"

# ---- the plans that fit, from the largest arena down ------------------------

stats data using (column("budget_bytes")) nooutput
array arena[STATS_records + 1]
array latency[STATS_records + 1]
array copied[STATS_records + 1]
array macs[STATS_records + 1]
fits = 0
lowest = 0
failed = 0
basis = 0
bound = 0
keep(a, l, c, m, b) = (fits = fits + 1, arena[fits] = a, latency[fits] = l, \
    copied[fits] = c, macs[fits] = m, bound = larger(bound, b), 0)
fail(b) = (failed = larger(failed, b), \
    lowest = lowest == 0 ? b : least(lowest, b), 0)
look(w, s, b, a, l, c, m, q) = w eq "baseline" ? (basis = a, 0) \
    : s eq "fits" ? keep(a, l, c, m, q) : fail(b)
stats data using (look(stringcolumn("what"), stringcolumn("status"), \
    column("budget_bytes"), column("arena_bytes"), column("latency_ns"), \
    column("copied_bytes"), column("again_macs"), \
    column("latency_bound_ns"))) nooutput

left = failed > 0 ? lowest : 0
right = 0
slow = 0
fast = 0
most_copied = 0
most_macs = 0
do for [k = 1:fits] {
    right = larger(right, arena[k])
    left = left == 0 ? arena[k] : least(left, arena[k])
    slow = larger(slow, latency[k])
    fast = fast == 0 ? latency[k] : least(fast, latency[k])
    most_copied = larger(most_copied, copied[k])
    most_macs = larger(most_macs, macs[k])
}
right = larger(right, 1)
span = larger(right - left, right / 10.0)
# Where no plan is known: below the smallest arena.
edge = fits ? arena[fits] : right
do for [k = 1:fits] {
    edge = least(edge, arena[k])
}

# ---- three panels, one above the other --------------------------------------

set multiplot
set lmargin at screen 0.1
set rmargin at screen 0.965
low = left - span * 0.03
high = right + span * 0.06
set xrange [low:high]
unset key
step = bytes_step((high - low) / 2.0)
set xtics ("" low)
do for [k = int(low / step):int(high / step)] {
    if (k * step >= low) {
        set xtics add ("" k * step)
    }
}
set label 1 title_text at screen 0.5, 0.972 center textcolor rgb ink font big
set label 2 basis == 0 ? "" : sprintf( \
    "Layer by layer the model takes %s; with rows of attention together, %s", \
    bytes(basis), bytes(right)) \
    at screen 0.5, 0.938 center textcolor rgb grey

if (failed > 0 && edge > low) {
    set object 1 rectangle from low, graph 0 to edge, graph 1 \
        fillcolor rgb "#ECEFF1" fillstyle solid 1 noborder behind
    set label 4 "no plan found" at (low + edge) / 2.0, graph 0.5 center \
        textcolor rgb grey front
}

# The cost of the plan that fits in $1; "v" is its panel.
x(k) = k > fits ? high : arena[fits + 1 - int(k)]
lat(k) = latency[fits + 1 - least(int(k), fits)] / 1e6
cop(k) = copied[fits + 1 - least(int(k), fits)]
mac(k) = macs[fits + 1 - least(int(k), fits)]

panel = 0.255
gap = 0.035
top = 0.895

set tmargin at screen top
set bmargin at screen top - panel
rise = larger(larger(slow - fast, slow / 200.0), 1)
set yrange [(fast - 0.12 * rise) / 1e6:(slow + 0.3 * rise) / 1e6]
set ytics auto
set format y "%g ms"
set label 3 "Latency".(bound > 0 ? sprintf( \
    "; with these tiles no plan is below %.4g ms", bound / 1e6) \
    : " (no device is given)") at graph 0.985, graph 0.9 right \
    textcolor rgb blue front
plot sample [k=1:fits + 1:1] "+" using (x($1)):(lat($1)) with steps \
    linecolor rgb blue linewidth 2 * line, \
    [k=1:fits:1] "+" using (x($1)):(lat($1)) with points pointtype 7 \
    pointsize 0.7 linecolor rgb blue

unset label 1
unset label 2
unset label 4
set tmargin at screen top - panel - gap
set bmargin at screen top - 2 * panel - gap
set yrange [-0.05 * larger(most_copied, 1):larger(most_copied, 1) * 1.25]
set format y
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (bytes(k * bytes_step(most_copied)) \
        k * bytes_step(most_copied))
}
set label 3 "Activations copied away and back" textcolor rgb green
plot sample [k=1:fits + 1:1] "+" using (x($1)):(cop($1)) with steps \
    linecolor rgb green linewidth 2 * line, \
    [k=1:fits:1] "+" using (x($1)):(cop($1)) with points pointtype 7 \
    pointsize 0.7 linecolor rgb green

set tmargin at screen top - 2 * panel - 2 * gap
set bmargin at screen top - 3 * panel - 2 * gap
set xtics ("" low)
do for [k = int(low / step):int(high / step)] {
    if (k * step >= low) {
        set xtics add (bytes(k * step) k * step)
    }
}
set xlabel "arena" textcolor rgb ink offset 0, 0.3
set yrange [-0.05 * larger(most_macs, 1):larger(most_macs, 1) * 1.25]
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (count(k * count_step(most_macs)) \
        k * count_step(most_macs))
}
set label 3 "MACs computed again" textcolor rgb orange
plot sample [k=1:fits + 1:1] "+" using (x($1)):(mac($1)) with steps \
    linecolor rgb orange linewidth 2 * line, \
    [k=1:fits:1] "+" using (x($1)):(mac($1)) with points pointtype 7 \
    pointsize 0.7 linecolor rgb orange
unset multiplot
