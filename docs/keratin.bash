# Completion for keratin in bash. What there is to complete the command says itself.
_keratin() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i help
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
    done
    if [[ -z $command || $command == help ]]; then
        help=$(keratin --help 2>/dev/null) || return
        if [[ $word == -* ]]; then
            help=$(grep -o -e '--[a-z-]*' <<<"$help" | sort -u)
        else
            help=$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")
        fi
        mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
    elif [[ $word == -* ]]; then
        help=$(keratin "$command" --help 2>/dev/null | sed -n '/^options:/,$p' | grep -o -e '^ .*--[a-z-]*')
        mapfile -t COMPREPLY < <(compgen -W "$(grep -o -e '--[a-z-]*' <<<"$help")" -- "$word")
    elif [[ $before == --data ]]; then
        mapfile -t COMPREPLY < <(compgen -W "mnist fashion_mnist cifar10 cifar100 boston_housing california_housing imdb reuters" -- "$word")
    elif [[ $before == --callback ]]; then
        help="early_stopping model_checkpoint: csv_logger: reduce_lr_on_plateau learning_rate_scheduler: terminate_on_nan backup_and_restore:"
        mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
    elif [[ $before == --optimizer ]]; then
        help="adadelta adafactor adagrad adam adamax adamw ftrl lamb lion muon nadam rmsprop sgd"
        mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
    elif [[ $before == --verbose ]]; then
        mapfile -t COMPREPLY < <(compgen -W "0 1 2" -- "$word")
    elif [[ $before == --rankdir ]]; then
        mapfile -t COMPREPLY < <(compgen -W "TB LR" -- "$word")
    elif [[ $before == --workload ]]; then
        help=$(keratin bench --help 2>/dev/null | sed -n '/^Workloads:/,/\.$/s/^Workloads://;T;p')
        mapfile -t COMPREPLY < <(compgen -W "${help%.}" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _keratin keratin
