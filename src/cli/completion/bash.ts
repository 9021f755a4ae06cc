/** Completion for bash 3.2 and later: one function, without the package bash-completion. @module */
import { quoted, valuesOf, type CompletedCommand, type Value } from './table.ts'

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const values = valuesOf(commands)
  const steps = commands.flatMap(({ path, commands: below }) =>
    below.map(
      ({ name }) => `      ${quoted(`${path}|${name}`)}) at=${quoted(`${path} ${name}`.trim())} ;;`,
    ),
  )
  const skips = values.map(({ path, flag }) => quoted(`${path}|${flag}`)).join('|')
  const ofOptions = values.map(
    ({ path, flag, value }) => `      ${quoted(`${path}|${flag}`)}) ${completing(value)} ;;`,
  )
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
      ${skips}) i=$((i + 1)) ;;
${steps.join('\n')}
    esac
  done
  if ((i > COMP_CWORD)); then
    case "$at|\${COMP_WORDS[COMP_CWORD - 1]}" in
${ofOptions.join('\n')}
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
