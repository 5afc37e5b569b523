# The requests of the service's documentation and samples, with curl. One line of JSON for each answer.
# usage: samples.sh SESSION
set -eu
session=$1
json="Content-Type: application/json"
auth="Authorization: Bearer $TOKEN"
endpoint=$POOL_MANAGEMENT_ENDPOINT

say() { # NAME CURL-ARGUMENT...
    name=$1
    shift
    rm -f body
    printf '{"name":"%s","status":%s,"body":' "$name" \
        "$(curl -sS -H "$auth" -o body -w '%{http_code}' "$@")"
    case $(head -c 1 body 2>/dev/null) in
    '{') cat body ;;
    *) printf null ;;
    esac
    printf '}\n'
}

printf 'name,age\nAda,36\n' >README.md
head -c 3000000 /dev/zero >large.bin # curl waits for "100 Continue" from a megabyte on

old="api-version=2024-02-02-preview&identifier=$session"
say execute "$endpoint/code/execute?$old" -H "$json" \
    -d '{"properties":{"codeInputType":"inline","executionType":"synchronous","code":"print(\"hello\")\n1 + 1"}}'
say execute-with-segment "$endpoint/identifier/$session/code/execute?$old" -H "$json" \
    -d '{"properties":{"codeInputType":"inline","executionType":"synchronous","code":"6 * 7"}}'
say upload "$endpoint/files/upload?$old" -F "file=@README.md"
say list "$endpoint/files?$old"
say content-twice "$endpoint/files/content/README.md/content?$old"
cmp -s body README.md || exit 1

between="api-version=2024-08-02-preview&identifier=$session"
say metadata "$endpoint/files/README.md?$between"
say delete -X DELETE "$endpoint/files/README.md?$between"

new="api-version=2025-10-02-preview&identifier=$session"
say executions "$endpoint/executions?$new" -H "$json" \
    -d '{"codeInputType":"Inline","executionType":"Synchronous","code":"a = None;a"}'
say executions-wrapped "$endpoint/executions?$new" -H "$json" \
    -d '{"properties":{"codeInputType":"inline","executionType":"synchronous","code":"1 + 1"}}'
say upload-large "$endpoint/files?$new" -F "file=@large.bin;type=application/octet-stream"
say upload-to-directory "$endpoint/files?$new&path=reports" -F "file=@README.md"
say list-recursive "$endpoint/files?$new&recursive=true"
say delete-file -X DELETE "$endpoint/files/large.bin?$new"
say delete-session -X DELETE "$endpoint/session?$new"
say list-after "$endpoint/files?$new"
