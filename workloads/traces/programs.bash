# The real programs of the recordings here, for scripts that run them: make_* write the inputs, the same
# on every machine, and record_NAME calls `record NAME COMMAND...`, which is the sourcing script's. Each
# is called in an empty folder; $work is a temporary one, and what is in $server is to be killed at exit.

# until_up COMMAND...: waits until a server answers.
until_up() {
    local i
    for i in $(seq 150); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    echo "record-all: the server does not answer: $*" >&2
    return 1
}

# Lehmer's generator (Park & Miller 1988): exact in awk's doubles, the same in every awk.
lehmer='function draw(n) { state = state * 16807 % 2147483647; return int(state / 7) % n }'

make_c() {
    awk "$lehmer"'
    function statement(f, i,   kind) {
        kind = draw(5)
        if (kind == 0) return sprintf("    for (int i = 0; i < %d; i++)\n        y += p->b[i %% %d] * (x + i);", i + 3, f % 7 + 2)
        if (kind == 1) return sprintf("    if (y > %d && p->next)\n        y -= p->next->a ^ %d;\n    else\n        p->c *= 1.%d;", draw(1000), i, i)
        if (kind == 2) return sprintf("    switch (y & 7) {\n    case 1: y *= %d; break;\n    case 3: y = y << 2; break;\n    default: p->a = y + %d;\n    }", i + 5, draw(77))
        if (kind == 3 && f > 3) return sprintf("    y += f%d(y, (struct s%d *)p);", f - 1 - i % 3, f - 1 - i % 3)
        return sprintf("    while (x-- > %d)\n        y ^= (y >> 3) + p->b[%d];", i, i % 2)
    }
    BEGIN {
        state = 1
        for (f = 0; f < 30; f++) {
            printf "struct s%d { int a, b[%d]; double c; struct s%d *next; };\n", f, f % 7 + 2, f
            printf "int f%d(int x, struct s%d *p)\n{\n    int y = x;\n", f, f
            for (i = 0; i < 12; i++)
                print statement(f, i)
            print "    return y;\n}"
        }
    }'
}

make_json() {
    awk "$lehmer"'
    BEGIN {
        state = 7
        print "["
        for (i = 0; i < 6000; i++)
            printf "%s{\"id\": %d, \"name\": \"user%d\", \"score\": %d.%d, \"tags\": [\"t%d\", \"t%d\", \"t%d\"], \"address\": {\"street\": \"%d Main St\", \"zip\": \"%05d\"}, \"active\": %s}\n",
                i ? "," : "", i, draw(100000), draw(1000), i % 10, draw(13), i % 17, draw(29), draw(999), draw(100000), draw(2) ? "true" : "false"
        print "]"
    }'
}

make_words() {
    awk "$lehmer"'
    BEGIN {
        state = 11
        for (i = 0; i < 40000; i++) {
            line = ""
            for (k = 0; k < 9; k++)
                line = line (k ? " " : "") "w" draw(k % 3 ? 4000 : 90)
            print line
        }
    }'
}

make_history() {
    awk "$lehmer"'
    function body(c, f,   i, text) {
        state = f * 97 + 1
        for (i = 0; i < 120; i++)
            text = text sprintf("line %d %d %s\n", i, draw(500), (i * 7 + c) % 23 == 0 ? "edit " c : "")
        return text
    }
    BEGIN {
        for (c = 1; c <= 400; c++) {
            message = "change " c "\n"
            printf "commit refs/heads/main\ncommitter A U Thor <author@example.org> %d +0000\ndata %d\n%s", 1600000000 + c * 3600, length(message), message
            for (k = 1; k <= 13; k += 6) {
                f = c * k % 40
                text = body(c, f)
                printf "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n", f % 8, f, length(text), text
            }
        }
    }'
}

make_tree() {
    awk -v folder="$1" "$lehmer"'
    BEGIN {
        state = 3
        for (f = 0; f < 1000; f++) {
            file = sprintf("%s/f%03d.txt", folder, f)
            for (i = 0; i < 40 + f % 25 * 8; i++) {
                line = ""
                for (k = 0; k < 8; k++)
                    line = line " word" draw(700)
                print line > file
            }
            close(file)
        }
    }'
}

record_cc1() {
    make_c >input.c
    record cc1 "$(gcc -print-prog-name=cc1)" -quiet -O2 -w input.c -o /dev/null
}

record_python-json() {
    make_json >input.json
    cat >program.py <<'END'
import json
rows = json.load(open("input.json"))
by_tag = {}
for row in rows:
    for tag in row["tags"]:
        by_tag.setdefault(tag, []).append(row)
best = {tag: sorted(found, key=lambda row: (-row["score"], row["name"]))[:100]
        for tag, found in by_tag.items()}
text = json.dumps(best, indent=1, sort_keys=True)
print(len(text), sum(len(found) for found in json.loads(text).values()))
END
    PYTHONMALLOC=malloc PYTHONHASHSEED=0 record python-json /usr/bin/python3 program.py
}

