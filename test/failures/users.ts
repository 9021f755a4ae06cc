/** The users that callers call as. @module */
import type { Login, Output, Who } from './calls.ts'
import type { Caller } from './caller.ts'

/** @param login takes the credentials of each */
export async function makeUsers(
  caller: Caller,
  login: (who: Who, login: Login) => void,
): Promise<void> {
  const made = async (operation: string, UserName: string): Promise<Output> => {
    const { answer } = await caller.call(operation, { UserName }, { node: 0 })
    if (answer.kind !== 'ok') throw new Error(`${operation}: ${answer.error}`)
    return answer.output
  }
  for (const who of ['user', 'grantee'] as const) {
    await made('iam:CreateUser', who)
    const { AccessKey } = await made('iam:CreateAccessKey', who)
    const { AccessKeyId, SecretAccessKey } = AccessKey as Record<string, string>
    login(who, { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' })
  }
}
