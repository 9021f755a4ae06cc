/** `trent clock accept`, asked through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import { printed } from './printed.ts'

export async function acceptClock(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { dataDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(dataDirectory, 'AcceptClock')
    const { now } = answer as { readonly now: string } // the server is this program
    return [answer, (): string => `the clock is taken as it is: ${now}\n`]
  })
}
