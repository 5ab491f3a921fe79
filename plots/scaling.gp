# Throughput against threads. names.txt: height, colour, name; <i>.txt: threads, median, least, most.
array hue[count]
load = ""
stats "load.txt" using (load = strcol(1), 0) nooutput
stats "names.txt" using (hue[1+$0] = $2, 0) nooutput
set lmargin at screen margin_left
set rmargin at screen margin_right
set bmargin at screen margin_bottom
set tmargin at screen margin_top
set title load.": throughput against threads, median and range of the repetitions"
set logscale x 2
set xrange [least/1.1:most*1.1]
set yrange [y_low:y_high]
set xlabel "threads"
set ylabel "million operations a second, all threads together"
set xtics ()
if (cores > least && cores < most) {
    set arrow 1 from first cores, graph 0 to first cores, graph 1 nohead linecolor rgb "#999999" dashtype 3
    set label 1 sprintf("%d cores", cores) at first cores, graph 0.98 offset 0.5,0 left font ",10" textcolor rgb "#777777"
}
plot for [i=0:count-1] sprintf("%d.txt", i) using 1:2:3:4 with yerrorlines linewidth 1.5 \
         pointtype mark(hue[1+i]) pointsize 0.7 linecolor rgb color(hue[1+i]) dashtype dash(hue[1+i]), \
     "names.txt" using (most*1.1):1:3:(color(column(2))) with labels left offset 0.8,0 textcolor rgb variable, \
     "threads.txt" using 1:(-1):xtic(1) with points pointsize 0
