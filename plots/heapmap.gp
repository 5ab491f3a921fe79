# Heap map: address against time, darker the more of the bytes are live. panels.txt: name, note, bins
# across, bins up; <i>.bin: a byte a bin.
set multiplot
head = 54.0/height
cell_w = 1.0/columns
cell_h = (1-head)/rows
set label 1 trace.": heap map, live bytes by address (upwards; gaps left out) and time" at screen 0.5, screen 1-15.0/height center
set label 2 "white: nothing live" at screen 0.35, screen 1-34.0/height center textcolor rgb "#666666" font ",10"
set label 3 "light: few bytes live" at screen 0.5, screen 1-34.0/height center textcolor rgb "#e08214" font ",10"
set label 4 "dark: all live" at screen 0.65, screen 1-34.0/height center textcolor rgb "#2d004b" font ",10"
set palette defined (0 "#ffffff", 0.5 "#ffffff", 1 "#fee0b6", 70 "#fdb863", 140 "#b2abd2", 200 "#8073ac", 255 "#2d004b")
set cbrange [0:255]
unset colorbox
unset grid
unset ytics
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""; wide = 1; tall = 1
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), wide = $3, tall = $4, 0) nooutput
    set lmargin at screen column_at*cell_w + 22.0/width
    set rmargin at screen (column_at+1)*cell_w - 20.0/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    set xtics 25 font ",9" offset 0,0.4
    set format x (row_at == rows-1 || i+columns >= count ? "%g %%" : "")
    set xrange [0:100]
    set yrange [-0.5:tall-0.5]
    file = sprintf("%d.bin", i)
    if (terminal == 3) {
        plot file binary record=(wide*tall) format="%uchar" \
            using ($1 > 0 ? 100.0*(int($0)%int(wide))/wide : NaN):(int($0)/int(wide)) with dots
    } else {
        plot file binary array=(wide,tall) dx=100.0/wide dy=1 origin=(50.0/wide,0) \
            format="%uchar" using 1 with image
    }
    unset label 1
    unset label 2
    unset label 3
    unset label 4
}
unset multiplot
