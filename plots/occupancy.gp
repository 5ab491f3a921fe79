# How much of each resident page is live. panels.txt: name, note; <i>.txt: class of pages (0 nothing
# live, 1 up to a tenth … 10 below all, 11 all), per cent of the resident pages; moment.txt.
set multiplot
moment = ""
stats "moment.txt" using (moment = strcol(1), 0) nooutput
head = 54.0/height
foot = 16.0/height
cell_w = 1.0/columns
cell_h = (1-head-foot)/rows
set label 1 trace.": live share of each resident page ".moment at screen 0.5, screen 1-15.0/height center
set label 2 "nothing live" at screen 0.34, screen 1-34.0/height center textcolor rgb "#e69f00" font ",10"
set label 3 "partly live" at screen 0.5, screen 1-34.0/height center textcolor rgb "#0072b2" font ",10"
set label 4 "all live" at screen 0.64, screen 1-34.0/height center textcolor rgb "#0d0887" font ",10"
set label 5 "live share of a page; upwards, the share of the resident pages that are as live" at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set xrange [-0.7:11.7]
set yrange [0:100]
set ytics 25 font ",9"
set format y "%g %%"
set xtics ("0" 0, "20-30 %%" 3, "50-60 %%" 6, "90-99 %%" 10) font ",8" offset 0,0.4
set style fill solid 0.9 noborder
hue(k) = k == 0 ? 0xe69f00 : k == 11 ? 0x0d0887 : 0x0072b2
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), 0) nooutput
    set lmargin at screen column_at*cell_w + 52.0/width
    set rmargin at screen (column_at+1)*cell_w - 20.0/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    plot sprintf("%d.txt", i) using 1:2:($1-0.4):($1+0.4):(0):2:(hue(column(1))) with boxxyerror fillcolor rgb variable
    do for [l=1:5] { unset label l }
}
unset multiplot