record_perl-index() {
    make_words >words
    PERL_HASH_SEED=0 record perl-index perl -ne '
        chomp;
        my @w = split / /;
        push @{$index{$_}}, $. for @w;
        $line{$w[0]}{$w[1]} .= join("-", reverse @w) if $. % 4 == 0;
        END { print scalar(keys %index), " ", scalar(map { keys %$_ } values %line), "\n" }' words
}

record_sqlite() {
    cat >input.sql <<'END'
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER, day INTEGER, amount REAL, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO customer SELECT i, 'name ' || (i * 7919 % 2000), 'city ' || (i % 37) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 75000)
INSERT INTO orders SELECT i, i * 7919 % 2000 + 1, i % 365, (i * 31 % 10000) / 7.0, 'note ' || (i * 104729 % 65537) FROM n;
CREATE INDEX orders_customer ON orders(customer, day);
CREATE INDEX orders_note ON orders(note);
SELECT city, count(*), round(sum(amount), 2) FROM orders JOIN customer ON customer.id = orders.customer GROUP BY city ORDER BY 3 DESC LIMIT 5;
SELECT day, length(group_concat(note, ',')) FROM orders WHERE day < 3 GROUP BY day;
SELECT name, (SELECT max(amount) FROM orders WHERE orders.customer = customer.id) FROM customer ORDER BY 2 DESC, 1 LIMIT 5;
UPDATE orders SET note = upper(note) || day WHERE id % 3 = 0;
SELECT substr(note, 1, 6), count(DISTINCT customer) FROM orders GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5;
DELETE FROM orders WHERE day % 5 = 0;
SELECT count(*), sum(length(note)) FROM orders;
END
    record sqlite sqlite3 :memory: '.read input.sql'
}

record_gawk-words() {
    make_words >words
    record gawk-words gawk '
        {
            for (i = 1; i <= NF; i++) {
                n[$i]++
                start = substr($i, 1, 3)
                if (first[start] < $i)
                    first[start] = $i
            }
            if (NR % 2)
                pair[$1, $2] = pair[$1, $2] "," NR
        }
        END { print asorti(n, sorted), length(pair), length(first) }' words
}

record_git-log() {
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
    git init -q -b main history
    make_history | git -C history fast-import --quiet
    (cd history && record git-log git --no-pager log -p --stat -M main >/dev/null)
}

record_jq-groups() {
    make_json >input.json
    record jq-groups jq -c 'map(select(.active)) | group_by(.tags[0]) | map({tag: .[0].tags[0], n: length,
        top: (sort_by(-.score) | .[0:10] | map({id, name, zip: .address.zip}))})' input.json >/dev/null
}

record_redis() {
    local socket=$work/redis.sock
    record redis redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no \
        --io-threads 2 --io-threads-do-reads yes --dir "$work" --daemonize no >/dev/null &
    server=$!
    until_up redis-cli -s "$socket" ping
    redis-benchmark -s "$socket" -q -n 12000 -r 20000 -P 16 -c 32 -d 60 \
        -t set,get,lpush,lpop,sadd,hset,zadd,mset >/dev/null
    redis-cli -s "$socket" shutdown nosave
    wait "$server"
    server=
}

record_mariadb() {
    local data=$work/mariadb socket=$work/mariadb.sock
    mkdir "$data"
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$data" \
        --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
    record mariadb mariadbd --no-defaults --user="$(id -un)" --datadir="$data" --socket="$socket" \
        --skip-networking --pid-file="$work/mariadb.pid" --innodb-buffer-pool-size=8M \
        --innodb-log-buffer-size=1M --aria-pagecache-buffer-size=1M --key-buffer-size=1M \
        --performance-schema=OFF --thread-cache-size=8 --innodb-flush-log-at-trx-commit=0 \
        2>mariadb.log &
    server=$!
    until_up mariadb-admin --no-defaults -u root -S "$socket" ping
    mariadb-slap --no-defaults -u root -S "$socket" --delimiter=';' --concurrency=4 --iterations=1 \
        --number-of-queries=8000 --detach=4 \
        --create='CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(40), KEY(a));
            INSERT INTO t (a, b) SELECT seq % 97, md5(seq) FROM seq_1_to_2000' \
        --query='SELECT a, count(*), group_concat(b ORDER BY b) FROM t WHERE a < 20 GROUP BY a LIMIT 3;
            INSERT INTO t (a, b) VALUES (5, md5(rand(1)));
            SELECT t.b, u.b FROM t JOIN t u ON t.a = u.a AND t.id < u.id WHERE t.id < 30 ORDER BY 1, 2 LIMIT 20;
            UPDATE t SET b = md5(b) WHERE id = 77' >/dev/null
    mariadb-admin --no-defaults -u root -S "$socket" shutdown
    wait "$server"
    server=
    tail -n 1 mariadb.log >&2
}

record_ripgrep() {
    mkdir tree
    make_tree tree
    record ripgrep rg -j 4 -n -o 'word[0-9]*7[0-9]? word' tree >/dev/null
}
