# Heap map: address against time. panels.txt: name, note, pixels across, pixels up; <i>.rgb: the
# pixels; <i>.txt: pixels up, address of a stretch; legend.rgb: the scale.
set multiplot
head = 58.0/height
cell_w = 1.0/columns
cell_h = (1-head)/rows
unset grid
unset ytics
set label 1 trace.": heap map, address (upwards) against time" at screen 0.5, screen 1-15.0/height center
set label 2 "resident, nothing live" at screen 0.5-112.0/width, screen 1-38.0/height right font ",10"
set label 3 "all of it live" at screen 0.5+12.0/width, screen 1-38.0/height left font ",10"
set label 4 "pale: partly resident; white: not; grey: gap in the addresses" at screen 0.5+105.0/width, screen 1-38.0/height left textcolor rgb "#666666" font ",10"
if (terminal != 3) {
    set lmargin at screen 0.5-105.0/width
    set rmargin at screen 0.5+5.0/width
    set tmargin at screen 1-32.0/height
    set bmargin at screen 1-44.0/height
    unset xtics
    unset border
    plot "legend.rgb" binary array=(64,2) format="%uchar" using 1:2:3 with rgbimage
    set border 3
    unset label 1
    unset label 2
    unset label 3
    unset label 4
}
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""; wide = 1; tall = 1
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), wide = $3, tall = $4, 0) nooutput
    set lmargin at screen column_at*cell_w + 1.0*left/width
    set rmargin at screen (column_at+1)*cell_w - 1.0*right/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    set xtics 25 nomirror out scale 0.5 font ",9" offset 0,0.4
    set format x (row_at == rows-1 || i+columns >= count ? "%g %%" : "")
    set xrange [0:100]
    set yrange [0:tall]
    file = sprintf("%d.rgb", i)
    labels = sprintf("%d.txt", i)
    if (terminal == 3) {
        plot file binary record=(wide*tall) format="%uchar%uchar%uchar" \
            using ($1+$2+$3 < 600 ? 100.0*(int($0)%int(wide))/wide : NaN):(int($0)/int(wide)) with dots
    } else {
        plot file binary array=(wide,tall) dx=100.0/wide dy=1 origin=(50.0/wide,0.5) \
                format="%uchar" using 1:2:3 with rgbimage, \
            labels using (0):1:2 with labels right offset -0.4,0 font ",8" textcolor rgb "#666666"
    }
    unset label 1
    unset label 2
    unset label 3
    unset label 4
}
unset multiplot
