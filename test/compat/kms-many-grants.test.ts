/**
 * A grantee with more grants than are read at once: looked up by call, then from memory. On two workers the
 * calls of both clients come to both.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DescribeKeyCommand,
  EncryptCommand,
  ListGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { startWithTwoAccounts } from './accounts.ts'
import { guestArn, hidden, makeGrant, type MadeGrant } from './grants.ts'
import { makeKey, refused } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const owner = server.client()
const guest = server.otherClient()
const Plaintext = Buffer.from('secret of the owner')
const count = 120
/** More calls than are answered before the grants are read into memory. */
const calls = 80

const tenant = (index: number): Record<string, string> => ({ tenant: `t-${index}` })

function encrypt(
  kms: KMSClient,
  KeyId: string,
  EncryptionContext?: Record<string, string>,
): Promise<unknown> {
  return kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
}

async function makeMany(KeyId: string): Promise<readonly MadeGrant[]> {
  const made: MadeGrant[] = []
  for (let start = 0; start < count; start += 20) {
    made.push(
      ...(await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          makeGrant(owner, {
            KeyId,
            RetiringPrincipal: guestArn,
            Constraints: { EncryptionContextSubset: tenant(start + index) },
          }),
        ),
      )),
    )
  }
  return made
}

test('of many grants each gives its own context, and is gone at once when it is taken away', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const made = await makeMany(KeyId)
  const denied = async (index: number): Promise<void> =>
    refused(encrypt(guest, KeyId, tenant(index)), 'AccessDeniedException', hidden('Encrypt'))
  const revoke = async (index: number): Promise<void> => {
    const { GrantId } = made[index] ?? {}
    await owner.send(new RevokeGrantCommand({ KeyId, GrantId }))
  }
  for (const from of [0, 10]) {
    // First by lookups in the store, then by what the background has read.
    for (let call = 0; call < calls; call += 1) {
      await encrypt(guest, KeyId, { ...tenant((from + 20 + call) % count), more: 'x' })
    }
    await denied(count + 1)
    await refused(encrypt(guest, KeyId), 'AccessDeniedException', hidden('Encrypt'))
    await guest.send(new DescribeKeyCommand({ KeyId }))
    await encrypt(guest, KeyId, tenant(from))
    await revoke(from)
    await denied(from)
    const { GrantToken } = made[from + 1] ?? {}
    await encrypt(guest, KeyId, tenant(from + 1))
    await guest.send(new RetireGrantCommand({ GrantToken }))
    await denied(from + 1)
    const again = await makeGrant(owner, {
      KeyId,
      Constraints: { EncryptionContextEquals: { ...tenant(from), only: 'this' } },
    })
    await encrypt(guest, KeyId, { only: 'this', ...tenant(from) })
    await denied(from)
    await owner.send(new RevokeGrantCommand({ KeyId, GrantId: again.GrantId }))
    await refused(
      encrypt(guest, KeyId, { only: 'this', ...tenant(from) }),
      'AccessDeniedException',
      hidden('Encrypt'),
    )
  }
})

test('the pages of many grants have each once', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const made = await makeMany(KeyId)
  const found: (string | undefined)[] = []
  let Marker: string | undefined
  do {
    const page = await owner.send(new ListGrantsCommand({ KeyId, Limit: 50, Marker }))
    found.push(...(page.Grants ?? []).map(({ GrantId }) => GrantId))
    Marker = page.NextMarker
  } while (Marker !== undefined)
  assert.equal(found.length, count)
  assert.deepEqual(new Set(found), new Set(made.map(({ GrantId }) => GrantId)))
})

test('a key that waits for its deletion is not used by any of many grants', async () => {
  const { arn: KeyId } = await makeKey(owner)
  await makeMany(KeyId)
  await encrypt(guest, KeyId, tenant(3))
  await owner.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  const message = `${KeyId} is pending deletion.`
  await refused(encrypt(guest, KeyId, tenant(3)), 'KMSInvalidStateException', message)
})
