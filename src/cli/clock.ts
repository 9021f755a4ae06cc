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
    return [answer as Accepted, said] // the same program answers
  })
}

interface Accepted {
  readonly now: string
  readonly held?: string
}

function said({ now, held }: Accepted): string {
  const still = held === undefined ? '' : `nothing is deleted yet: ${held}\n`
  return `the clock is confirmed: ${now}\n${still}`
}
