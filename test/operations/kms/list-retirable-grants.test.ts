import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, call, createWorld, makeKey } from './memory-dependencies.ts'
import type { World } from './memory-dependencies.ts'

const root = `arn:aws:iam::${accountId}:root`
const foreign = 'arn:aws:iam::444455556666:root'
const service = 's3.amazonaws.com'

async function worldWithGrants(): Promise<{ world: World; ids: string[] }> {
  const world = createWorld()
  world.principals.set(foreign, '444455556666')
  const ids: string[] = []
  for (const input of [
    { RetiringPrincipal: root },
    { RetiringPrincipal: foreign },
    { RetiringServicePrincipal: service },
    {},
    { RetiringPrincipal: root },
  ]) {
    const { keyId: KeyId } = await makeKey(world)
    const given = { KeyId, GranteePrincipal: foreign, Operations: ['Encrypt'], ...input }
    ids.push(String((await call(world, 'CreateGrant', given))['GrantId']))
  }
  return { world, ids }
}

async function listed(world: World, given: Readonly<Record<string, unknown>>): Promise<string[]> {
  const { Grants } = await call(world, 'ListRetirableGrants', given)
  return (Grants as { GrantId: string }[]).map(({ GrantId }) => GrantId)
}

test('ListRetirableGrants answers what a principal may retire, on every key', async () => {
  const { world, ids } = await worldWithGrants()
  assert.deepEqual(await listed(world, { RetiringPrincipal: root }), [ids[0], ids[4]])
  // Keys of other accounts count too.
  world.rows.grants = world.rows.grants.map((grant) =>
    grant.grantId === ids[0] ? { ...grant, accountId: '444455556666' } : grant,
  )
  assert.deepEqual(await listed(world, { RetiringPrincipal: root }), [ids[0], ids[4]])
  world.principals.set(root, 'a namesake')
  assert.deepEqual(await listed(world, { RetiringPrincipal: root }), [])
})

test('ListRetirableGrants answers what a service may retire, on keys of the account alone', async () => {
  const { world, ids } = await worldWithGrants()
  assert.deepEqual(await listed(world, { RetiringServicePrincipal: service }), [ids[2]])
  world.rows.grants = world.rows.grants.map((grant) => ({ ...grant, accountId: '444455556666' }))
  assert.deepEqual(await listed(world, { RetiringServicePrincipal: service }), [])
})

test('ListRetirableGrants gives pages, whose markers are good for that list alone', async () => {
  const { world, ids } = await worldWithGrants()
  const first = await call(world, 'ListRetirableGrants', { RetiringPrincipal: root, Limit: 1 })
  const Marker = first['NextMarker']
  assert.deepEqual(await listed(world, { RetiringPrincipal: root, Marker }), [ids[4]])
  await assert.rejects(listed(world, { RetiringServicePrincipal: service, Marker }), {
    code: 'InvalidMarkerException',
  })
})

const refusals: readonly [
  what: string,
  input: Record<string, string>,
  code: string,
  message: string,
][] = [
  [
    'a principal of another account',
    { RetiringPrincipal: foreign },
    'NotFoundException',
    `Retiring principal ${foreign} could not be found`,
  ],
  [
    'the id of a principal that is gone',
    { RetiringPrincipal: 'AROAGONE:s' },
    'NotFoundException',
    'Retiring principal AROAGONE:s could not be found',
  ],
  [
    'what is no principal',
    { RetiringPrincipal: `arn:aws:iam::${accountId}:group/g` },
    'InvalidArnException',
    `ARN is not valid: arn:aws:iam::${accountId}:group/g`,
  ],
  [
    'neither',
    {},
    'ValidationException',
    'exactly one of `RetiringPrincipal` and `RetiringServicePrincipal` is needed',
  ],
  [
    'both',
    { RetiringPrincipal: root, RetiringServicePrincipal: service },
    'ValidationException',
    'exactly one of `RetiringPrincipal` and `RetiringServicePrincipal` is needed',
  ],
]

for (const [what, input, code, message] of refusals) {
  test(`ListRetirableGrants refuses ${what}`, async () => {
    const { world } = await worldWithGrants()
    await assert.rejects(call(world, 'ListRetirableGrants', input), { code, message })
  })
}
