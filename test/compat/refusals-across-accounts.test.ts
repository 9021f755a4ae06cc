/**
 * Why a session of another account is refused on a key that a grant or a key policy gives it. Source:
 * recordings of AWS for grants.
 */
import { after, test } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  DeleteRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  type CreateGrantCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { delegating, Plaintext, policy } from './guides.ts'
import { credentialsOf, denied, documentOf, openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'

const identities = await openIdentities({ after })
const { as, root, server } = identities
const { arn: KeyId } = await makeKey(root.kms)

// The other account, with a role and a user that assumes it.
const beta = (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
const { iam } = as(beta)
const iamArn = `arn:aws:iam::${beta.accountId}`
const trust = {
  Effect: 'Allow',
  Principal: { AWS: `${iamArn}:root` },
  Action: 'sts:AssumeRole',
}
const RoleArn = `${iamArn}:role/worker`
const sessionArn = `arn:aws:sts::${beta.accountId}:assumed-role/worker/s1`
await iam.send(
  new CreateRoleCommand({
    RoleName: 'worker',
    AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
  }),
)
await iam.send(new CreateUserCommand({ UserName: 'ada' }))
const own = { PolicyName: 'own', PolicyDocument: documentOf({ Action: 'sts:*' }) }
await iam.send(new PutUserPolicyCommand({ UserName: 'ada', ...own }))
const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ada' }))
const ada = as({
  accessKeyId: AccessKey?.AccessKeyId ?? '',
  secretAccessKey: AccessKey?.SecretAccessKey ?? '',
})

async function assume(Policy?: string): Promise<KMSClient> {
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1', Policy })
  return as(credentialsOf((await ada.sts.send(command)).Credentials)).kms
}
async function grant(input: Partial<CreateGrantCommandInput>): Promise<string> {
  const command = new CreateGrantCommand({
    KeyId,
    GranteePrincipal: RoleArn,
    Operations: ['Encrypt'],
    ...input,
  })
  return (await root.kms.send(command)).GrantId ?? ''
}
const revoke = (GrantId: string): Promise<unknown> =>
  root.kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
const says = (action: string, policyKind: string): string =>
  `User: ${sessionArn} is not authorized to perform: kms:${action} on this resource because no ` +
  `${policyKind} allows the kms:${action} action`
const refused = (call: Promise<unknown>, message: string): Promise<void> =>
  denied(call, 'AccessDeniedException', 400, message)

const limited = await assume(documentOf({ Action: 's3:*' }))
const free = await assume()
const encrypt = (kms: KMSClient): Promise<unknown> =>
  kms.send(new EncryptCommand({ KeyId, Plaintext }))

test('a grant to the role: the session policy is named first', async () => {
  const GrantId = await grant({ RetiringPrincipal: RoleArn, Operations: ['Encrypt'] })
  const retire = (kms: KMSClient): Promise<unknown> =>
    kms.send(new RetireGrantCommand({ KeyId, GrantId }))
  await refused(encrypt(limited), says('Encrypt', 'session policy'))
  await refused(retire(limited), says('RetireGrant', 'session policy'))
  // Without a session policy the role's own policies are what is missing.
  await refused(encrypt(free), says('Encrypt', 'identity-based policy'))
  await refused(retire(free), says('RetireGrant', 'identity-based policy'))
  await revoke(GrantId)
})

test('a grant to the session itself: the identity-based policy is named first', async () => {
  const GrantId = await grant({ GranteePrincipal: sessionArn, RetiringPrincipal: sessionArn })
  await refused(encrypt(limited), says('Encrypt', 'identity-based policy'))
  const retire = limited.send(new RetireGrantCommand({ KeyId, GrantId }))
  await refused(retire, says('RetireGrant', 'identity-based policy'))
  await revoke(GrantId)
})

test('a key policy that names the role, or the session, is refused in the same words', async () => {
  const put = (AWS: string): Promise<unknown> => {
    const Policy = policy(delegating, { Principal: { AWS }, Action: 'kms:Encrypt' })
    return root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  }
  await put(RoleArn)
  await refused(encrypt(limited), says('Encrypt', 'session policy'))
  await refused(encrypt(free), says('Encrypt', 'identity-based policy'))
  await put(sessionArn)
  await refused(encrypt(limited), says('Encrypt', 'identity-based policy'))
  await put(`${iamArn}:root`)
  await refused(encrypt(limited), says('Encrypt', 'identity-based policy'))
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy(delegating) }))
})

test('where the role’s policies allow, only the session policy is missing', async () => {
  const inline = { RoleName: 'worker', PolicyName: 'own' }
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  await iam.send(new PutRolePolicyCommand({ ...inline, PolicyDocument }))
  const GrantId = await grant({})
  await encrypt(free)
  await refused(encrypt(limited), says('Encrypt', 'session policy'))
  await revoke(GrantId)
  await iam.send(new DeleteRolePolicyCommand(inline))
})
