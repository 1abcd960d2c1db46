# Writes a dump of PGDATABASE into FOLDER, checks it, and keeps the newest KEEP. A dump has its final name only when it is whole and was
# read back; whatever fails ends the script with its status, so the Job fails and is told of.
set -eu -o pipefail

dump=chart-$(date -u +%Y%m%dT%H%M%SZ).dump

# What a run that was cut off has left. No other run is at work (concurrencyPolicy: Forbid).
rm -f "$FOLDER"/*.part

pg_dump --format=custom --file="$FOLDER/$dump.part"

# Its list must name the bars and the migrations; then all of it is read and unpacked.
list=$(pg_restore --list "$FOLDER/$dump.part")
grep -q ' TABLE public bars ' <<<"$list"
grep -q ' TABLE DATA public schema_migrations ' <<<"$list"
pg_restore --file=/dev/null "$FOLDER/$dump.part"

sync "$FOLDER/$dump.part"
mv "$FOLDER/$dump.part" "$FOLDER/$dump"
echo "backup: wrote $dump, $(stat --format=%s "$FOLDER/$dump") bytes"

# Names are in the order of time.
dumps=("$FOLDER"/chart-*.dump)
surplus=$((${#dumps[@]} - KEEP))
for ((i = 0; i < surplus; i++)); do
  rm "${dumps[$i]}"
  echo "backup: removed ${dumps[$i]##*/}"
done
