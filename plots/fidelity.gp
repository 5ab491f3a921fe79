# Real against foretold peak heap. points.txt: real, foretold, label x, label y, leader x, colour, name.
set lmargin at screen margin_left
set rmargin at screen margin_right
set bmargin at screen margin_bottom
set tmargin at screen margin_top
set title trace.": peak heap, as the replay foretold it" offset 0,1.1
set xlabel sprintf("the real program, %s (median of its runs)", unit_name[1+int(unit)])
set ylabel sprintf("its replay, %s", unit_name[1+int(unit)])
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set samples 400
if (x_log) {
    set logscale xy
    set xtics ()
    set ytics ()
    do for [e=-3:9] { set xtics add (sprintf("%g",10.0**e) 10.0**e, sprintf("%g",2*10.0**e) 2*10.0**e, sprintf("%g",5*10.0**e) 5*10.0**e) }
    do for [e=-3:9] { set ytics add (sprintf("%g",10.0**e) 10.0**e, sprintf("%g",2*10.0**e) 2*10.0**e, sprintf("%g",5*10.0**e) 5*10.0**e) }
}
set label 1 sprintf("on the line: foretold exactly; in the band: within %g %%", 100*band) at screen margin_left, screen 1-48.0/height left textcolor rgb "#777777" font ",10"
plot "+" using 1:((1-band)*$1):((1+band)*$1) with filledcurves linecolor rgb "#eef2f6", \
     x with lines linecolor rgb "#999999" linewidth 1 dashtype 3, \
     for [i=0:count-1] "points.txt" every ::i::i using 1:2:(color(column(6))) with points pointtype mark(i) pointsize 1 linecolor rgb variable, \
     "points.txt" using 5:4:($1-$5):($2-$4) with vectors nohead linecolor rgb "#bbbbbb" linewidth 0.7, \
     "points.txt" using 3:4:7:(color(column(6))) with labels left boxed textcolor rgb variable
