/** Assumes a role for the console. @module */
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import type { Role, SignedIn } from '../aws/session.ts'

/** @param sts signs with the credentials of `by` */
export async function assumeRole(sts: STSClient, by: SignedIn, role: Role): Promise<SignedIn> {
  const { Credentials, AssumedRoleUser } = await sts.send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: role.sessionName }),
  )
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken, Expiration } = Credentials ?? {}
  const arn = AssumedRoleUser?.Arn ?? role.arn
  return {
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken !== undefined && { sessionToken: SessionToken }),
      ...(Expiration !== undefined && { expiration: Expiration }),
    },
    identity: { accountId: arn.split(':')[4] ?? '', arn },
    assumed: { by, role },
  }
}

/** The session that somebody signed in with, before any role. */
export function originOf(signedIn: SignedIn): SignedIn {
  return signedIn.assumed === undefined ? signedIn : originOf(signedIn.assumed.by)
}
