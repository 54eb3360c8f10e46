# Completion for keratin in bash. What there is to complete the command says itself. Bash splits words
# at "=" and ":", so NAME=FILE and mnist:test are three words each.
_keratin_options() { # of a help text: names, with " V" behind those that take a value
    sed -n '/^options/,$s/^  \(-o, \)\{0,1\}\(--[a-z-]*\)\( [^ ]\)\{0,1\}.*/\2\3/p' <<<"$1"
}

_keratin() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i help all list=""
    [[ $word == [=:] ]] && word=""
    all=$(keratin --help 2>/dev/null) || return
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} != -* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
        grep -q -e "^${COMP_WORDS[i]} " <<<"$(_keratin_options "$all")" && ((i++))
    done
    if [[ -z $command || $command == help ]]; then
        if [[ $word == -* ]]; then
            list=$(_keratin_options "$all" | sed 's/ .*//')
        elif [[ $before == --verbose ]]; then
            list="0 1 2"
        else
            list=$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$all")
        fi
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
        return
    fi
    case $before in
    --data) list="mnist fashion_mnist cifar10 cifar100 boston_housing california_housing imdb reuters" ;;
    --callback) list="early_stopping model_checkpoint: csv_logger: reduce_lr_on_plateau learning_rate_scheduler: terminate_on_nan backup_and_restore:" ;;
    --optimizer) list="adadelta adafactor adagrad adam adamax adamw ftrl lamb lion muon nadam rmsprop sgd" ;;
    --verbose) list="0 1 2" ;;
    --rankdir) list="TB LR" ;;
    --workload) list=$(keratin bench --help 2>/dev/null | sed -n '/^Workloads:/,/\.$/s/\(Workloads:\|\.$\)//gp') ;;
    :) [[ ${COMP_WORDS[COMP_CWORD - 3]} == --data ]] && list="train test" ;;
    esac
    [[ ${COMP_WORDS[COMP_CWORD]} == : && ${COMP_WORDS[COMP_CWORD - 2]} == --data ]] && list="train test"
    if [[ $word == -* && -z $list ]]; then
        help=$(keratin "$command" --help 2>/dev/null)
        list=$(_keratin_options "$help" | sed 's/ .*//')
    elif [[ -z $list ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
        return
    fi
    if [[ $before == --workload && $word == *,* ]]; then # the last one of several
        mapfile -t COMPREPLY < <(compgen -P "${word%,*}," -W "$list" -- "${word##*,}")
    else
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
    fi
}
complete -F _keratin keratin
