/** `trent clock accept`, through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import { printed } from './printed.ts'

export async function acceptClock(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(operatorDirectory, 'AcceptClock')
    const said = ({ now }: { readonly now: string }): string => `the clock is confirmed: ${now}\n`
    return [answer as { readonly now: string }, said] // the same program answers
  })
}
