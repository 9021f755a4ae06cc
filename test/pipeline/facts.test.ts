import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../src/model/caller.ts'
import type { GrantRecord } from '../../src/model/grant.ts'
import { openFacts, type Facts, type FactSources } from '../../src/pipeline/facts.ts'
import type { Change } from '../../src/store/change.ts'
import type { Lookup } from '../../src/cache/cached-records.ts'

const accountId = '111122223333'
const region = 'us-west-2'
const key = { accountId, region, keyId: 'k' }
const grant = { ...key, grantId: 'g', granteePrincipal: 'arn:g' } as GrantRecord // as far as it is read

/** Sources where only what is called `known` is there. */
const sources = {
  lookup: {
    key: () => undefined,
    alias: () => undefined,
    aliasNames: () => [],
    material: () => undefined,
    account: () => undefined,
    user: () => undefined,
    role: () => undefined,
    group: () => undefined,
    managedPolicy: () => undefined,
    grant: () => undefined,
    grantsGiving: (_: unknown, { grantee }: { readonly grantee: string }) =>
      grantee === 'arn:g' ? [grant] : Promise.resolve([]),
  } as unknown as Lookup, // nothing else of it is asked
  store: {
    findUser: async () => undefined,
    findUserByName: async (_: string, name: string) =>
      name === 'known' ? { userId: 'AIDA' } : undefined,
    findRoleByName: async (_: string, name: string) =>
      name === 'known' ? { roleId: 'AROA' } : undefined,
    findGroupByName: async (_: string, name: string) =>
      name === 'known' ? { groupId: 'AGPA' } : undefined,
    findManagedPolicy: async () => undefined,
  },
  findGrant: async ({ grantId }: { readonly grantId: string }) =>
    grantId === 'g' ? grant : undefined,
  grantTokens: { find: async () => grant },
} as unknown as FactSources // records as far as they are read

type Touched = Omit<Change, 'seq'>

function of(kind: Change['kind'], id: string, more: Partial<Touched> = {}): Touched {
  return { kind, accountId, region: '', id, ...more }
}

/** Whether what `read` has read still holds after `change`. */
async function holdsAfter(
  read: (facts: Facts) => unknown,
  change: Touched | undefined,
  decision: 'allowed' | 'refused' = 'refused',
): Promise<boolean> {
  const facts = openFacts(sources, 7)
  await read(facts)
  const changes = change === undefined ? [] : [{ seq: 8, ...change }]
  const log = { epoch: () => 8, changesSince: async (seq: number) => (seq < 8 ? changes : []) }
  return facts.hold(log, decision)
}

const user = { kind: 'user', accountId, arn: '', uniqueId: 'AIDA', accessKeyId: 'AKIA' } as const
const session: Caller = {
  ...user,
  kind: 'assumed-role',
  uniqueId: 'AROA:name',
  accessKeyId: 'ASIA',
  session: { sourceAccessKeyId: 'AKIA' } as NonNullable<Caller['session']>, // as far as it is read
  issuer: { type: 'Role', principalId: 'AROA', arn: '', accountId },
}
const forwarded: Caller = {
  ...user,
  forwarded: { via: [], service: { name: 's3', regionalName: 's3' }, issuedAt: 0 },
}
const webIdentity: Caller = {
  ...user,
  kind: 'web-identity',
  webIdentity: {
    provider: 'p',
    audience: '',
    subject: '',
    claims: {},
    tags: [],
    transitiveTagKeys: [],
  },
}
const inPlace = { region }
const encrypt = { operation: 'Encrypt' } as const

