# SPDX-License-Identifier: PostgreSQL
# catalogue.awk - write a random but plausible catalogue of one server, to compare what two
# programs print of it.
#   awk -v seed=7 -v dir=HOME/SERVER -v server=SERVER [-v layout=old] -f catalogue.awk
# The same seed writes the same bytes. layout=old: only what Barman 3.4 knows (backup.info in
# base/ID, its fields, xlog.db in wals/); else a mixture with what 3.17 writes (meta/).
function below(n) { return int(rand() * n) }
function chance(percent) { return below(100) < percent }
function pick(list,    a, n) { n = split(list, a, "|"); return a[1 + below(n)] }
function big(x) { return sprintf("%.0f", x) }
function bytes() { return big(1 + exp(log(2) * rand() * 45)) }
function moment(day, hour,    us) {
    us = chance(70) ? sprintf(".%06d", below(1000000)) : ""
    return sprintf("2026-%02d-%02d %02d:%02d:%02d%s%s", 1 + int(day / 28), 1 + day % 28, hour,
                   below(60), below(60), us, zone)
}
function wal(tli, n) { return sprintf("%08X%08X%08X", tli, int(n / per_log), n % per_log) }
function lsn(n, off) { return sprintf("%X/%X", int(n / per_log), (n % per_log) * seg_size + off) }
function put(key, value) { info = info key "=" value "\n" }
function maybe(key, value) { if (!old) put(key, value) }
function tablespaces(    n, i, out) {
    n = below(4)
    if (!n) return pick("None|[]")
    for (i = 0; i < n; i++)
        out = out (i ? ", " : "") "(" pick("'tbs'|'two words'|\"o'brien\"|'caf\303\251'") ", " \
              (16384 + i) ", '/srv/" pick("a|b c|d") i "')"
    return "[" out "]"
}
function stats(    t, out) {
    if (chance(15)) return "None"
    t = sprintf("%.6f", exp(rand() * 10 - 3))
    if (mode !~ /^rsync/)
        return "{'copy_time': " t ", 'total_time': " t "}"
    return "{'total_time': " t ", 'number_of_workers': " (1 + below(4)) ", 'analysis_time': " \
           pick("0.25|1.0|75.5") ", 'analysis_time_per_item': {'pgdata': 0.16563}, 'copy_time': " \
           t ", 'copy_time_per_item': {'pgdata': 0.1, 'tbs': 0.2}, 'serialized_copy_time': " t \
           ", 'serialized_copy_time_per_item': {'pgdata': 0.1}}"
}
function backup(id, day,    hour, b, e, parent, file) {
    info = ""
    status = pick("DONE|DONE|DONE|DONE|DONE|WAITING_FOR_WALS|FAILED|EMPTY|STARTED|SYNCING")
    mode = pick("postgres|postgres|postgres|rsync-concurrent|rsync-exclusive")
    zone = pick("+00:00|+00:00|+02:00|+05:30|-03:00|-08:00")
    done = status == "DONE" || status == "WAITING_FOR_WALS"
    hour = 1 + below(20)
    b = at; e = b + below(4); at = e + 1 + below(6)
    parent = ""
    if (!old && mode == "postgres" && done && newest != "" && chance(30)) parent = newest
    put("backup_label", done ? "'START WAL LOCATION: " lsn(b, 40) " (file " wal(tli, b) ")\\nSTART TIME: x\\n'" : "None")
    if (!old && chance(40)) put("backup_name", pick("nightly|before it's done|caf\303\251|a b") day)
    put("begin_offset", done ? 40 : "None")
    put("begin_time", moment(day, hour))
    put("begin_wal", done ? wal(tli, b) : "None")
    put("begin_xlog", done ? lsn(b, 40) : "None")
    maybe("children_backup_ids", done && mode == "postgres" && chance(10) ? "20991231T000000,20991231T000001" : "None")
    if (!old && chance(80)) put("cluster_size", chance(90) ? bytes() : "None")
    put("compression", pick("None|None|gzip|none"))
    put("config_file", "/etc/postgresql/15/main/postgresql.conf")
    put("copy_stats", done ? stats() : "None")
    if (!old && chance(80)) put("data_checksums", pick("on|off|None"))
    size = bytes()
    put("deduplicated_size", chance(60) ? size : big(1 + size * rand()))
    if (!old && chance(80)) put("encryption", pick("None|None|gpg"))
    put("end_offset", done ? below(seg_size) : "None")
    put("end_time", done ? moment(day, hour + below(4)) : "None")
    put("end_wal", done ? wal(tli, e) : "None")
    put("end_xlog", done ? lsn(e, 256) : "None")
    put("error", status == "FAILED" ? pick("failure copying: it's gone|None|a = b") : "None")
    put("hba_file", "/etc/postgresql/15/main/pg_hba.conf")
    put("ident_file", "/etc/postgresql/15/main/pg_ident.conf")
    put("included_files", pick("None|['/etc/a.conf']|['/etc/a.conf', \"/etc/o'b.conf\"]"))
    put("mode", mode)
    if (!old) put("parent_backup_id", parent == "" ? "None" : parent)
    put("pgdata", pick("/var/lib/postgresql/15/main|/srv/with space/pg"))
    put("server_name", server)
    put("size", size)
    put("status", status)
    if (!old && chance(50)) put("summarize_wal", pick("on|off|None"))
    put("systemid", chance(80) ? "7711118111525422695" : "None")
    put("tablespaces", tablespaces())
    put("timeline", done ? tli : "None")
    put("version", pick("130011|140009|150018|160002|170004"))
    put("xlog_segment_size", seg_size)
    system("mkdir -p '" dir "/base/" id "/data'")
    file = dir "/meta/" id "-backup.info"
    if (old || chance(30)) file = dir "/base/" id "/backup.info"
    printf "%s", info > file
    close(file)
    if (done) newest = id
}
function logged(name, size, when,    line) {
    line = name "\t" size "\t" when
    if (old) return line "\t" pick("None|gzip")
    if (columns > 3) line = line "\t" pick("None|gzip|zstd")
    if (columns > 4) line = line "\t" pick("None|None|gpg")
    return line
}
BEGIN {
    srand(seed)
    old = layout == "old"
    seg_size = old ? 16777216 : pick("16777216|16777216|1048576|67108864") + 0
    per_log = 4294967296 / seg_size
    tli = 1
    at = first = below(600)
    system("mkdir -p '" dir "/meta' '" dir "/base' '" dir "/wals'")
    n = below(9)
    for (i = 0; i < n; i++) {
        backup(sprintf("2026%02d%02dT%06d", 1 + int(i * 3 / 28), 1 + i * 3 % 28, 10000 + below(9) * 1111), i * 3)
        if (tli < 3 && chance(15)) {
            tli++
            file = sprintf("%s/wals/%08X.history", dir, tli)
            printf "%d\t%s\tno recovery target specified\n", tli - 1, lsn(at, 0) > file
            close(file)
        }
    }
    if (chance(10)) exit
    columns = 3 + below(3)
    db = dir "/wals/" (old ? "" : server "-") "xlog.db"
    when = 1790000000.5
    for (t = 1; t <= tli; t++) {
        for (i = first; i < at + 20; i++) {
            when += exp(rand() * 8)
            if (chance(8)) continue
            print logged(wal(t, i), 1 + below(seg_size), sprintf("%.6f", when)) > db
            if (chance(5))
                print logged(wal(t, i) ".00000028.backup", 300, sprintf("%.6f", when)) > db
        }
        if (!old && chance(30))
            print logged(wal(t, i) ".partial", seg_size, sprintf("%.6f", when)) > db
        if (t < tli && !old)
            print logged(sprintf("%08X.history", t + 1), 41, sprintf("%.6f", when)) > db
    }
}
