/** IAM and STS through the official SDK: clients of root and of users, and what a refusal says. @module */
import assert from 'node:assert/strict'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  type CreateRoleCommandInput,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import type { KMSClient } from '@aws-sdk/client-kms'
import {
  type Credentials as StsCredentials,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { accountId, credentials, startTestServer, type TestServer } from '../harness.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

/** One principal's clients. */
export interface Signed {
  readonly credentials: Credentials
  readonly iam: IAMClient
  readonly kms: KMSClient
  readonly sts: STSClient
  /** Who the server says it is. */
  readonly whoAmI: () => Promise<unknown>
}

export interface MadeUser extends Signed {
  readonly userId: string
  readonly arn: string
}

export interface MadeRole {
  readonly roleId: string
  readonly arn: string
}

export interface Identities {
  readonly server: TestServer
  readonly root: Signed
  readonly as: (given: Credentials) => Signed
  /** A role, trusted as `trust` says, with one inline policy of `statement` where it is given. */
  readonly newRole: (
    name: string,
    trust: object,
    statement?: object,
    more?: Partial<CreateRoleCommandInput>,
  ) => Promise<MadeRole>
  /** A user with an access key and, where `statement` is given, one inline policy of it. */
  readonly newUser: (name: string, statement?: object, path?: string) => Promise<MadeUser>
}

export async function openIdentities(
  t: { after(end: () => Promise<void>): void },
  settings: Parameters<typeof startTestServer>[0] = {},
): Promise<Identities> {
  const server = await startTestServer(settings)
  const opened: { destroy(): void }[] = []
  t.after(async () => {
    for (const client of opened) client.destroy()
    await server.stop()
  })
  const as = (given: Credentials): Signed => {
    const common = { endpoint: server.url, credentials: given, maxAttempts: 1 }
    const iam = new IAMClient({ region: 'us-east-1', ...common })
    const sts = new STSClient({ region: 'us-west-2', ...common })
    opened.push(iam, sts)
    const whoAmI = async (): Promise<unknown> => {
      const { $metadata, ...identity } = await sts.send(new GetCallerIdentityCommand({}))
      assert.equal($metadata.httpStatusCode, 200)
      return identity
    }
    return { credentials: given, iam, sts, kms: server.client({ credentials: given }), whoAmI }
  }
  const root = as(credentials)
  const newUser: Identities['newUser'] = async (UserName, statement, Path) => {
    const { User } = await root.iam.send(new CreateUserCommand({ UserName, Path }))
    if (statement !== undefined) {
      const PolicyDocument = documentOf(statement)
      await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
    }
    assert(User?.UserId && User.Arn)
    return { ...as(await newKey(root, UserName)), userId: User.UserId, arn: User.Arn }
  }
  const newRole: Identities['newRole'] = async (RoleName, trust, statement, more = {}) => {
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust })
    const { Role } = await root.iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, ...more }),
    )
    if (statement !== undefined) {
      const PolicyDocument = documentOf(statement)
      await root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }))
    }
    assert(Role?.RoleId && Role.Arn)
    return { roleId: Role.RoleId, arn: Role.Arn }
  }
  return { server, root, as, newUser, newRole }
}

/** What an answer of STS tells, as a client takes it. */
export function credentialsOf(told: StsCredentials | undefined): Required<Credentials> {
  assert(told?.AccessKeyId && told.SecretAccessKey && told.SessionToken)
  const { AccessKeyId, SecretAccessKey, SessionToken } = told
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  }
}

/** An access key of `UserName`, made by `by`. */
export async function newKey(by: Signed, UserName?: string): Promise<Credentials> {
  const { AccessKey } = await by.iam.send(new CreateAccessKeyCommand({ UserName }))
  assert(AccessKey?.AccessKeyId && AccessKey.SecretAccessKey)
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

/** A policy of one statement that allows, where it does not say otherwise. */
export function documentOf(statement: object): string {
  const Statement = { Effect: 'Allow', Resource: '*', ...statement }
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

export function userArnOf(pathAndName: string): string {
  return `arn:aws:iam::${accountId}:user/${pathAndName}`
}

/** The call must be refused with just this name, status and message. */
export async function denied(
  call: Promise<unknown>,
  name: string,
  status: number,
  message: string | RegExp,
): Promise<void> {
  const error: unknown = await call.then(
    () => assert.fail(`it must be refused with ${name}`),
    (reason: unknown) => reason,
  )
  assert(error instanceof Error)
  const { $metadata } = error as Error & { readonly $metadata?: { httpStatusCode?: number } }
  assert.deepEqual([error.name, $metadata?.httpStatusCode], [name, status], error.message)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
}

/** AWS's sentence for a caller whose own policies do not allow. */
export function notAllowed(arn: string, action: string, resource: string): string {
  return (
    `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ` +
    `because no identity-based policy allows the ${action} action`
  )
}
