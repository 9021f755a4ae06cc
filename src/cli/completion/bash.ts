/** Completion for bash 3.2 and later: one function, without the package bash-completion. @module */
import { quoted } from '../shell-quoting.ts'
import { casesOf } from './cases.ts'
import type { CompletedCommand, Value } from './table.ts'

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const { valued, steps, values } = casesOf(commands, completing)
  const ofCommands = commands.map(({ path, argument, ...of }) => {
    const words = [...of.commands.map(({ name }) => name), ...of.options.map(({ flag }) => flag)]
    const own = argument === undefined ? ':' : completing(argument)
    return `    ${quoted(path)}) words=${quoted(words.join(' '))}; ${own} ;;`
  })
  return `# Completion of trent for bash. Use it by: eval "$(trent completion bash)"
_trent() {
  local current=\${COMP_WORDS[COMP_CWORD]} at='' words='' files='' i IFS=$'\\n'
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at|\${COMP_WORDS[i]}" in
      (${valued}) i=$((i + 1)) ;;
${steps}
    esac
  done
  if ((i > COMP_CWORD)); then
    case "$at|\${COMP_WORDS[COMP_CWORD - 1]}" in
${values}
    esac
  else
    case "$at" in
${ofCommands.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "\${words// /$IFS}" -- "$current"))
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _trent trent
`
}

function completing(value: Value): string {
  if (value.kind === 'file') return 'files=1'
  return value.kind === 'choice' ? `words="$words "${quoted(value.choices.join(' '))}` : ':'
}
