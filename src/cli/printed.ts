/** How a command of operators prints its answer, or one line of why there is none. @module */
import { ConfigError } from '../config.ts'
import { OperatorCallFailed } from '../operator/client.ts'

/** @param run the answer, and how it reads to a person */
export async function printed(
  options: { readonly json?: true },
  run: () => Promise<readonly [unknown, () => string]>,
): Promise<void> {
  try {
    const [answer, toText] = await run()
    process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : toText())
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof OperatorCallFailed)) throw error
    process.stderr.write(`trent: ${error.message}\n`)
    process.exitCode = 1
  }
}
