#!/usr/bin/env bash
# Lets Apache Kafka's dump tool read what write_log wrote: no complaint, and the records are there.
#   against_kafka.sh WRITE_LOG KAFKA_HERE
# KAFKA_HERE: a script that runs Kafka's classes, as `KAFKA_HERE class CLASS ARG...`.
set -eu
write_log=$1 kafka=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$write_log" "$work"
files=$(ls "$work"/moldau-0/*.log "$work"/moldau-0/*.index "$work"/moldau-0/*.timeindex | paste -sd,)
passed=0 failed=0
verdict() { if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi; }

"$kafka" class org.apache.kafka.tools.DumpLogSegments --files "$files" --deep-iteration > "$work/dump" 2>&1 || true
records=$(grep -c '^| offset:' "$work/dump" || true)
end=$(tail -1 "$work"/recovery-point-offset-checkpoint | cut -d' ' -f3)
verdict "deep iteration shows $records records, the log has $end" $([ "$records" = "$end" ] && [ "$end" -gt 0 ]; echo $?)
verdict "every batch is valid" $(! grep -q 'isvalid: false' "$work/dump"; echo $?)
verdict "no mismatch, no exception" $(! grep -Eiq 'mismatch|out of order|exception|error' "$work/dump"; echo $?)
# The tool says this of the first record of every segment but the first, Kafka's own ones as well: "-1 is followed by".
verdict "offsets follow each other" $(! grep 'is followed by' "$work/dump" | grep -qv '^ *-1 '; echo $?)

"$kafka" class org.apache.kafka.tools.DumpLogSegments --files "$files" --index-sanity-check > "$work/sanity" 2>&1 || true
indexes=$(ls "$work"/moldau-0/*index | wc -l)
sound=$(grep -c 'passed sanity check' "$work/sanity" || true)
verdict "$sound of $indexes index files pass the sanity check" $([ "$sound" = "$indexes" ]; echo $?)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
