/** Completion for fish. @module */
import { quoted } from '../shell-quoting.ts'
import { valuesOf, type CompletedCommand, type Value } from './table.ts'

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const steps = commands.flatMap(({ path, commands: below }) =>
    below.flatMap(({ name }) => [
      `            case ${quoted(`${path}|${name}`)}`,
      `                set at ${quoted(`${path} ${name}`.trim())}`,
    ]),
  )
  const skips = valuesOf(commands).map(({ path, flag }) => quoted(`${path}|${flag}`))
  const lines = commands.flatMap(({ path, argument, ...of }) => {
    const here = `complete -c trent -n ${quoted(`__trent_at ${quoted(path)}`)}`
    return [
      ...of.commands.map(({ name, description }) => `${here} -a ${name} -d ${quoted(description)}`),
      ...of.options.map(
        ({ flag, description, value }) =>
          `${here} -l ${flag.slice('--'.length)}${valueFlags(value)} -d ${quoted(description)}`,
      ),
      ...(argument?.kind === 'file' ? [`${here} -F`] : []),
      ...(argument?.kind === 'choice' ? [`${here} -a ${quoted(argument.choices.join(' '))}`] : []),
    ]
  })
  return `# Completion of trent for fish. Use it by: trent completion fish | source
function __trent_at
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at|$word"
            case ${skips.join(' ')}
                set skip 1
${steps.join('\n')}
        end
    end
    test "$at" = "$argv[1]"
end
complete -c trent -f
${lines.join('\n')}
`
}

function valueFlags(value: Value | undefined): string {
  if (value === undefined) return ''
  if (value.kind === 'file') return ' -r -F'
  return value.kind === 'choice' ? ` -x -a ${quoted(value.choices.join(' '))}` : ' -x'
}
