/** Completion for zsh: a file for `fpath`, which can also be sourced. @module */
import { quoted } from '../shell-quoting.ts'
import { casesOf } from './cases.ts'
import type { CompletedCommand, Value } from './table.ts'

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const { valued, steps, values } = casesOf(commands, completing)
  const ofCommands = commands.map(({ path, argument, ...of }) => {
    const below = of.commands.map(({ name, description }) => described(name, description))
    const options = of.options.map(({ flag, description }) => described(flag, description))
    return `    (${quoted(path)})
      commands=(${below.join(' ')})
      options=(${options.join(' ')})
      ${argument === undefined ? ':' : completing(argument)} ;;`
  })
  return `#compdef trent
# Completion of trent for zsh. Use it by: source <(trent completion zsh)
_trent() {
  local at='' i
  local -a commands options choices
  local files=''
  for ((i = 2; i < CURRENT; i++)); do
    case "$at|$words[i]" in
      (${valued}) i=$((i + 1)) ;;
${steps}
    esac
  done
  if ((i > CURRENT)); then
    case "$at|$words[CURRENT-1]" in
${values}
    esac
  else
    case "$at" in
${ofCommands.join('\n')}
    esac
  fi
  (($#commands)) && _describe -t commands command commands
  (($#choices)) && _describe -t values value choices
  (($#options)) && [[ $words[CURRENT] == -* ]] && _describe -o -t options option options
  [[ -n $files ]] && _files
  return 0
}
if [[ $funcstack[1] == _trent ]]; then _trent "$@"; else compdef _trent trent; fi
`
}

/** A colon ends the name in the form of `_describe`. */
function described(name: string, description: string): string {
  return quoted(`${name}:${description.replaceAll(':', String.raw`\:`)}`)
}

function completing(value: Value): string {
  if (value.kind === 'file') return 'files=1'
  return value.kind === 'choice' ? `choices=(${value.choices.map(quoted).join(' ')})` : ':'
}
