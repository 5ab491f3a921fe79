# How long calls take by operation and size. panels.txt: name, note; <i>.txt: place of the size class,
# operation, p50, p99, p99.9, p99.99, p99.999, the furthest known of them, max in seconds.
set multiplot
head = 60.0/height
foot = 20.0/height
cell_w = 1.0/columns
cell_h = (1-head-foot)/rows
set label 1 trace.": latency of calls by operation and size" at screen 0.5, screen 1-15.0/height center
array operation[5] = ["malloc", "calloc", "realloc", "aligned", "free"]
do for [k=0:4] {
    set label 2+k operation[1+k] at screen 0.5+(k-2)*90.0/width, screen 1-33.0/height center textcolor rgb color(k) font ",10"
}
set label 7 "thick: p50 to p99; thin: to p99.999 or as far as calls reach, a stroke each at p99.9, p99.99, p99.999; ring: the slowest" at screen 0.5, screen 1-48.0/height center textcolor rgb "#666666" font ",9"
set label 8 "bytes of the block, at most; K: 1,024, >: more" at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set logscale y
set yrange [low:high]
set xrange [-0.6:7.6]
set format y "%.0s %cs"
# Narrow panels name every other size.
if (columns > 3) {
    set xtics ("16" 0, "" 1, "256" 2, "" 3, "4K" 4, "" 5, "256K" 6, ">" 7)
} else {
    set xtics ("16" 0, "64" 1, "256" 2, "1K" 3, "4K" 4, "32K" 5, "256K" 6, ">" 7)
}
set xtics font ",9" offset 0,0.4
set ytics font ",9"
at(class, op) = class + (op-2)*0.17
known(value, other) = value == value ? value : other
only(k, op, value) = k == op ? value : NaN
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), 0) nooutput
    data = sprintf("%d.txt", i)
    set lmargin at screen column_at*cell_w + 56.0/width
    set rmargin at screen (column_at+1)*cell_w - 12.0/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    if (clock > low) {
        set arrow 1 from graph 0, first clock to graph 1, first clock nohead linecolor rgb "#999999" dashtype 3
    }
    plot for [k=0:4] data using (at($1,$2)):(only(k,$2,$3)):(0):(known($4,$8)-$3) with vectors nohead linewidth 4 linecolor rgb color(k), \
         for [k=0:4] data using (at($1,$2)):(only(k,$2,known($4,$3))):(0):($8-known($4,$3)) with vectors nohead linewidth 1 linecolor rgb color(k), \
         for [k=0:4] for [p=5:7] data using (at($1,$2)-0.07):(only(k,$2,column(p))):(0.14):(0) with vectors nohead linewidth 1.5 linecolor rgb color(k), \
         for [k=0:4] data using (at($1,$2)):(only(k,$2,$3)) with points pointtype 7 pointsize 0.35 linecolor rgb color(k), \
         for [k=0:4] data using (at($1,$2)):(only(k,$2,$9)) with points pointtype 6 pointsize 0.4 linecolor rgb color(k)
    do for [l=1:8] { unset label l }
}
unset multiplot
