#!/usr/bin/env bash
# Lets Apache Kafka's dump tool read a partition that our cleaner compacted: no complaint, the newest
# value of each key is there, index files are sound.
#   compacted_by_us.sh COMPACT_LOG KAFKA_HERE
# KAFKA_HERE: a script that runs Kafka's classes, as `KAFKA_HERE class CLASS ARG...`.
set -eu
compact_log=$1 kafka=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r _ records _ values <<< "$("$compact_log" "$work")"
files=$(ls "$work"/moldau-0/*.log "$work"/moldau-0/*.index "$work"/moldau-0/*.timeindex | paste -sd,)
passed=0 failed=0
verdict() { if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi; }

"$kafka" class org.apache.kafka.tools.DumpLogSegments --files "$files" --deep-iteration --print-data-log > "$work/dump" 2>&1 || true
left=$(grep -c '^| offset:' "$work/dump" || true)
verdict "$left of $records records are left" $([ "$left" -lt $((records / 2)) ] && [ "$left" -gt 0 ]; echo $?)
# A record without a value is shown without a payload.
present=$(grep '^| offset:' "$work/dump" | awk '{ key = ""; for (i = 1; i < NF; i++) if ($i == "key:") key = $(i + 1)
  last[key] = ($0 ~ / payload: v*$/) } END { for (key in last) if (last[key]) n++; print n + 0 }')
verdict "$present keys have a value, $values were written" $([ "$present" = "$values" ]; echo $?)
verdict "every batch is valid" $(! grep -q 'isvalid: false' "$work/dump"; echo $?)
verdict "no mismatch, no exception" $(! grep -Eiq 'mismatch|out of order|exception|error' "$work/dump"; echo $?)
verdict "tombstones wait for their horizon" $(grep -q 'deleteHorizonMs: OptionalLong\[' "$work/dump"; echo $?)
"$kafka" class org.apache.kafka.tools.DumpLogSegments --files "$files" --index-sanity-check > "$work/sanity" 2>&1 || true
indexes=$(ls "$work"/moldau-0/*index | wc -l)
# Of a segment of which nothing was kept the index has no entry: the tool says that it is empty.
sound=$(grep -c -e 'passed sanity check' -e 'index is empty' "$work/sanity" || true)
verdict "$sound of $indexes index files pass the sanity check" $([ "$sound" = "$indexes" ]; echo $?)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
