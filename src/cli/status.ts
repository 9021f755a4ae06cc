/** `trent status` — how the running server is, asked through the operator door. @module */
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator, OperatorCallFailed } from '../operator/client.ts'

export async function status(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  try {
    const { dataDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(dataDirectory, 'GetStatus')
    process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : lines(answer))
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof OperatorCallFailed)) throw error
    process.stderr.write(`trent: ${error.message}\n`)
    process.exitCode = 1
  }
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
