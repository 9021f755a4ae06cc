import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import type { KeyRecord } from '../../src/model/key.ts'
import { organizationPolicyCharactersMax } from '../../src/policy/organization-form.ts'
import { levelsMax, policiesOfLevelMax, type Organization } from '../../src/model/organization.ts'
import { loadAccount } from '../../src/cache/cached-accounts.ts'
import { createLookup } from '../../src/cache/lookup.ts'
import type { GrantRecord } from '../../src/model/grant.ts'
import type { Change } from '../../src/store/change.ts'
import type { Store } from '../../src/store/store.ts'

const key: KeyRecord = {
  accountId: '111122223333',
  region: 'us-west-2',
  keyId: '',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  manager: 'CUSTOMER',
  state: 'Enabled',
  description: '',
  createdAt: 0,
  policy: '',
  policyPrincipals: {},
  tags: [],
  rowVersion: 1,
}

/** A lookup over keys; `policyOf` returns the policy of a key id. */
function over(
  policyOf: (keyId: string) => string,
  cachedKeys = 32_000,
): {
  readonly find: (keyId: string) => Promise<string | undefined>
  readonly compiled: string[]
  readonly read: string[]
} {
  const compiled: string[] = []
  const read: string[] = []
  const store: Pick<Store, 'epoch' | 'findKey'> = {
    epoch: () => 0,
    findKey: async ({ keyId }) => {
      read.push(keyId)
      return keyId === 'gone' ? undefined : { ...key, keyId, policy: policyOf(keyId) }
    },
  }
  const lookup = createLookup({
    store: store as Store, // nothing else of it is asked
    cachedKeys,
    openSecret: () => createSecretKey(Buffer.alloc(32)),
    openServiceSecret: () => createSecretKey(Buffer.alloc(32)),
    openProxySecret: () => createSecretKey(Buffer.alloc(32)),
    openProxyCredential: () => createSecretKey(Buffer.alloc(32)),
    compile: (policy) => {
      compiled.push(policy)
      return { statements: [], broken: policy }
    },
    findAccount: () => Promise.resolve(undefined),
    findUser: () => Promise.resolve(undefined),
    findRole: () => Promise.resolve(undefined),
    findGroup: () => Promise.resolve(undefined),
    findManagedPolicy: () => Promise.resolve(undefined),
    readGrants: () => Promise.resolve(),
    onGrantsFailed: () => undefined,
    onForgottenMaterial: () => undefined,
  })
  const find = async (keyId: string): Promise<string | undefined> =>
    (await lookup.key({ ...key, keyId }))?.policy.broken
  return { find, compiled, read }
}

test('keys of one policy share it compiled, and a missing key has none', async () => {
  const { find, compiled, read } = over(() => 'the same')
  for (const keyId of ['a', 'b', 'a', 'gone', 'gone']) {
    assert.equal(await find(keyId), keyId === 'gone' ? undefined : 'the same')
  }
  assert.deepEqual(compiled, ['the same'])
  assert.deepEqual(read, ['a', 'b', 'gone'])
})

test('the caches have room for as many keys as they are told, and not for many more', async () => {
  const policy = 'x'.repeat(300)
  const { find, read } = over(() => policy, 1000)
  const keyIds = Array.from({ length: 1000 }, (_, index) => `${index}`.padStart(36, '0'))
  for (const keyId of [...keyIds, ...keyIds]) await find(keyId)
  assert.equal(read.length, 1000)
  for (let index = 0; index < 4000; index += 1) await find(`other ${index}`)
  await find(keyIds[0] ?? '')
  assert.equal(read.length, 5001, 'the first was dropped')
})

test('compiled policies are counted by their text: cached keys do not keep them in memory', async () => {
  const { find, compiled, read } = over((keyId) => keyId.padEnd(32_768))
  const keyIds = Array.from({ length: 60 }, (_, index) => `key-${index}`)
  for (const keyId of keyIds) assert.equal((await find(keyId))?.trimEnd(), keyId)
  assert.equal(compiled.length, 60)
  assert.equal((await find('key-0'))?.trimEnd(), 'key-0')
  assert.equal(compiled.length, 61, 'the first was dropped, and is compiled again')
  assert.equal((await find('key-59'))?.trimEnd(), 'key-59')
  assert.equal(compiled.length, 61, 'the last is still there')
  assert.equal(read.length, 60, 'each key is still known')
})

