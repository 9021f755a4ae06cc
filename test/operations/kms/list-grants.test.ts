import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, call, createWorld, makeKey, region, start } from './memory-dependencies.ts'
import type { World } from './memory-dependencies.ts'

const root = `arn:aws:iam::${accountId}:root`
const user = `arn:aws:iam::${accountId}:user/u`
const service = 's3.amazonaws.com'

async function worldWithGrants(): Promise<{ world: World; KeyId: string; ids: string[] }> {
  const world = createWorld()
  world.principals.set(user, 'AIDAU')
  const { keyId: KeyId } = await makeKey(world)
  const ids: string[] = []
  const Constraints = { SourceArn: 'arn:aws:s3:us-west-2:111122223333:bucket' }
  for (const input of [
    { GranteePrincipal: root, Name: 'n' },
    { GranteePrincipal: user, RetiringPrincipal: user },
    { GranteeServicePrincipal: service, RetiringPrincipal: root, Constraints },
  ]) {
    const Operations = ['Encrypt', 'DescribeKey']
    ids.push(String((await call(world, 'CreateGrant', { KeyId, Operations, ...input }))['GrantId']))
  }
  return { world, KeyId, ids }
}

async function listed(world: World, given: Readonly<Record<string, unknown>>): Promise<string[]> {
  const { Grants } = await call(world, 'ListGrants', given)
  return (Grants as { GrantId: string }[]).map(({ GrantId }) => GrantId)
}

test('ListGrants answers each grant with all that it was made of but its token', async () => {
  const { world, KeyId, ids } = await worldWithGrants()
  const Operations = ['Encrypt', 'DescribeKey']
  const common = {
    KeyId: `arn:aws:kms:${region}:${accountId}:key/${KeyId}`,
    CreationDate: new Date(start),
    IssuingAccount: root,
    Operations,
  }
  const answer = await call(world, 'ListGrants', { KeyId })
  assert.deepEqual(answer, {
    Grants: [
      { ...common, GrantId: ids[0], Name: 'n', GranteePrincipal: root },
      { ...common, GrantId: ids[1], Name: '', GranteePrincipal: user, RetiringPrincipal: user },
      {
        ...common,
        GrantId: ids[2],
        Name: '',
        GranteeServicePrincipal: service,
        RetiringPrincipal: root,
        Constraints: { SourceArn: 'arn:aws:s3:us-west-2:111122223333:bucket' },
      },
    ],
    Truncated: false,
  })
})

test('ListGrants shows a principal that is gone, or has a namesake, as its unique id', async () => {
  const { world, KeyId, ids } = await worldWithGrants()
  for (const after of [undefined, 'AIDANEW']) {
    if (after === undefined) world.principals.delete(user)
    else world.principals.set(user, after)
    const { Grants } = await call(world, 'ListGrants', { KeyId, GrantId: ids[1] })
    const [grant] = Grants as Record<string, unknown>[]
    assert.deepEqual(
      [grant?.['GranteePrincipal'], grant?.['RetiringPrincipal']],
      ['AIDAU', 'AIDAU'],
    )
  }
  // A new principal with the same name does not get the grants of the deleted one.
  assert.deepEqual(await listed(world, { KeyId, GranteePrincipal: user }), [])
})

test('ListGrants answers those of one id or one grantee', async () => {
  const { world, KeyId, ids } = await worldWithGrants()
  assert.deepEqual(await listed(world, { KeyId, GrantId: ids[1] }), [ids[1]])
  assert.deepEqual(await listed(world, { KeyId, GranteePrincipal: root }), [ids[0]])
  assert.deepEqual(await listed(world, { KeyId, GranteeServicePrincipal: service }), [ids[2]])
  const both = { KeyId, GrantId: ids[1], GranteePrincipal: user }
  assert.deepEqual(await listed(world, both), [ids[1]])
  assert.deepEqual(await listed(world, { ...both, GranteePrincipal: root }), [])
  assert.deepEqual(await listed(world, { KeyId, GrantId: 'f'.repeat(64) }), [])
  const { keyId } = await makeKey(world)
  assert.deepEqual(await listed(world, { KeyId: keyId, GrantId: ids[1] }), [])
})

test('ListGrants gives pages of a list, whose markers are good for that list alone', async () => {
  const { world, KeyId, ids } = await worldWithGrants()
  const seen: string[] = []
  let Marker: unknown
  do {
    const page = await call(world, 'ListGrants', { KeyId, Limit: 1, ...(Marker ? { Marker } : {}) })
    const [grant, ...more] = page['Grants'] as { GrantId: string }[]
    assert(grant && more.length === 0)
    seen.push(grant.GrantId)
    Marker = page['NextMarker']
    assert.equal(page['Truncated'], Marker !== undefined)
  } while (Marker !== undefined)
  assert.deepEqual(seen, ids.toSorted())
  const first = await call(world, 'ListGrants', { KeyId, Limit: 1 })
  const { keyId } = await makeKey(world)
  for (const given of [{ KeyId: keyId }, { KeyId, GranteePrincipal: root }]) {
    const outcome = call(world, 'ListGrants', { ...given, Marker: first['NextMarker'] })
    await assert.rejects(outcome, { code: 'InvalidMarkerException' })
  }
})

test('ListGrants gives fifty when no limit is given, and at most a hundred', async () => {
  const { world, KeyId } = await worldWithGrants()
  for (let count = 3; count < 101; count += 1) {
    await call(world, 'CreateGrant', { KeyId, GranteePrincipal: root, Operations: ['Encrypt'] })
  }
  assert.equal((await listed(world, { KeyId })).length, 50)
  assert.equal((await listed(world, { KeyId, Limit: 100 })).length, 100)
  await assert.rejects(listed(world, { KeyId, Limit: 101 }), /maxValue/)
})

const refusals: readonly [what: string, input: object, code: string, message: string][] = [
  [
    'an id that is none',
    { GrantId: 'x' },
    'InvalidGrantIdException',
    'the grant id is not 64 lower-case hex digits',
  ],
  [
    'two grantees',
    { GranteePrincipal: root, GranteeServicePrincipal: service },
    'ValidationException',
    'only one of `GranteePrincipal` and `GranteeServicePrincipal` can be given',
  ],
  [
    'the id of a principal that is gone',
    { GranteePrincipal: 'AROAGONE' },
    'InvalidArnException',
    'Input does not refer to a valid principal',
  ],
]

for (const [what, input, code, message] of refusals) {
  test(`ListGrants refuses ${what}`, async () => {
    const { world, KeyId } = await worldWithGrants()
    await assert.rejects(call(world, 'ListGrants', { KeyId, ...input }), { code, message })
  })
}
