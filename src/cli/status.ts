/** `trent status`: the state of the running server, through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import { printed } from './printed.ts'

export async function status(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(operatorDirectory, 'GetStatus')
    return [answer, (shown) => lines(shown)]
  })
}

function lines(answer: unknown, indent = ''): string {
  return Object.entries(Object(answer))
    .map(([name, value]) =>
      typeof value === 'object' && value !== null
        ? `${indent}${name}:\n${lines(value, `${indent}  `)}`
        : `${indent}${name}: ${String(value)}\n`,
    )
    .join('')
}
