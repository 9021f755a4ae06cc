/** Lists of grants over the wire: whose they are, how they are narrowed, page by page. @module */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  paginateListGrants,
  paginateListRetirableGrants,
  type GrantListEntry,
} from '@aws-sdk/client-kms'
import { region } from '../harness.ts'
import { startWithTwoAccounts } from './accounts.ts'
import { absentKey, guestArn, hidden, makeGrant, ownerArn } from './grants.ts'
import { fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const owner = server.client()
const guest = server.otherClient()
const elsewhere = server.client({ region: 'eu-west-1' })
let keys: MadeKey[] = []
let theirs: MadeKey
/** Ids of the grants on the first key, and of those that the guest may retire anywhere. */
const ofFirst: string[] = []
const ofGuest: string[] = []

before(async () => {
  keys = [await makeKey(owner), await makeKey(owner)]
  theirs = await makeKey(guest)
  for (let count = 0; count < 12; count += 1) {
    const RetiringPrincipal = count % 3 === 0 ? guestArn : ownerArn
    const GranteePrincipal = count % 2 === 0 ? guestArn : ownerArn
    const KeyId = keys[count % 4 === 3 ? 1 : 0]?.keyId
    const { GrantId } = await makeGrant(owner, { KeyId, GranteePrincipal, RetiringPrincipal })
    if (count % 4 !== 3) ofFirst.push(GrantId)
    if (count % 3 === 0) ofGuest.push(GrantId)
  }
  const own = await makeGrant(guest, { KeyId: theirs.keyId, RetiringPrincipal: guestArn })
  ofGuest.push(own.GrantId)
  const other = await makeKey(elsewhere)
  await makeGrant(elsewhere, { KeyId: other.keyId, RetiringPrincipal: guestArn })
})

async function idsOf(
  pages: AsyncIterable<{ Grants?: GrantListEntry[] | undefined }>,
): Promise<string[]> {
  const ids: string[] = []
  for await (const { Grants } of pages) {
    ids.push(...(Grants ?? []).map(({ GrantId }) => GrantId ?? ''))
  }
  return ids
}

test('every page size gives every grant of a key once, in one order', async () => {
  const KeyId = keys[0]?.arn
  for (const pageSize of [1, 2, 4, 9, 100]) {
    const ids = await idsOf(paginateListGrants({ client: owner, pageSize }, { KeyId }))
    assert.deepEqual(ids, ofFirst.toSorted())
  }
  const mine = { KeyId, GranteePrincipal: ownerArn }
  const narrowed = await idsOf(paginateListGrants({ client: owner, pageSize: 2 }, mine))
  assert.deepEqual(narrowed, ofFirst.filter((_, index) => index % 3 === 1).toSorted())
})

test('what a principal may retire is listed on keys of every account of the Region', async () => {
  const given = { RetiringPrincipal: guestArn }
  for (const pageSize of [1, 3, 100]) {
    const ids = await idsOf(paginateListRetirableGrants({ client: guest, pageSize }, { ...given }))
    assert.deepEqual(ids, ofGuest.toSorted())
  }
  const { Grants } = await guest.send(new ListRetirableGrantsCommand(given))
  const foreign = Grants?.find(({ IssuingAccount }) => IssuingAccount === ownerArn)
  assert.match(foreign?.KeyId ?? '', new RegExp(`^arn:aws:kms:${region}:111122223333:key/`))
  // What it was told is enough to retire it.
  const { KeyId, GrantId = '' } = foreign ?? {}
  await guest.send(new RetireGrantCommand({ KeyId, GrantId }))
  ofGuest.splice(ofGuest.indexOf(GrantId), 1)
  if (ofFirst.includes(GrantId)) ofFirst.splice(ofFirst.indexOf(GrantId), 1)
  const left = await idsOf(paginateListRetirableGrants({ client: guest }, { ...given }))
  assert.deepEqual(left, ofGuest.toSorted())
})

test('nobody lists what principals of another account may retire', async () => {
  await refused(
    owner.send(new ListRetirableGrantsCommand({ RetiringPrincipal: guestArn })),
    'NotFoundException',
    `Retiring principal ${guestArn} could not be found`,
  )
})

test('grants of another account are not listed, be the key there or not', async () => {
  for (const KeyId of [keys[0]?.arn, absentKey]) {
    const list = new ListGrantsCommand({ KeyId })
    await refused(guest.send(list), 'AccessDeniedException', hidden('ListGrants'))
  }
  await refused(
    owner.send(new ListGrantsCommand({ KeyId: 'alias/a' })),
    'InvalidArnException',
    'Key Aliases are not supported for this operation.',
  )
})

test('markers are good for their own list, and limits are those of the service', async () => {
  const KeyId = keys[0]?.keyId
  const { NextMarker } = await owner.send(new ListGrantsCommand({ KeyId, Limit: 1 }))
  for (const [client, given] of [
    [owner, { KeyId: keys[1]?.keyId }],
    [owner, { KeyId, GranteePrincipal: guestArn }],
    [guest, { KeyId: theirs.keyId }],
  ] as const) {
    const list = new ListGrantsCommand({ ...given, Marker: NextMarker })
    await refused(client.send(list), 'InvalidMarkerException')
  }
  await refused(
    owner.send(new ListGrantsCommand({ KeyId, Limit: 101 })),
    'ValidationException',
    validationError(fails("'101'", 'limit', 'have value less than or equal to 100')),
  )
})
