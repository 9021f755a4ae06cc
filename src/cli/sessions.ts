/** `trent sessions revoke`, through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { RevokedSessions } from '../operations/trent/revoke-sessions.ts'
import { printed } from './printed.ts'

export async function revokeSessions(
  configFile: string | undefined,
  principalArn: string,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(operatorDirectory, 'RevokeSessions', { principalArn })
    const said = ({ revokedAt }: RevokedSessions): string =>
      `revoked all sessions of ${principalArn} issued until ${revokedAt}\n`
    return [answer as RevokedSessions, said] // the same program answers
  })
}
