# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for domctl. As for bash, what domctl takes is asked of domctl itself.

# The command on the line, or nothing; and the words that say which daemon.
function __domctl_command
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
        else if contains -- $word --connect -c
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
end

function __domctl_connection
    set -l words (commandline -opc)
    for index in (seq (count $words))
        switch $words[$index]
            case --connect -c
                test $index -lt (count $words); and printf '%s\n' --connect $words[(math $index + 1)]
            case '--connect=*'
                echo $words[$index]
        end
    end
end

# "NAME<tab>SUMMARY" of each command.
function __domctl_commands
    env LC_ALL=C domctl --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

# The options of the command on the line, those with a value with "=".
function __domctl_options
    set -l command (__domctl_command)
    if test -z "$command"
        printf '%s\n' --connect --json --help --version
    else
        env LC_ALL=C domctl $command --help 2>/dev/null |
            sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z-]*=\{0,1\}\)[A-Z]*  *\(.*\)/\2\t\3/p'
    end
end

# What the command's arguments can be.
function __domctl_arguments
    set -l command (__domctl_command)
    set -l connection (__domctl_connection)
    set -l kind (env LC_ALL=C domctl $command --help 2>/dev/null |
        sed -n "s/^  domctl .*[] ]$command \[\{0,1\}\([A-Z|]*\).*/\1/p" | head -n 1)
    switch "$kind"
        case DOMAIN
            switch $command
                case start
                    domctl $connection list --name --inactive 2>/dev/null
                case shutdown reboot reset suspend resume destroy console domid
                    domctl $connection list --name 2>/dev/null
                case '*'
                    domctl $connection list --name --all 2>/dev/null
            end
        case FILE
            __fish_complete_suffix .xml
        case 'DOMAIN|FILE'
            domctl $connection list --name --all 2>/dev/null
            __fish_complete_suffix .xml
        case NAME
            domctl schema --list 2>/dev/null
        case COMMAND
            __domctl_commands
    end
end

# The values of the option before the cursor.
function __domctl_values
    switch (commandline -opc)[-1]
        case --connect -c
            printf '%s\n' system session qemu:///system qemu:///session
        case --capabilities
            __fish_complete_path (commandline -ct)
        case --output --directory
            __fish_complete_directories (commandline -ct)
        case --os
            domctl init --list 2>/dev/null | sed -n '3,$s/^ \([^ ]*\) .*/\1/p'
        case --like
            domctl list --name --all 2>/dev/null
        case --virt-type
            printf '%s\n' kvm qemu
        case --iso --image --ssh-key --write --sign --verify --for
            __fish_complete_path (commandline -ct)
        case --ci
            printf '%s\n' gitlab github
        case --to
            env LC_ALL=C domctl targets 2>/dev/null | sed -n 's/^ \([^ ]*\) *yes .*/\1/p'
        case --from
            env LC_ALL=C domctl targets 2>/dev/null | sed -n 's/^ \([^ ]*\)  *[a-z][a-z]*  *yes .*/\1/p'
        case --format
            if test (__domctl_command) = export
                printf '%s\n' domaind ova
            else
                printf '%s\n' text json script unit
            end
        case --kind
            printf '%s\n' domain network pool secret filter
        case --mode
            printf '%s\n' acpi agent initctl signal paravirt
        case --event
            domctl event --list 2>/dev/null
    end
end

function __domctl_wants_value
    contains -- (commandline -opc)[-1] --connect -c --capabilities --output --ci --os --like --virt-type --iso --image --ssh-key --write --sign --verify --directory --to --from --for --format --kind --mode --event
end

complete -c domctl -f
complete -c domctl -n __domctl_wants_value -a '(__domctl_values)'
complete -c domctl -n 'not __domctl_wants_value; and test -z (__domctl_command)' -a '(__domctl_commands)'
complete -c domctl -n 'not __domctl_wants_value; and test -n (__domctl_command)' -a '(__domctl_arguments)'
complete -c domctl -n 'not __domctl_wants_value; and string match -q -- "-*" (commandline -ct)' -a '(__domctl_options)'
