/** Grants to users: only the user that existed at their creation can use them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeleteAccessKeyCommand, DeleteUserCommand } from '@aws-sdk/client-iam'
import { CreateGrantCommand, EncryptCommand, ListGrantsCommand } from '@aws-sdk/client-kms'
import {
  denied,
  notAllowed,
  openIdentities,
  userArnOf,
  type Signed,
} from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'

test('a grant to a deleted user shows its unique id, and a namesake cannot use it', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada', undefined, '/ops/')
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const grantTo = (GranteePrincipal: string): Promise<unknown> =>
    root.kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }))
  const encrypt = ({ kms }: Signed): Promise<unknown> =>
    kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const grantee = async (): Promise<unknown> =>
    (await root.kms.send(new ListGrantsCommand({ KeyId }))).Grants?.[0]?.GranteePrincipal
  const refusal = notAllowed(ada.arn, 'kms:Encrypt', arn)
  await denied(encrypt(ada), 'AccessDeniedException', 400, refusal)
  await denied(grantTo(userArnOf('ops/eve')), 'InvalidArnException', 400, /./)
  await grantTo(ada.arn)
  await encrypt(ada)
  assert.equal(await grantee(), ada.arn)
  const { accessKeyId: AccessKeyId } = ada.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  await root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  const namesake = await newUser('ada', undefined, '/ops/')
  await denied(encrypt(namesake), 'AccessDeniedException', 400, refusal)
  assert.equal(await grantee(), ada.userId)
})