test('accounts with the most organization policies possible are compiled once', async () => {
  const document = '{"Version":"2012-10-17","Statement":[]}'.padEnd(organizationPolicyCharactersMax)
  const level = Array.from({ length: policiesOfLevelMax }, () => document)
  const organization = {
    organizationId: 'o-exampleorg',
    path: [],
    serviceControlPolicies: Array.from({ length: levelsMax }, () => level),
    resourceControlPolicies: Array.from({ length: levelsMax }, () => level).flat(),
  } as unknown as Organization // as far as it is read
  const loads: string[] = []
  const lookup = createLookup({
    store: { epoch: () => 0 } as Store, // nothing else of it is asked
    cachedKeys: 32_000,
    openSecret: () => createSecretKey(Buffer.alloc(32)),
    openServiceSecret: () => createSecretKey(Buffer.alloc(32)),
    openProxySecret: () => createSecretKey(Buffer.alloc(32)),
    openProxyCredential: () => createSecretKey(Buffer.alloc(32)),
    compile: () => ({ statements: [] }),
    findAccount: (accountId) => {
      loads.push(accountId)
      const record = { accountId, createdAt: 0, rowVersion: 1, organization }
      return loadAccount(accountId, { findAccount: () => Promise.resolve(record) })
    },
    findUser: () => Promise.resolve(undefined),
    findRole: () => Promise.resolve(undefined),
    findGroup: () => Promise.resolve(undefined),
    findManagedPolicy: () => Promise.resolve(undefined),
    readGrants: () => Promise.resolve(),
    onGrantsFailed: () => undefined,
    onForgottenMaterial: () => undefined,
  })
  for (const accountId of ['1', '2', '1', '2']) assert.ok(await lookup.account(accountId))
  assert.deepEqual(loads, ['1', '2'])
})

test('a grant that a call names is read once, and again after it changes or its key is deleted', async () => {
  const { accountId, region } = key
  const stored = new Map<string, GrantRecord>()
  const read: string[] = []
  const changes: Change[] = []
  const store: Pick<Store, 'epoch' | 'changesSince' | 'findGrant'> = {
    epoch: () => changes.length,
    changesSince: async (seq) => changes.slice(seq),
    findGrant: async ({ keyId, grantId }) => {
      read.push(`${keyId} ${grantId}`)
      return stored.get(`${keyId}/${grantId}`)
    },
  }
  const lookup = createLookup({
    store: store as Store, // nothing else of it is asked
    cachedKeys: 32_000,
    openSecret: () => createSecretKey(Buffer.alloc(32)),
    openServiceSecret: () => createSecretKey(Buffer.alloc(32)),
    openProxySecret: () => createSecretKey(Buffer.alloc(32)),
    openProxyCredential: () => createSecretKey(Buffer.alloc(32)),
    compile: () => ({ statements: [] }),
    findAccount: () => Promise.resolve(undefined),
    findUser: () => Promise.resolve(undefined),
    findRole: () => Promise.resolve(undefined),
    findGroup: () => Promise.resolve(undefined),
    findManagedPolicy: () => Promise.resolve(undefined),
    readGrants: () => Promise.resolve(),
    onGrantsFailed: () => undefined,
    onForgottenMaterial: () => undefined,
  })
  const change = (kind: Change['kind'], id: string): void =>
    void changes.push({ seq: changes.length + 1, kind, accountId, region, id })
  const isThere = async (keyId: string, grantId: string): Promise<boolean> => {
    await lookup.refresh()
    return (await lookup.grant({ accountId, region, keyId, grantId })) !== undefined
  }
  for (const id of ['g', 'h', 'g', 'h']) assert.equal(await isThere('k', id), false)
  assert.deepEqual(read.splice(0), ['k g', 'k h'])
  stored.set('k/g', { grantId: 'g', constraints: {} } as GrantRecord) // nothing else of it is read
  change('grant', 'k/g/arn:aws:iam::111122223333:role/a/b')
  assert.equal(await isThere('k', 'g'), true)
  assert.equal(await isThere('k', 'h'), false)
  assert.deepEqual(read.splice(0), ['k g'])
  stored.clear()
  change('grant', 'k')
  assert.equal(await isThere('k', 'g'), false)
  stored.set('k/g', { grantId: 'g' } as GrantRecord)
  change('everything', '')
  assert.equal(await isThere('k', 'g'), true)
})
