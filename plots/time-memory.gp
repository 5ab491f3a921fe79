# Time against memory. points.txt: ns/op, memory, label x, label y, leader x, colour, name; front.txt.
set lmargin at screen margin_left
set rmargin at screen margin_right
set bmargin at screen margin_bottom
set tmargin at screen margin_top
set title trace.": time against memory (lower left is better)" offset 0,1.1
set xlabel "ns an operation (median)"
set ylabel sprintf("peak resident memory, %s", unit_name[1+int(unit)])
set xrange [x_low:x_high]
set yrange [y_low:y_high]
if (x_log) {
    set logscale x
    set xtics ()
    do for [e=-3:9] { set xtics add (sprintf("%g",10.0**e) 10.0**e, sprintf("%g",2*10.0**e) 2*10.0**e, sprintf("%g",5*10.0**e) 5*10.0**e) }
}
if (y_log) {
    set logscale y
    set ytics ()
    do for [e=-3:9] { set ytics add (sprintf("%g",10.0**e) 10.0**e, sprintf("%g",2*10.0**e) 2*10.0**e, sprintf("%g",5*10.0**e) 5*10.0**e) }
}
if (floor_null > 0) {
    set label 1 sprintf("replaying alone (null): %.1f ns", floor_null) at screen margin_right, screen 1-48.0/height right textcolor rgb "#777777" font ",10"
    if (floor_null > x_low && floor_null < x_high) { set arrow 1 from floor_null, graph 0 to floor_null, graph 1 nohead linecolor rgb "#999999" dashtype 3 }
}
if (floor_live > 0) {
    set label 2 sprintf("most ever live, the floor of any allocator: %.3g %s", floor_live, unit_name[1+int(unit)]) at screen margin_left, screen 1-48.0/height left textcolor rgb "#777777" font ",10"
    if (floor_live > y_low && floor_live < y_high) { set arrow 2 from graph 0, first floor_live to graph 1, first floor_live nohead linecolor rgb "#999999" dashtype 3 }
}
plot "front.txt" using 1:2 with fsteps linecolor rgb "#c8c8c8" linewidth 2, \
     for [i=0:count-1] "points.txt" every ::i::i using 1:2:(color(column(6))) with points pointtype mark(i) pointsize 1 linecolor rgb variable, \
     "points.txt" using 5:4:($1-$5):($2-$4) with vectors nohead linecolor rgb "#bbbbbb" linewidth 0.7, \
     "points.txt" using 3:4:7:(color(column(6))) with labels left boxed textcolor rgb variable
