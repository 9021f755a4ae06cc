import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  TagResourceCommand,
  paginateListAliases,
  paginateListKeys,
  paginateListResourceTags,
} from '@aws-sdk/client-kms'
import { managedAliases } from '../../src/model/managed-key.ts'
import { startWithTwoAccounts } from './accounts.ts'
import { fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const kms = server.client()
const otherAccount = server.otherClient()
const otherRegion = server.client({ region: 'eu-west-1' })
const keys: MadeKey[] = []
const names = ['alias/a', 'alias/b', 'alias/B', 'alias/b/c', 'alias/d', 'alias/e', 'alias/f']

before(async () => {
  for (let count = 0; count < 5; count += 1) keys.push(await makeKey(kms))
  for (const [index, AliasName] of names.entries()) {
    const TargetKeyId = keys[index % 2]?.keyId
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
  }
  const Tags = names.map((TagKey) => ({ TagKey, TagValue: '' }))
  for (const { keyId: KeyId } of keys) await kms.send(new TagResourceCommand({ KeyId, Tags }))
  for (const client of [otherAccount, otherRegion]) {
    for (let count = 0; count < 3; count += 1) {
      const { keyId } = await makeKey(client)
      const command = new CreateAliasCommand({ AliasName: `alias/${count}`, TargetKeyId: keyId })
      await client.send(command)
      await client.send(new TagResourceCommand({ KeyId: keyId, Tags }))
    }
  }
})

async function allOf<T, R>(
  pages: AsyncIterable<T>,
  rows: (page: T) => R[] | undefined,
): Promise<R[]> {
  const found: R[] = []
  for await (const page of pages) found.push(...(rows(page) ?? []))
  return found
}

test('every page size gives every key once, in one order', async () => {
  const wanted = keys.map(({ keyId }) => keyId).toSorted()
  for (const pageSize of [1, 2, 4, 5, 1000]) {
    const pages = paginateListKeys({ client: kms, pageSize }, {})
    assert.deepEqual(await allOf(pages, (page) => page.Keys?.map(({ KeyId }) => KeyId)), wanted)
  }
})

test('every page size gives every alias once, and those of one key alone', async () => {
  const inByteOrder = names.toSorted()
  // Those that AWS has for every account are among them, and of no key yet.
  const all = [...names, ...managedAliases].toSorted()
  const ofFirst = names.filter((_, index) => index % 2 === 0)
  for (const pageSize of [1, 3, 100]) {
    for (const [KeyId, wanted] of [
      [undefined, all],
      [keys[0]?.keyId, inByteOrder.filter((name) => ofFirst.includes(name))],
      [keys[0]?.arn, inByteOrder.filter((name) => ofFirst.includes(name))],
      [keys[4]?.keyId, []],
    ] as const) {
      const pages = paginateListAliases({ client: kms, pageSize }, { KeyId })
      const found = await allOf(pages, (page) => page.Aliases?.map(({ AliasName }) => AliasName))
      assert.deepEqual(found, wanted)
    }
  }
})

test('every page size gives every tag once, in the order in which they were added', async () => {
  const KeyId = keys[2]?.keyId
  for (const pageSize of [1, 3, 50]) {
    const pages = paginateListResourceTags({ client: kms, pageSize }, { KeyId })
    assert.deepEqual(await allOf(pages, (page) => page.Tags?.map(({ TagKey }) => TagKey)), names)
  }
})

test('a next marker is there when there is a next page, and only then', async () => {
  const two = await kms.send(new ListKeysCommand({ Limit: 2 }))
  assert.deepEqual([two.Keys?.length, two.Truncated], [2, true])
  assert.match(two.NextMarker ?? '', /^[\x20-\x7e]{1,1024}$/)
  const five = await kms.send(new ListKeysCommand({ Limit: 5 }))
  assert.equal(five.Truncated, false)
  assert(!('NextMarker' in five))
})

test('a page goes on behind a row that is gone', async () => {
  const KeyId = keys[0]?.keyId
  const first = await kms.send(new ListAliasesCommand({ KeyId, Limit: 2 }))
  const AliasName = first.Aliases?.at(-1)?.AliasName
  await kms.send(new DeleteAliasCommand({ AliasName }))
  const { NextMarker: Marker } = first
  const next = await kms.send(new ListAliasesCommand({ KeyId, Limit: 1, Marker }))
  const ofKey = names.filter((_, index) => index % 2 === 0).toSorted()
  assert.equal(AliasName, ofKey[1])
  assert.equal(next.Aliases?.[0]?.AliasName, ofKey[2])
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
})

async function markers(client = kms, key: string | undefined = keys[0]?.keyId) {
  const Limit = 1
  const [listKeys, listAliases, aliasesOfKey, listTags] = await Promise.all([
    client.send(new ListKeysCommand({ Limit })),
    client.send(new ListAliasesCommand({ Limit })),
    client.send(new ListAliasesCommand({ Limit, KeyId: key })),
    client.send(new ListResourceTagsCommand({ Limit, KeyId: key })),
  ])
  return {
    keys: listKeys.NextMarker ?? '',
    aliases: listAliases.NextMarker ?? '',
    aliasesOfKey: aliasesOfKey.NextMarker ?? '',
    tags: listTags.NextMarker ?? '',
  }
}

test('a marker is good for the list that it was issued for, and for no other', async () => {
  const mine = await markers()
  const ofAccount = (await otherAccount.send(new ListKeysCommand({}))).Keys?.[0]?.KeyId
  const ofRegion = (await otherRegion.send(new ListKeysCommand({}))).Keys?.[0]?.KeyId
  const foreign = [await markers(otherAccount, ofAccount), await markers(otherRegion, ofRegion)]
  const [first, second] = keys.map(({ keyId }) => keyId)
  const listKeys = (Marker: string) => kms.send(new ListKeysCommand({ Marker }))
  const listAliases = (Marker: string, KeyId?: string) =>
    kms.send(new ListAliasesCommand({ Marker, KeyId }))
  const listTags = (Marker: string, KeyId = first) =>
    kms.send(new ListResourceTagsCommand({ Marker, KeyId }))
  await listKeys(mine.keys)
  await listAliases(mine.aliases)
  await listAliases(mine.aliasesOfKey, first)
  await listTags(mine.tags)
  for (const call of [
    () => listKeys(mine.aliases),
    () => listKeys(mine.tags),
    () => listAliases(mine.keys),
    () => listAliases(mine.aliasesOfKey),
    () => listAliases(mine.aliases, first),
    () => listAliases(mine.aliasesOfKey, second),
    () => listTags(mine.tags, second),
    () => listTags(mine.aliasesOfKey),
    ...foreign.flatMap((theirs) => [
      () => listKeys(theirs.keys),
      () => listAliases(theirs.aliases),
      () => listTags(theirs.tags),
    ]),
  ]) {
    await refused(call(), 'InvalidMarkerException')
  }
})

test('a marker that was changed anywhere, cut or made up is refused', async () => {
  const { keys: marker } = await markers()
  const other = (character: string): string => (character === 'A' ? 'B' : 'A')
  const changed = Array.from(
    marker,
    (character, at) => marker.slice(0, at) + other(character) + marker.slice(at + 1),
  )
  const cut = [1, marker.length >> 1, marker.length - 1].map((end) => marker.slice(0, end))
  const madeUp = ['a', keys[1]?.keyId ?? '', Buffer.from('next').toString('base64'), `${marker}A`]
  await Promise.all(
    [...changed, ...cut, ...madeUp].map((Marker) =>
      refused(kms.send(new ListKeysCommand({ Marker })), 'InvalidMarkerException'),
    ),
  )
  await kms.send(new ListKeysCommand({ Marker: marker }))
})

test('limits and markers out of bounds fail validation', async () => {
  const KeyId = keys[0]?.keyId
  const lists = [
    [1000, (Limit: number) => kms.send(new ListKeysCommand({ Limit }))],
    [100, (Limit: number) => kms.send(new ListAliasesCommand({ Limit }))],
    [50, (Limit: number) => kms.send(new ListResourceTagsCommand({ KeyId, Limit }))],
  ] as const
  for (const [most, list] of lists) {
    await list(most)
    for (const [limit, bound] of [
      [0, 'greater than or equal to 1'],
      [most + 1, `less than or equal to ${most}`],
    ] as const) {
      const message = validationError(fails(`'${limit}'`, 'limit', `have value ${bound}`))
      await refused(list(limit), 'ValidationException', message)
    }
  }
  for (const [marker, constraint] of [
    ['', 'have length greater than or equal to 1'],
    ['m'.repeat(1025), 'have length less than or equal to 1024'],
    ['\t', 'satisfy regular expression pattern: [\\u0020-\\u00FF]*'],
  ] as const) {
    await refused(
      kms.send(new ListKeysCommand({ Marker: marker })),
      'ValidationException',
      validationError(fails(`'${marker}'`, 'marker', constraint)),
    )
  }
})

test('ListKeys gives a hundred keys when no limit is given, ListAliases fifty', async () => {
  const client = server.client({ region: 'ap-east-1' })
  const made = await Promise.all(Array.from({ length: 101 }, () => makeKey(client)))
  await Promise.all(
    made
      .slice(0, 51)
      .map(({ keyId: TargetKeyId }) =>
        client.send(new CreateAliasCommand({ AliasName: `alias/${TargetKeyId}`, TargetKeyId })),
      ),
  )
  const listed = await client.send(new ListKeysCommand({}))
  assert.deepEqual([listed.Keys?.length, listed.Truncated], [100, true])
  const aliases = await client.send(new ListAliasesCommand({}))
  assert.deepEqual([aliases.Aliases?.length, aliases.Truncated], [50, true])
})
