# SPDX-License-Identifier: BSD-2-Clause
# Completion of pgfault(1) for fish.

function __pgfault_verb
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
    and not contains -- -- $words
end

function __pgfault_kinds
    pgfault kinds 2>/dev/null | string replace -rf '^([a-z0-9-]+) \((.*)\)$' '$1\t$2'
end

function __pgfault_workloads
    pgfault selftest --list 2>/dev/null | string replace -rf '^([a-z]\S*).*' '$1'
end

complete -c pgfault -f
complete -c pgfault -n __fish_use_subcommand -a run -d 'page faults of a command, summed up'
complete -c pgfault -n __fish_use_subcommand -a trace -d 'a line a fault, as it happens'
complete -c pgfault -n __fish_use_subcommand -a record -d 'faults into a file'
complete -c pgfault -n __fish_use_subcommand -a report -d 'a recording, read and compared'
complete -c pgfault -n __fish_use_subcommand -a kinds -d 'what each kind of fault is'
complete -c pgfault -n __fish_use_subcommand -a doctor -d 'which tiers work here'
complete -c pgfault -n __fish_use_subcommand -a selftest -d 'known faults made, and seen'
complete -c pgfault -n __fish_use_subcommand -s h -l help -d 'list the commands'
complete -c pgfault -n __fish_use_subcommand -s V -l version -d 'the version'

set -l traced '__pgfault_verb run trace record'
complete -c pgfault -n $traced -s p -l pid -x -a '(__fish_complete_pids)' -d 'running processes'
complete -c pgfault -n $traced -s a -l all -d 'the whole machine'
complete -c pgfault -n $traced -l cgroup -x -a '(__fish_complete_directories)' -d 'tasks below a cgroup'
complete -c pgfault -n $traced -s d -l duration -x -d 'end after so many seconds'
complete -c pgfault -n $traced -l user -x -a '(__fish_complete_users)' -d 'run the command as'
complete -c pgfault -n '__pgfault_verb run trace record' -l ring -x -d 'buffer of each CPU, KiB'
complete -c pgfault -n '__pgfault_verb run trace record selftest' -l tier -x \
    -a 'kernel tracepoint perf counters' -d 'how to look'
complete -c pgfault -n $traced -l basic -d 'durations and basic kinds only'
complete -c pgfault -n '__pgfault_verb run trace record' -s g -l stacks -d 'take user stacks'
complete -c pgfault -n '__pgfault_verb run' -l aggregate -d 'add up in the kernel'

set -l table '__pgfault_verb run report'
complete -c pgfault -n $table -l by -x -a 'kind map kind-map code process thread cgroup discard stack' -d 'one table'
complete -c pgfault -n $table -l sort -x -a 'time count max p99 major' -d 'order of rows'
complete -c pgfault -n $table -l top -x -d 'rows of a table'
complete -c pgfault -n $table -l assert -x -a 'faults minor major failed unfinished lost' \
    -d 'exit 3 unless it holds'
complete -c pgfault -n $table -l csv -d 'for spreadsheets'
complete -c pgfault -n '__pgfault_verb run trace record report' -l strict -d 'exit 2 on losses'

complete -c pgfault -n '__pgfault_verb trace report' -l kind -x \
    -a '(__fish_append , (__pgfault_kinds))' -d 'only these kinds'
complete -c pgfault -n '__pgfault_verb trace report' -l min-us -x -d 'only faults this long'
complete -c pgfault -n '__pgfault_verb trace report' -l addr -x -d 'only addresses in LOW-HIGH'
complete -c pgfault -n '__pgfault_verb trace report' -l map -x -d 'only mappings that match'
complete -c pgfault -n '__pgfault_verb trace report' -l format -x -a 'table classic calls return' \
    -d 'how a line looks'
complete -c pgfault -n '__pgfault_verb trace report' -s T -l timestamps -d 'seconds since the start'

complete -c pgfault -n '__pgfault_verb report' -s i -l input -r -F -d 'the recording'
complete -c pgfault -n '__pgfault_verb report' -l compare -F -d 'two recordings'
complete -c pgfault -n '__pgfault_verb selftest' -l list -d 'what can be made here'
complete -c pgfault -n '__pgfault_verb selftest' -l seed -x -d 'of the mixed workloads'
complete -c pgfault -n '__pgfault_verb selftest' -a '(__pgfault_workloads)'

complete -c pgfault -n '__pgfault_verb run trace record report kinds doctor selftest' \
    -s o -l output -r -F -d 'write there'
complete -c pgfault -n '__pgfault_verb run trace report kinds doctor selftest' -l json -d 'for programs'
complete -c pgfault -n '__pgfault_verb run trace report' -l no-color -d 'no colours'
complete -c pgfault -n '__pgfault_verb run trace report' -l schema -d 'the schema of --json'
complete -c pgfault -n '__pgfault_verb run trace record report kinds doctor selftest' -s h -l help \
    -d 'list the options'
