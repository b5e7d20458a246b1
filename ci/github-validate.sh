#!/usr/bin/env bash
# What the GitHub Action runs; its inputs come as environment variables.
set -euo pipefail
options=(--format github --profile "${INPUT_PROFILE:-dicom}" --fail-on "${INPUT_FAIL_ON:-error}")
[ -n "${INPUT_SARIF:-}" ] && options+=(--report "sarif:$INPUT_SARIF")
[ -n "${INPUT_BASELINE:-}" ] && options+=(--baseline "$INPUT_BASELINE")
read -r -a paths <<< "$INPUT_PATH"
exec imgconv validate "${options[@]}" "${paths[@]}"
