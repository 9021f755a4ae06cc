/** Assumes roles for the console. @module */
import {
  AssumeRoleCommand,
  type AssumeRoleCommandOutput,
  AssumeRoleWithWebIdentityCommand,
  type STSClient,
} from '@aws-sdk/client-sts'
import type { Role, SignedIn } from '../aws/session.ts'
import type { ProvenToken } from './pop-up.ts'

/** @param sts signs with the credentials of `by` */
export async function assumeRole(sts: STSClient, by: SignedIn, role: Role): Promise<SignedIn> {
  const answer = await sts.send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: role.sessionName }),
  )
  return { ...sessionOf(answer, role.arn), assumed: { by, role } }
}

/** @param sts signs nothing: the token says who the caller is */
export async function assumeRoleByToken(
  sts: STSClient,
  { idToken, sessionName }: ProvenToken,
  roleArn: string,
): Promise<SignedIn> {
  const answer = await sts.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: idToken,
    }),
  )
  return sessionOf(answer, roleArn)
}

function sessionOf(
  {
    Credentials,
    AssumedRoleUser,
  }: Pick<AssumeRoleCommandOutput, 'Credentials' | 'AssumedRoleUser'>,
  roleArn: string,
): SignedIn {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken, Expiration } = Credentials ?? {}
  const arn = AssumedRoleUser?.Arn ?? roleArn
  return {
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken !== undefined && { sessionToken: SessionToken }),
      ...(Expiration !== undefined && { expiration: Expiration }),
    },
    identity: { accountId: arn.split(':')[4] ?? '', arn },
  }
}

/** The session that somebody signed in with, before any role. */
export function originOf(signedIn: SignedIn): SignedIn {
  return signedIn.assumed === undefined ? signedIn : originOf(signedIn.assumed.by)
}
