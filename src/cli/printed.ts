/** Prints the answer of an operator command, or one line of error. @module */
import { ConfigError } from '../config.ts'
import { OperatorCallFailed } from '../operator/client.ts'
import { inJson, visible, visibleIn } from '../model/visible.ts'

/**
 * @param run returns the answer and its text form. `visible` escapes text that others wrote before
 *   people see it.
 */
export async function printed<A>(
  options: { readonly json?: true },
  run: () => Promise<readonly [answer: A, toText: (shown: A) => string]>,
): Promise<void> {
  try {
    const [answer, toText] = await run()
    process.stdout.write(options.json ? inJson(answer) : toText(visibleIn(answer)))
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof OperatorCallFailed)) throw error
    process.stderr.write(`trent: ${visible(error.message)}\n`)
    process.exitCode = 1
  }
}
