# Where the footprint went: a bar an allocator and moment. All places are pixels from the upper left.
# bars.txt: from, to, middle, colour; names.txt, notes.txt, moments.txt: x, y, text; legend.txt: x, y,
# text, colour; ticks.txt: x, top, bottom, size.
set label 1 trace.": where the resident memory of the heap went" at screen 0.5, screen 1-16.0/height center
set label 2 sprintf("resident, %s", unit_name[1+int(unit)]) at screen 0.5, screen 12.0/height center font ",10"
set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set xrange [0:width]
set yrange [height:0]
unset border
unset tics
unset grid
set style fill solid 1 noborder
half = terminal == 3 ? 3 : 7
plot "ticks.txt" using 1:2:(0):($3-$2) with vectors nohead linecolor rgb "#e4e4e4" linewidth 0.6, \
     "ticks.txt" using 1:($3+10):4 with labels center font ",10", \
     "bars.txt" using (($1+$2)/2):3:1:2:($3-half):($3+half):4 with boxxyerror linecolor rgb variable, \
     "names.txt" using 1:2:3 with labels right font ",10", \
     "notes.txt" using 1:2:3 with labels left font ",9" textcolor rgb "#666666", \
     "moments.txt" using 1:2:3 with labels left font ",11", \
     "legend.txt" using 1:2:3:4 with labels left font ",10" textcolor rgb variable
