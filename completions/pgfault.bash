# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Completion of pgfault(1) for bash, with or without the bash-completion package.

# The options of a command, as in its --help.
__pgfault_options() {
	local target='-p --pid -a --all --cgroup -d --duration --user --tier --ring'
	local table='--by --sort --top'
	local machine='--json -o --output -h --help'

	case $1 in
	run) echo "$target -g --stacks --basic --aggregate $table --strict --assert --csv --schema --no-color $machine" ;;
	trace)
		echo "$target -g --stacks --basic --kind --min-us --addr --map --format -T --timestamps --strict \
			--schema --no-color $machine"
		;;
	record) echo "$target -g --stacks --basic --strict -o --output -h --help" ;;
	report)
		echo "-i --input --compare $table --kind --min-us --addr --map --format -T --timestamps \
			--strict --assert --csv --schema --no-color $machine"
		;;
	selftest) echo "--tier --list --seed $machine" ;;
	kinds | doctor) echo "$machine" ;;
	esac
}

# The values of an option; fails where the option is not followed by one of a list.
__pgfault_values() {
	case $1 in
	--tier) echo 'kernel tracepoint perf counters' ;;
	--by) echo 'kind map kind-map code process thread cgroup discard stack' ;;
	--sort) echo 'time count max p99 major' ;;
	--format) echo 'table classic calls return' ;;
	--assert) echo 'faults minor major failed unfinished lost' ;;
	--kind) pgfault kinds 2>/dev/null | sed -n 's/^\([a-z0-9-]*\) (.*/\1/p' ;;
	--user) compgen -u ;;
	-p | --pid) (cd /proc && printf '%s\n' [0-9]*) ;;
	*) return 1 ;;
	esac
}

_pgfault() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} values i

	COMPREPLY=()
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			else
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			fi
			return
		fi
	done
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W \
			'run trace record report kinds doctor selftest --help --version' -- "$cur")
	elif values=$(__pgfault_values "$prev"); then
		# A list keeps what stands before its last comma.
		local head=
		[[ $prev == --kind && $cur == *,* ]] && head=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$head" -W "$values" -- "${cur#"$head"}")
	elif [[ $prev == -o || $prev == --output || $prev == -i || $prev == --input ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $prev == --cgroup ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__pgfault_options "$verb") --" -- "$cur")
	elif [[ $verb == selftest ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(pgfault selftest --list 2>/dev/null | awk '/^[a-z]/ { print $1 }')" -- "$cur")
	elif [[ $verb == report ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _pgfault pgfault