for (const [what, read, change, other] of [
  ['a key', (f) => f.lookup.key(key), of('key', 'k', inPlace), of('key', 'l', inPlace)],
  ['the Region of a key', (f) => f.lookup.key(key), of('key', 'k', inPlace), of('key', 'k')],
  [
    'an alias',
    (f) => f.lookup.alias({ accountId, region, name: 'alias/a' }),
    of('alias', 'alias/a', inPlace),
    of('alias', 'alias/b', inPlace),
  ],
  [
    'the aliases of a key',
    (f) => f.lookup.aliasNames(key),
    of('alias', 'alias/new', inPlace),
    of('alias', 'alias/new', { accountId: '222222222222', region }),
  ],
  ['a material', (f) => f.lookup.material('m'), of('material', 'm'), of('material', 'n')],
  ['an account', (f) => f.lookup.account(accountId), of('account', accountId), of('account', '2')],
  ['a user', (f) => f.lookup.user('AIDA'), of('user', 'AIDA'), of('user', 'AIDB')],
  ['a role', (f) => f.lookup.role('AROA'), of('role', 'AROA'), of('role', 'AROB')],
  ['a group', (f) => f.lookup.group('AGPA'), of('group', 'AGPA'), of('group', 'AGPB')],
  [
    'a managed policy',
    (f) => f.lookup.managedPolicy('ANPA'),
    of('managed-policy', 'ANPA'),
    of('managed-policy', 'ANPB'),
  ],
  [
    'a grant that gives it',
    (f) => f.lookup.grantsGiving(key, { grantee: 'arn:g', granteeId: '' }, encrypt, 1),
    of('grant', 'k/g/arn:g', inPlace),
    of('grant', 'k/other/arn:g', inPlace),
  ],
  [
    'that no grant of a grantee gives it',
    (f) => f.lookup.grantsGiving(key, { grantee: 'arn:h', granteeId: '' }, encrypt, 1),
    of('grant', 'k/new/arn:h', inPlace),
    of('grant', 'k/new/arn:g', inPlace),
  ],
  [
    'a grant in memory',
    (f) => f.lookup.grant({ ...key, grantId: 'g' }),
    of('grant', 'k/g/arn:g', inPlace),
    of('grant', 'k/h/arn:g', inPlace),
  ],
  [
    'a grant by its token',
    (f) => f.grantTokens.find('token', region),
    of('grant', 'k/g/arn:g', inPlace),
    of('grant', 'k/h/arn:g', inPlace),
  ],
  [
    'a grant by its id',
    (f) => f.findGrant({ ...key, grantId: 'g' }),
    of('grant', 'k/g/arn:g', inPlace),
    of('grant', 'k/h/arn:g', inPlace),
  ],
  [
    'a grant that is missing',
    (f) => f.findGrant({ ...key, grantId: 'h' }),
    of('grant', 'k/h/arn:g', inPlace),
    of('key', 'k', inPlace),
  ],
  [
    'a user by name',
    (f) => f.store.findUserByName(accountId, 'known'),
    of('user', 'AIDA'),
    of('user', 'AIDB'),
  ],
  [
    'a user by a name that nobody has',
    (f) => f.store.findUserByName(accountId, 'unknown'),
    of('user', 'AIDB'),
    of('role', 'AROB'),
  ],
  [
    'a role by name',
    (f) => f.store.findRoleByName(accountId, 'known'),
    of('role', 'AROA'),
    of('role', 'AROB'),
  ],
  [
    'a group by name',
    (f) => f.store.findGroupByName(accountId, 'known'),
    of('group', 'AGPA'),
    of('group', 'AGPB'),
  ],
  ['an access key', (f) => f.noteCaller(user), of('access-key', 'AKIA'), of('access-key', 'AKIB')],
  ['the user behind it', (f) => f.noteCaller(user), of('user', 'AIDA'), of('user', 'AIDB')],
  ['the role of a session', (f) => f.noteCaller(session), of('role', 'AROA'), of('role', 'AROB')],
  [
    'the access key behind a session',
    (f) => f.noteCaller(session),
    of('access-key', 'AKIA'),
    of('access-key', 'AKIB'),
  ],
  [
    'the service that calls for a user',
    (f) => f.noteCaller(forwarded),
    of('service', 'TSVC', { accountId: '' }),
    of('user', 'AIDB'),
  ],
  [
    'the provider of a token',
    (f) => f.noteCaller(webIdentity),
    of('oidc-provider', 'p'),
    of('user', 'AIDB'),
  ],
] as const satisfies readonly (readonly [string, (facts: Facts) => unknown, Touched, Touched])[]) {
  test(`a change of ${what} undoes a decision, one of anything else does not`, async () => {
    assert.equal(await holdsAfter(read, change), false)
    assert.equal(await holdsAfter(read, other), true)
    assert.equal(await holdsAfter(read, of('everything', '', { accountId: '' })), false)
  })
}

test('a log that does not reach back to the first fact undoes a decision', async () => {
  const facts = openFacts(sources, 7)
  assert.equal(
    await facts.hold({ epoch: () => 8, changesSince: async () => undefined }, 'allowed'),
    false,
  )
})

test('without any change nothing is read', async () => {
  const facts = openFacts(sources, 7)
  const changesSince = (): Promise<never> => Promise.reject(new Error('read'))
  assert.equal(await facts.hold({ epoch: () => 7, changesSince }, 'allowed'), true)
})

test('a change that was matched once is not read again', async () => {
  const facts = openFacts(sources, 7)
  const asked: number[] = []
  const changesSince = async (seq: number): Promise<readonly Change[]> => {
    asked.push(seq)
    return [{ seq: 9, ...of('user', 'AIDB') }]
  }
  assert.equal(await facts.hold({ epoch: () => 9, changesSince }, 'allowed'), true)
  assert.equal(await facts.hold({ epoch: () => 9, changesSince }, 'allowed'), true)
  assert.deepEqual(asked, [7])
})

test('a new grant to the caller matters only to a decision that refuses', async () => {
  const read = ({ lookup }: Facts): unknown =>
    lookup.grantsGiving(key, { grantee: 'arn:h', granteeId: '' }, encrypt, 1)
  const granted = of('grant', 'k/g2/arn:h', inPlace)
  assert.equal(await holdsAfter(read, granted, 'refused'), false)
  assert.equal(await holdsAfter(read, granted, 'allowed'), true)
  // The grant that allows the call is another matter.
  const readGiven = ({ lookup }: Facts): unknown =>
    lookup.grantsGiving(key, { grantee: 'arn:g', granteeId: '' }, encrypt, 1)
  assert.equal(await holdsAfter(readGiven, of('grant', 'k/g/arn:g', inPlace), 'allowed'), false)
})
