/** A server that takes things away, what is made on it, and how a test looks whether that is gone. @module */
import {
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  type IAMClient,
} from '@aws-sdk/client-iam'
import { failsWith, type Clients, type Credentials } from './lost-server.ts'

export interface World extends Clients {
  /** Calls an operation of the operator's socket. */
  readonly ask: (operation: string, input?: object) => Promise<unknown>
  readonly as: (credentials: Credentials) => Clients
}

export interface Loss {
  readonly take: () => Promise<unknown>
  /** @throws if it is there */
  readonly isGone: (restored: World) => Promise<unknown>
}

export const accountId = '000000000000'
export const region = 'us-west-2'
export const allowed = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
})
export const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'sts:AssumeRole',
    },
  ],
})

export async function userOf({ iam }: Clients, UserName: string): Promise<{ UserName: string }> {
  await iam.send(new CreateUserCommand({ UserName, Path: '/a/' }))
  return { UserName }
}

export async function roleOf({ iam }: Clients, RoleName: string): Promise<{ RoleName: string }> {
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
  return { RoleName }
}

export async function groupOf({ iam }: Clients, GroupName: string): Promise<{ GroupName: string }> {
  await iam.send(new CreateGroupCommand({ GroupName }))
  return { GroupName }
}

export async function policyOf({ iam }: Clients, name: string): Promise<{ PolicyArn: string }> {
  const made = { PolicyName: name, Path: '/p/', PolicyDocument: allowed }
  const { Policy } = await iam.send(new CreatePolicyCommand(made))
  return { PolicyArn: Policy?.Arn ?? '' }
}

export async function providerOf({ iam }: Clients, host: string) {
  const { OpenIDConnectProviderArn } = await iam.send(
    new CreateOpenIDConnectProviderCommand({ Url: `https://${host}`, ClientIDList: ['a', 'b'] }),
  )
  return { OpenIDConnectProviderArn }
}

export async function credentialsOf(world: Clients, UserName: string): Promise<Credentials> {
  const { AccessKey } = await world.iam.send(new CreateAccessKeyCommand({ UserName }))
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
  return { accessKeyId, secretAccessKey }
}

/** Looks for something that IAM must not find. */
export const absent =
  (send: (iam: IAMClient) => Promise<unknown>): Loss['isGone'] =>
  (restored) =>
    failsWith(send(restored.iam), 'NoSuchEntityException')
