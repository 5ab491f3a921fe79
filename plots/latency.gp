# How long single calls take, by percentile. names.txt: height, colour, name; <i>.txt: 1/(1-p), s.
array hue[count]
stats "names.txt" using (hue[1+$0] = $2, 0) nooutput
set lmargin at screen margin_left
set rmargin at screen margin_right
set bmargin at screen margin_bottom
set tmargin at screen margin_top
set title trace.": latency of a call by percentile, of each allocator's median repetition"
set logscale xy
set xrange [1:calls*1.05]
set yrange [y_low:y_high]
set xlabel "share of the calls that take no longer"
set xtics ("50 %%" 2, "90 %%" 10, "99 %%" 1e2, "99.9 %%" 1e3, "99.99 %%" 1e4, "99.999 %%" 1e5, "99.9999 %%" 1e6, "99.99999 %%" 1e7)
set format y "%.0s %cs"
if (clock > y_low) {
    set arrow 1 from graph 0, first clock to graph 1, first clock nohead linecolor rgb "#999999" dashtype 3
    set label 1 "the clock itself" at graph 0.99, first clock offset 0,0.5 right font ",10" textcolor rgb "#777777"
}
plot for [i=0:count-1] sprintf("%d.txt", i) using 1:2 with lines linewidth 1.5 \
         linecolor rgb color(hue[1+i]) dashtype dash(hue[1+i]), \
     "names.txt" using (calls*1.05):1:3:(color(column(2))) with labels left offset 0.8,0 textcolor rgb variable
